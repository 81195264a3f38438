"""Reminders: each a delivery of the inbox, which says it to people until it is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from daemon.chatbot.contract import Message, MessageRefusedError, Messenger, MessengerAwayError
from daemon.inbox.contract import Delivery, Inbox, PermanentError, PostponedError, RetryLaterError, Work
from daemon.schedules.contract import Firing, Reminders

SOURCE: Final = "parley:reminders"
"""The source of deliveries that are reminders; their event is the schedule."""


class Reminder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The body of such a delivery. ``until`` is in Unix seconds."""

    message: Message
    room_id: str = ""
    person_email: str = ""
    until: float | None = None


class PostedReminders(Reminders):
    """Keeps them in ``inbox``, and says them by ``messenger``. ``clock`` gives Unix seconds."""

    def __init__(self, inbox: Inbox, messenger: Messenger, *, clock: Callable[[], float]) -> None:
        self._inbox = inbox
        self._messenger = messenger
        self._clock = clock

    async def remind(
        self,
        firing: Firing,
        recipient: str,
        message: Message,
        *,
        room_id: str = "",
        person_email: str = "",
        until: float | None = None,
    ) -> str:
        """As the contract says."""
        if not room_id and not person_email:
            raise ValueError("a reminder is for a room or for a person")
        reminder = Reminder(message=message, room_id=room_id, person_email=person_email, until=until)
        work = Work(
            source=SOURCE,
            event=firing.schedule,
            body=msgspec.json.encode(reminder),
            other_id=f"{firing.key}:{recipient}",
        )
        return await self._inbox.put(work)

    async def handle(self, delivery: Delivery) -> None:
        """Say one. Raises :class:`RetryLaterError`, :class:`PostponedError` and :class:`PermanentError`.

        Where it is not known whether it was posted it is said again: nobody is to miss one.
        """
        try:
            reminder = msgspec.json.decode(delivery.body, type=Reminder)
        except msgspec.DecodeError as error:
            raise PermanentError("the body is no reminder") from error
        if reminder.until is not None and self._clock() > reminder.until:
            raise PermanentError("it is too late for it")
        try:
            await self._say(reminder)
        except MessengerAwayError as error:
            if error.after is not None and not error.is_posted_unknown:
                # Many are told at once, and the messenger lets in so many a minute: whoever waits has not failed.
                raise PostponedError(str(error), after=error.after, counts_in_the_end=True) from error
            raise RetryLaterError(str(error), after=error.after) from error
        except MessageRefusedError as error:
            raise PermanentError(str(error)) from error

    async def _say(self, reminder: Reminder) -> None:
        """A room is the person's own: a messenger is given one of the two."""
        if reminder.room_id:
            try:
                await self._messenger.post(reminder.message, room_id=reminder.room_id)
            except MessageRefusedError:
                # It is gone where their account there is another now.
                if not reminder.person_email:
                    raise
            else:
                return
        await self._messenger.post(reminder.message, person_email=reminder.person_email)
