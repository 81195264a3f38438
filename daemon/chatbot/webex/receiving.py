"""What Webex delivers, answered: the message or the card's action is fetched and understood, what is said to it posted.

The inbox hands over a delivery until it is done, what one person did in one room in order. How far an answer is stands
in its :class:`Note`, written after each message. So at a second attempt one message is in doubt: a process may have
died before the note, or Webex did not say whether it took it. It is posted only where it is not in the room. In a group
room a bot is not shown its own messages: there it is posted, rather twice than never.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

import structlog

from daemon.chatbot.contract import Conversations, MemoryAwayError, MessageRefusedError, MessengerAwayError, Said
from daemon.chatbot.webex.answered import Answered, Note
from daemon.chatbot.webex.api import WebexApi, WebexRefusedError
from daemon.chatbot.webex.messenger import Part, WebexMessenger, parts_of, target_of
from daemon.chatbot.webex.people import WebexPeople, is_bots
from daemon.inbox.contract import Delivery, PermanentError, RetryLaterError
from daemon.stores.database import DatabaseAwayError
from protocols.webex.mentions import without_mention
from protocols.webex.objects import Told, WebexMessage, WebexRoom, read_inputs, read_told, unix_seconds

log = structlog.get_logger(__name__)

_LOOKED_AT: Final = 100
"""Messages of a room, newest first, among which one of ours is looked for."""


class Receiving:
    """The inbox's handler. ``names`` are those the bot is called by beside its own."""

    def __init__(
        self,
        api: WebexApi,
        messenger: WebexMessenger,
        people: WebexPeople,
        conversations: Conversations,
        answered: Answered,
        *,
        names: Sequence[str] = (),
    ) -> None:
        self._api = api
        self._messenger = messenger
        self._people = people
        self._conversations = conversations
        self._answered = answered
        self._names = tuple(names)
        self.answers = 0
        """How many people were answered."""

    async def handle(self, delivery: Delivery) -> None:
        """As the inbox's contract says. What is not for the bot is done at once."""
        told = read_told(delivery.body)
        if told is None:
            raise PermanentError("Webex does not say what was done")
        try:
            await self._answer(told, delivery)
        except (MessengerAwayError, MemoryAwayError, DatabaseAwayError) as error:
            raise RetryLaterError(str(error), after=getattr(error, "after", None)) from error
        except MessageRefusedError as error:
            raise PermanentError(str(error)) from error

    async def _answer(self, told: Told, delivery: Delivery) -> None:
        if told.person_id == (await self._people.me()).id or is_bots(told.person_email):
            return
        note = await self._answered.get(told.id) or Note()
        if note.is_done:
            return
        heard = await self._heard(told, delivery.received_at)
        if heard is None:
            return
        said, parent_id = heard
        messages = await self._conversations.answer(said)
        parts = [part for message in messages for part in parts_of(message)]
        posted = list(note.posted)
        if delivery.attempt > 1 and len(posted) < len(parts):
            posted += await self._found(said, parts[len(posted)], posted)
        await self._post(said, parts, posted, parent_id)
        self.answers += 1

    # Hearing

    async def _heard(self, told: Told, received_at: float) -> tuple[Said, str] | None:
        """What was said, and the thread that the answer belongs to; ``None`` where there is nothing to answer."""
        try:
            if told.resource == "messages":
                return await self._heard_message(told, received_at)
            return await self._heard_action(told, received_at)
        except WebexRefusedError as error:
            if error.is_missing:  # it was taken back, or the bot was sent out of the room
                return None
            raise

    async def _heard_message(self, told: Told, received_at: float) -> tuple[Said, str] | None:
        message = await self._api.message(told.id)
        me = await self._people.me()
        if message.person_id == me.id or is_bots(message.person_email) or await self._is_bot(message.person_id):
            return None
        names = [me.display_name, *self._names]
        said = Said(
            id=message.id,
            room_id=message.room_id,
            room_type="direct" if message.room_type == "direct" else "group",
            person_id=message.person_id,
            person_email=message.person_email.lower(),
            created_at=unix_seconds(message.created) or received_at,
            text=without_mention(message.text, message.html, person_id=me.id, names=names),
            parent_id=message.parent_id,
        )
        return said, _thread(message)

    async def _heard_action(self, told: Told, received_at: float) -> tuple[Said, str] | None:
        action = await self._api.card_action(told.id)
        if await self._is_bot(action.person_id):
            return None
        # Neither the action nor the webhook says what room that is, nor who.
        card = await self._api.message(action.message_id)
        person = await self._people.get(action.person_id)
        said = Said(
            id=action.id,
            room_id=action.room_id,
            room_type="direct" if card.room_type == "direct" else "group",
            person_id=action.person_id,
            person_email=person.emails[0].lower() if person is not None and person.emails else "",
            created_at=unix_seconds(action.created) or received_at,
            parent_id=action.message_id,
            inputs=read_inputs(action.inputs),
        )
        return said, _thread(card)

    async def _is_bot(self, person_id: str) -> bool:
        person = await self._people.get(person_id)
        return person is not None and person.type == "bot"

    # Answering

    async def _post(self, said: Said, parts: Sequence[Part], posted: list[str], parent_id: str) -> None:
        """Post what follows on those that are ``posted``, in order."""
        target = target_of(room_id=said.room_id, parent_id=parent_id)
        for part in parts[len(posted) :]:
            if posted:
                await self._answered.set(said.id, Note(tuple(posted)))
            posted.append(await self._messenger.post_part(part, target))
        await self._answered.set(said.id, Note(tuple(posted), is_done=True))

    async def _found(self, said: Said, part: Part, known: Sequence[str]) -> list[str]:
        """The message of ours that says ``part`` and came after ``said``, if it is there, is not ``known``, and is no
        answer to anything else that stands in the room."""
        if said.room_type != "direct":
            return []
        me = await self._people.me()
        room = WebexRoom(id=said.room_id, type=said.room_type)
        newest = await self._api.messages(room, until=lambda one: False, most=_LOOKED_AT)
        after = list(takewhile(lambda one: not _is_before(one, said), newest))
        found = [one.id for one in after if one.person_id == me.id and one.id not in known and _says(one, part)]
        if found:
            others = [await self._answered.get(one.id) for one in newest if one.person_id != me.id]
            theirs = {posted for note in others if note is not None for posted in note.posted}
            found = [message_id for message_id in found if message_id not in theirs]
        if found:
            log.info("webex_answer_was_posted")
        return found[-1:]


def _thread(message: WebexMessage) -> str:
    """Where an answer to it, or to what was done with it, belongs: into its thread. In a group room it begins one."""
    return message.parent_id or (message.id if message.room_type != "direct" else "")


def _is_before(message: WebexMessage, said: Said) -> bool:
    """Whether it is what was said, or older: what is done with a card stands in no list."""
    created = unix_seconds(message.created)
    return message.id == said.id or (created is not None and created < said.created_at)


def _says(message: WebexMessage, part: Part) -> bool:
    """Whether that is what was posted: as Markdown, or, where Webex gives none back, by its letters and digits."""
    if message.markdown:
        return message.markdown.strip() == part.markdown.strip()
    return _letters(message.text) == _letters(part.markdown)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
