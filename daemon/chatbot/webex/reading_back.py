"""What was said and not delivered: while Parley, its link to Webex or its webhook was away, or one delivery got lost.

What people wrote since Parley heard everything for the last time is read in the rooms, and put into the inbox just as a
webhook would have brought it: what comes as a webhook too, late, is then a double. What was done with cards cannot be
read back: Webex has no list of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from daemon.chatbot.contract import Memory
from daemon.chatbot.webex.answered import Answered
from daemon.chatbot.webex.api import WebexApi, WebexRefusedError
from daemon.chatbot.webex.people import WebexPeople, is_bots
from daemon.config import WebexConfig
from daemon.inbox.contract import Inbox, Work
from protocols.webex.objects import WebexHook, WebexMessage, WebexRoom, told_of, unix_seconds
from protocols.webhooks import webex

log = structlog.get_logger(__name__)

HEARD_UNTIL: Final = "webex:heard-until"
"""Where the moment is remembered up to which everything was heard, in Unix seconds."""

_SKEW: Final = 60.0
"""Seconds that Webex's clock and ours may differ by, and that a webhook may be under way."""
_ROOMS: Final = 1_000


class ReadingBack:
    """Puts into ``inbox``. ``clock`` gives Unix seconds."""

    def __init__(
        self,
        api: WebexApi,
        people: WebexPeople,
        *,
        answered: Answered,
        inbox: Inbox,
        memory: Memory,
        config: WebexConfig,
        clock: Callable[[], float],
    ) -> None:
        self._api = api
        self._people = people
        self._answered = answered
        self._inbox = inbox
        self._memory = memory
        self._config = config
        self._clock = clock
        self.found = 0
        """How many messages were put into the inbox that nobody had begun to answer."""

    async def read_back(self, hook: WebexHook) -> None:
        """Put what was written since the last time, and is not answered, as ``hook`` would have told of it.

        The first time of all there is nothing to read back. Raises what :class:`WebexApi` and :class:`Inbox` raise,
        and ``MemoryAwayError``; it is read back the next time then.
        """
        now = self._clock()
        since = await self._since()
        if since is not None:
            earliest = now - self._config.read_back_age
            # A clock that was ahead has noted what was not so.
            if since <= now:
                earliest = max(since - _SKEW, earliest)
            for message in await self._missed(earliest):
                await self._put(message, hook)
        await self._memory.set(HEARD_UNTIL, str(now).encode())

    async def _since(self) -> float | None:
        remembered = await self._memory.get(HEARD_UNTIL)
        try:
            return None if remembered is None else float(remembered)
        except ValueError:
            return None

    async def _missed(self, earliest: float) -> list[WebexMessage]:
        """What people wrote since ``earliest`` and nobody has begun to answer, oldest first."""
        me = await self._people.me()
        found: list[WebexMessage] = []
        for room in await self._api.rooms(until=lambda one: _is_earlier(one.last_activity, earliest), most=_ROOMS):
            # Of one moment they stay in the order in which the room has them.
            for message in reversed(await self._of_room(room, earliest)):
                is_somebodys = message.person_id != me.id and not is_bots(message.person_email)
                if is_somebodys and await self._answered.get(message.id) is None:
                    found.append(message)
        found.sort(key=lambda message: message.created)
        most = self._config.read_back_messages
        if len(found) > most:
            log.warning("webex_messages_passed_over", count=len(found) - most)
        return found[-most:]

    async def _of_room(self, room: WebexRoom, earliest: float) -> list[WebexMessage]:
        """What it has since ``earliest``, newest first; nothing where Webex does not show that (any more)."""
        most = self._config.read_back_messages
        try:
            return await self._api.messages(room, until=lambda one: _is_earlier(one.created, earliest), most=most)
        except WebexRefusedError as error:
            # The bot was sent out of it, say. Those who write elsewhere must not wait for that.
            log.warning("webex_room_not_read", problem=str(error))
            return []

    async def _put(self, message: WebexMessage, hook: WebexHook) -> None:
        body = told_of(message, hook)
        told = webex.identify({}, body)
        await self._inbox.put(
            Work(source=self._config.source, event=told.event, body=body, other_id=told.other_id, key=told.key)
        )
        self.found += 1


def _is_earlier(moment: str, than: float) -> bool:
    """Whether it is; what says no moment may be from now."""
    seconds = unix_seconds(moment)
    return seconds is not None and seconds < than
