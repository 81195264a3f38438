"""Leads conversations: who it is that writes, what they mean, and the service that does it, one thing said at a time.

Nothing of a conversation stays in this process. What is remembered is one value for each person in each room: how far
they are, and what was answered to the last few things they said. It is written once, after a service has done its
step. A process that dies between the two leaves the thing said unanswered, and it is handled again: the service is
then asked to do the same step a second time, and goes by :attr:`~daemon.chatbot.turn.Turn.key` or does what is
harmless twice. Once it is written, the same thing said is answered with the same words and nothing is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Final, Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec
import structlog

from daemon.chatbot.contract import Conversations, Memory, Message, Said
from daemon.chatbot.conversation import CHOOSING, Record
from daemon.chatbot.definition import definitions
from daemon.chatbot.offer import Offer, Service, WordIndex
from daemon.chatbot.phrases import GONE, SAID_BEFORE, STRANGER
from daemon.chatbot.steps import Steps
from daemon.chatbot.talk import Answer, Talk
from daemon.config import Config
from daemon.directory.contract import Directory
from daemon.roles import sees_numbers
from daemon.stores.people import PersonRow

log = structlog.get_logger(__name__)

_KEPT: Final = 86_400.0
"""Seconds for which the same thing said is answered the same: an inbox tries again for so long."""
_LEASE_BEYOND: Final = 20.0
"""How much longer a conversation is held than a service may take: it is looked up, and written."""


class Acquaintance(Protocol):
    """Knows who writes."""

    async def of(self, said: Said) -> PersonRow | None:
        """Who said that; ``None`` for a stranger. Raises ``DatabaseAwayError``."""


class BotConversations(Conversations):
    """Implements :class:`~daemon.chatbot.contract.Conversations`. ``clock`` gives Unix seconds."""

    def __init__(
        self,
        config: Config,
        offer: Offer,
        speakers: Acquaintance,
        memory: Memory,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config.chatbot
        self._full_numbers = config.web.full_numbers
        self._offer = offer
        self._speakers = speakers
        self._memory = memory
        self._clock = clock
        self._steps = Steps(config.chatbot.deadline)
        self._lease = config.chatbot.deadline + _LEASE_BEYOND
        self.patience = 2 * self._lease
        """Seconds after which :meth:`answer` may be cut off from outside: its own limits come first, even where another
        Parley died over the same conversation."""
        name = config.chatbot.time_zone
        self._zone: tzinfo = UTC if name == "UTC" else ZoneInfo(name)

    async def answer(self, said: Said) -> Sequence[Message]:
        """As the contract says."""
        key = f"conversation:{quote(said.room_id, safe='')}:{quote(said.person_id, safe='')}"
        # The lock comes first: it keeps what is said in its order.
        async with self._memory.lock(key, lease=self._lease):
            person = await self._speakers.of(said)
            if person is None:
                return [Message(STRANGER)]
            record = await self._record(key)
            before = record.answers_to(said.id)
            if before is not None:
                if record.is_last(said.id):
                    await self._remember(key, record.again(self._clock()))
                return list(before)
            answer = await self._answer(said, person, record)
            record = record.after(said, answer.messages, answer.conversation, now=self._clock())
            await self._remember(key, record)
        return list(answer.messages)

    async def _remember(self, key: str, record: Record) -> None:
        await self._memory.set(key, msgspec.json.encode(record), expires_in=self._config.silence + _KEPT)

    async def _record(self, key: str) -> Record:
        stored = await self._memory.get(key)
        if stored is None:
            return Record()
        try:
            return msgspec.json.decode(stored, type=Record)
        except msgspec.DecodeError:  # of another version of Parley: it begins anew
            log.warning("conversation_not_read")
            return Record()

    async def _answer(self, said: Said, person: PersonRow, record: Record) -> Answer:
        conversation, is_late = record.conversation, False
        if conversation is not None and record.silent_for(said) > self._config.silence:
            is_late, conversation = conversation.service != CHOOSING, None
        talk = Talk(
            said,
            person,
            self._offer,
            now=self._clock(),
            zone=self._zone,
            steps=self._steps,
            sees_numbers=said.room_type == "direct" and sees_numbers(person.role, self._full_numbers),
        )
        if conversation is None:
            return await talk.begin(is_late=is_late)
        if conversation.service != CHOOSING and conversation.service not in self._offer.of(person.role):
            return Answer([Message(GONE)])
        # A card knows what it answers. What was written before the last thing answered cannot answer what that asked.
        if said.inputs is None and said.created_at < record.spoken_at and conversation.service != CHOOSING:
            return Answer([Message(SAID_BEFORE), conversation.asked.message], conversation)
        return await talk.go_on(conversation)


def build_conversations(
    config: Config,
    *,
    supplies: Mapping[type, object],
    directory: Directory,
    index: WordIndex,
    speakers: Acquaintance,
    memory: Memory,
    clock: Callable[[], float] = time.time,
) -> BotConversations:
    """The conversations of ``config``. ``supplies`` are what services may ask for, ``index`` an empty index of the
    directory's kind for the services' own words; ``speakers`` mostly
    :class:`~daemon.chatbot.speakers.Speakers`.

    Raises :class:`~daemon.plugins.PluginError` for what ``parley check`` would have refused.
    """
    services = [Service(found, found.bind(supplies)) for found in definitions(config.chatbot, supplies.keys())]
    offer = Offer(services, directory, index, threshold=config.directory.threshold)
    log.info("chatbot_services", services=[service.name for service in services])
    return BotConversations(config, offer, speakers, memory, clock=clock)
