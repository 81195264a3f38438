"""The room as a whole: a bot at Webex, by which people write to Parley and Parley to people."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

import structlog

from daemon.backoff import Backoff
from daemon.chatbot.contract import (
    Conversations,
    Memory,
    MemoryAwayError,
    MessageRefusedError,
    MessengerAwayError,
)
from daemon.chatbot.webex.answered import Answered
from daemon.chatbot.webex.api import WebexApi
from daemon.chatbot.webex.hooks import Hooks, HooksUnsettledError
from daemon.chatbot.webex.messenger import WebexMessenger
from daemon.chatbot.webex.people import WebexPeople
from daemon.chatbot.webex.reading_back import ReadingBack
from daemon.chatbot.webex.receiving import Receiving
from daemon.config import WebexConfig
from daemon.health import Condition, Part
from daemon.inbox.contract import Inbox, InboxFullError
from daemon.stores.database import DatabaseAwayError

log = structlog.get_logger(__name__)

HANDLERS: Final = MappingProxyType(
    {"chatbot-messages": "messages.created", "chatbot-cards": "attachmentActions.created"}
)
"""The names of its handlers in the inbox, and what :meth:`ChatbotRoom.handle` is to be handed of the source."""
PATIENCE: Final = 60.0
"""Seconds that it may take for one, beside what the conversation takes."""

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
_AWAY: Final = (
    MessengerAwayError,
    MessageRefusedError,
    MemoryAwayError,
    DatabaseAwayError,
    InboxFullError,
    HooksUnsettledError,
)


class ChatbotRoom:
    """Our webhooks at Webex deliver to the source ``config.source``, whose secret is ``secret``; what comes there is
    handed to :meth:`handle`. ``messenger`` speaks by ``api``, which is closed when :meth:`run` ends. ``kept``
    remembers, also where ``memory`` forgets all, up to when everything was heard. ``clock`` gives Unix seconds."""

    def __init__(
        self,
        config: WebexConfig,
        *,
        api: WebexApi,
        messenger: WebexMessenger,
        secret: str,
        inbox: Inbox,
        conversations: Conversations,
        memory: Memory,
        kept: Memory,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._api = api
        self._messenger = messenger
        self._people = WebexPeople(api)
        answered = Answered(memory)
        self._hooks = Hooks(
            self._api,
            memory,
            name=config.webhook_name,
            target_url=f"{config.webhook_url.rstrip('/')}/webhooks/{config.source}",
            secret=secret,
            clock=clock,
        )
        names = [config.bot_name] if config.bot_name else []
        self._receiving = Receiving(api, messenger, self._people, conversations, answered, names=names)
        self._reading_back = ReadingBack(
            self._api, self._people, answered=answered, inbox=inbox, memory=kept, config=config, clock=clock
        )
        self.handle = self._receiving.handle
        """A handler of the inbox."""
        self.passed = asyncio.Event()
        """Set when the webhooks are as they should be and everything was heard; cleared while they are not."""
        self._problem = "our webhooks at Webex have not been looked at yet"

    async def run(self) -> None:
        """See to the webhooks, and to what they missed, until cancelled."""
        interval = self._config.reconcile_interval
        backoff = Backoff(min(_FIRST_PAUSE, interval), min(_LONGEST_PAUSE, interval))
        try:
            while True:
                try:
                    await self._pass()
                except _AWAY as error:
                    self._note(str(error))
                    asked = error.after if isinstance(error, MessengerAwayError) else None
                    await asyncio.sleep((asked or 0.0) + backoff.next())
                else:
                    self._note("")
                    backoff.reset()
                    await asyncio.sleep(interval)
        finally:
            await self._api.close()

    async def _pass(self) -> None:
        me = await self._people.me()
        email = self._config.bot_email.lower()
        if email and email not in map(str.lower, me.emails):
            raise MessageRefusedError("the token is of another bot than bot_email names")
        hook = await self._hooks.reconcile()
        await self._reading_back.read_back(hook)

    def _note(self, problem: str) -> None:
        if problem and problem != self._problem:
            log.warning("webex_away", problem=problem)
        elif self._problem and not problem:
            log.info("webex_ready")
        self._problem = problem
        if problem:
            self.passed.clear()
        else:
            self.passed.set()

    def condition(self) -> Part:
        """For health."""
        problem = self._problem or self._api.problem
        numbers = {
            "posted": float(self._messenger.posted),
            "answered": float(self._receiving.answers),
            "read_back": float(self._reading_back.found),
            "retries": float(self._api.retries),
        }
        return Part(Condition.DEGRADED if problem else Condition.OK, problem, numbers)
