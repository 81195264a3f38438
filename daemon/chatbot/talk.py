"""What becomes of one thing that a person said: the answer to it, and the conversation as it stands then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final

import msgspec
import structlog

from daemon.chatbot.contract import Card, Choice, MemoryAwayError, Message, Said, escaped
from daemon.chatbot.conversation import CHOOSING, Conversation, begun
from daemon.chatbot.offer import Found, Offer, Service
from daemon.chatbot.phrases import (
    ALWAYS,
    ANEW,
    BACK,
    CANCEL,
    CANCEL_TOO,
    CANCELLED,
    DROPPED,
    FAILED,
    GONE,
    GREETING,
    GREETINGS,
    HELP,
    NO,
    NOT_FOUND,
    NOTHING_BEFORE,
    NOTHING_ON_OFFER,
    NOTHING_TO_CANCEL,
    OLD_CARD,
    ON_OFFER,
    THANKS,
    TIMED_OUT,
    WELCOME,
    WHICH,
    WITHHELD,
    plain,
)
from daemon.chatbot.reading import MOST_TEXT, Heard, MisreadError, read_answer
from daemon.chatbot.steps import Steps
from daemon.chatbot.turn import YES_NO, Reply, Turn, ask
from daemon.plugins import place_of
from daemon.stores.database import DatabaseAwayError
from daemon.stores.people import PersonRow

log = structlog.get_logger(__name__)

_CHOOSE: Final = "choose"
_WRITTEN: Final = "written"
"""What was written when several services were offered: the one that is chosen hears all of it."""


class Answer(msgspec.Struct, frozen=True):
    """What is said, and the conversation that goes on with it, ``None`` where none does."""

    messages: Sequence[Message]
    conversation: Conversation | None = None


def _written(said: Said) -> Said:
    """A button that belongs to no conversation, as under a reminder, says what it stands for."""
    inputs = said.inputs or {}
    if "conversation" in inputs or not inputs.get("choice"):
        return said
    return msgspec.structs.replace(said, text=inputs["choice"], inputs=None)


class Talk:
    """Answers ``said`` of ``person``, once.

    Both ways raise ``DatabaseAwayError`` and :class:`MemoryAwayError` of a service: then the same is to be tried again.
    """

    def __init__(
        self,
        said: Said,
        person: PersonRow,
        offer: Offer,
        *,
        now: float,
        zone: tzinfo,
        steps: Steps,
        sees_numbers: bool,
    ) -> None:
        self._said = said = _written(said)
        self._person = person
        self._offer = offer
        self._now = now
        self._zone = zone
        self._steps = steps
        self._sees_numbers = sees_numbers
        self._word = plain(said.text) if said.inputs is None else ""

    async def begin(self, *, is_late: bool = False) -> Answer:
        """What is said where no conversation is under way. ``is_late``: one was, and they were silent for too long."""
        answer = await self._begun()
        return Answer([Message(TIMED_OUT), *answer.messages], answer.conversation) if is_late else answer

    async def go_on(self, conversation: Conversation) -> Answer:
        """What is said within a conversation."""
        if self._said.inputs is not None and not conversation.is_of(self._said.inputs):
            return Answer([Message(OLD_CARD)], conversation)
        asked = conversation.asked
        choices = asked.message.card.choices if asked.message.card is not None else ()
        if any(self._word and self._word == plain(choice.title) for choice in choices):
            return await self._answered(conversation)
        if self._word in CANCEL | CANCEL_TOO or (self._word in NO and choices != YES_NO):
            return Answer([Message(CANCELLED)])
        if self._word in HELP and conversation.service == CHOOSING:
            return self._overview(ON_OFFER)
        if self._word in HELP:
            return Answer([self._help(conversation), asked.message], conversation)
        if self._word in BACK:
            before = conversation.back()
            if before is None:
                return Answer([Message(NOTHING_BEFORE), asked.message], conversation)
            return Answer([before.asked.message], before)
        return await self._answered(conversation)

    async def _answered(self, conversation: Conversation) -> Answer:
        """What is said in answer to what was asked."""
        asked = conversation.asked
        card = asked.message.card or Card()
        try:
            today = datetime.fromtimestamp(self._said.created_at, self._zone).date()
            heard = read_answer(self._said, choices=card.choices, fields=card.fields, free=asked.free, today=today)
        except MisreadError as error:
            return await self._misread(conversation, str(error))
        if conversation.service == CHOOSING:
            chosen = self._offer.of(self._person.role).get(heard.choice)
            if chosen is None:
                return Answer([Message(GONE)])
            return await self._step(chosen, Heard(whole=conversation.slots.get(_WRITTEN, "")), None)
        return await self._step(self._offer.of(self._person.role)[conversation.service], heard, conversation)

    async def _begun(self) -> Answer:
        if self._said.inputs is not None:
            return Answer([Message(OLD_CARD)])
        if self._word in CANCEL | CANCEL_TOO | NO | BACK:
            return Answer([Message(NOTHING_TO_CANCEL)])
        if not self._word or self._word in HELP:
            return self._overview(ON_OFFER)
        if self._word in GREETINGS | THANKS and self._offer.named(self._said.text, self._person.role) is None:
            return self._overview(f"{GREETING} {ON_OFFER}") if self._word in GREETINGS else Answer([Message(WELCOME)])
        return await self._begin(await self._offer.find(self._said.text, self._person.role))

    async def _misread(self, conversation: Conversation, why: str) -> Answer:
        """Asked to choose a service people may say something else altogether; else they are asked again."""
        if self._said.inputs is None and conversation.service == CHOOSING:
            return await self._begun()
        return await self._other(conversation) or Answer([Message(why), conversation.asked.message], conversation)

    async def _other(self, conversation: Conversation) -> Answer | None:
        """What was written is no answer: another service is begun where it is what that is asked for by."""
        other = self._offer.commanded(self._said.text, self._person.role) if self._said.inputs is None else None
        if other is None:
            return None
        before = self._offer.of(self._person.role)[conversation.service]
        is_same = other.services[0].name == before.name
        dropped = ANEW if is_same else DROPPED.format(title=escaped(before.title))
        answer = await self._begin(other)
        return Answer([Message(dropped), *answer.messages], answer.conversation)

    # Finding a service

    async def _begin(self, found: Found) -> Answer:
        if found.is_sure:
            written = self._said.text.strip()[:MOST_TEXT]
            return await self._step(found.services[0], Heard(text=found.rest, whole=written), None)
        if found.services:
            return self._choice(WHICH, found.services, slots={_WRITTEN: self._said.text.strip()[:MOST_TEXT]})
        if found.withheld is not None:
            return self._overview(f"{WITHHELD.format(title=escaped(found.withheld.title))}\n\n{ON_OFFER}")
        return self._overview(f"{NOT_FOUND} {ON_OFFER}")

    def _overview(self, text: str) -> Answer:
        """What can be asked, by this person."""
        services = list(self._offer.of(self._person.role).values())
        if not services:
            return Answer([Message(NOTHING_ON_OFFER)])
        rows = [_row(service) for service in services]
        return self._choice("\n".join([text, "", *rows, "", ALWAYS]), services)

    def _choice(self, text: str, services: Iterable[Service], slots: Mapping[str, str] | None = None) -> Answer:
        choices = [Choice(service.title, service.name) for service in services]
        conversation = begun(self._said, CHOOSING, ask(text, step=_CHOOSE, choices=choices, slots=slots))
        return Answer([conversation.asked.message], conversation)

    def _help(self, conversation: Conversation) -> Message:
        service = self._offer.of(self._person.role)[conversation.service]
        return Message(f"{_row(service)}\n\n{ALWAYS}")

    # Doing it

    async def _step(self, service: Service, heard: Heard, conversation: Conversation | None) -> Answer:
        turn = Turn(
            person=self._person,
            key=self._said.id,
            now=self._now,
            said_at=self._said.created_at,
            zone=self._zone,
            step=conversation.step if conversation is not None else "",
            text=heard.text,
            whole=heard.whole or heard.text,
            choice=heard.choice,
            inputs=heard.inputs,
            slots=conversation.slots if conversation is not None else {},
            sees_numbers=self._sees_numbers,
        )
        reply = await self._reply(service, turn)
        if reply is None:
            return Answer([Message(FAILED)], conversation)
        if reply.misread and conversation is not None:
            other = await self._other(conversation)
            if other is not None:
                return other
        if not reply.step:
            return Answer([Message(reply.text)])
        going_on = conversation.going_on(reply) if conversation is not None else begun(self._said, service.name, reply)
        return Answer([going_on.asked.message], going_on)

    async def _reply(self, service: Service, turn: Turn) -> Reply | None:
        """``None`` where the service failed: whether it has done something is not known."""
        try:
            return await self._steps.take(service.step, turn)
        except (DatabaseAwayError, MemoryAwayError):
            raise
        except Exception as error:
            # Its text may quote what the person wrote.
            log.error(
                "chatbot_service_failed",
                service=service.name,
                step=turn.step,
                error=type(error).__name__,
                place=place_of(error),
            )
            return None


def _row(service: Service) -> str:
    about = f": {escaped(service.definition.description)}" if service.definition.description else ""
    return f"- **{escaped(service.title)}** ({escaped(service.name)}){about}"
