"""A conversation as it stands between two things said, in whatever process the next one arrives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from daemon.chatbot.contract import Card, Message, RoomType, Said
from daemon.chatbot.turn import Reply

CHOOSING: Final = ""
"""In the place of a service: the person chooses one."""

_MOST_EARLIER: Final = 10
_MOST_ANSWERED: Final = 10


class Stage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was asked, and what is needed to hear the answer to it."""

    step: str
    message: Message
    slots: Mapping[str, str] = {}
    free: bool = False


class Conversation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One conversation with one person in one room about one thing.

    ``id`` is that of the message that it began with, ``created`` when that was said (Unix seconds). ``number`` counts
    what was asked, so that a card knows whether it is the last one; ``asked`` is that last one, ``earlier`` what came
    before it.
    """

    id: str
    room_id: str
    room_type: RoomType
    person_id: str
    person_email: str
    created: float
    service: str
    number: int = 0
    asked: Stage
    earlier: tuple[Stage, ...] = ()

    @property
    def step(self) -> str:
        """The step that is waited for."""
        return self.asked.step

    @property
    def slots(self) -> Mapping[str, str]:
        """What the service has kept."""
        return self.asked.slots

    def is_of(self, inputs: Mapping[str, str]) -> bool:
        """Whether what a card sent is the answer to what was asked last."""
        return (inputs.get("conversation"), inputs.get("step")) == (self.id, str(self.number))

    def going_on(self, reply: Reply) -> Conversation:
        """The same after its service has asked something else."""
        number = self.number + 1
        stage = staged(reply, self.id, number)
        earlier = (*self.earlier, self.asked)[-_MOST_EARLIER:]
        return msgspec.structs.replace(self, number=number, asked=stage, earlier=earlier)

    def back(self) -> Conversation | None:
        """The same before what was asked last; ``None`` where nothing was before."""
        if not self.earlier:
            return None
        *earlier, stage = self.earlier
        number = self.number + 1
        stage = msgspec.structs.replace(stage, message=_marked(stage.message, self.id, number))
        return msgspec.structs.replace(self, number=number, asked=stage, earlier=tuple(earlier))


class Answered(msgspec.Struct, frozen=True):
    """What was answered to the thing said of that id."""

    id: str
    messages: tuple[Message, ...]


class Record(msgspec.Struct, frozen=True, rename="camel"):
    """What is remembered of one person in one room: one value, so that it never says half.

    ``spoken_at`` is when they said the last thing that was answered, by the messenger's clock; ``answered_at`` when it
    was, which is much later where nobody could hear it at first.
    """

    conversation: Conversation | None = None
    spoken_at: float = 0.0
    answered_at: float = 0.0
    answered: tuple[Answered, ...] = ()

    def answers_to(self, said_id: str) -> Sequence[Message] | None:
        """What was answered to that before."""
        return next((one.messages for one in self.answered if one.id == said_id), None)

    def is_last(self, said_id: str) -> bool:
        """Whether nothing was answered after that."""
        return bool(self.answered) and self.answered[-1].id == said_id

    def silent_for(self, said: Said) -> float:
        """Seconds that they were silent before they said that: what they could not have seen yet they did not leave
        without an answer."""
        has_seen = said.created_at >= self.answered_at
        return said.created_at - (max(self.spoken_at, self.answered_at) if has_seen else self.spoken_at)

    def after(
        self, said: Said, messages: Sequence[Message], conversation: Conversation | None, *, now: float
    ) -> Record:
        """The record with one more thing answered ``now``."""
        answered = (*self.answered, Answered(said.id, tuple(messages)))[-_MOST_ANSWERED:]
        return Record(conversation, max(self.spoken_at, said.created_at), now, answered)

    def again(self, now: float) -> Record:
        """The record with what was answered last answered once more ``now``."""
        return msgspec.structs.replace(self, answered_at=now)


def begun(said: Said, service: str, reply: Reply) -> Conversation:
    """A new conversation, in which ``service`` has asked something."""
    return Conversation(
        id=said.id,
        room_id=said.room_id,
        room_type=said.room_type,
        person_id=said.person_id,
        person_email=said.person_email,
        created=said.created_at,
        service=service,
        asked=staged(reply, said.id, 0),
    )


def staged(reply: Reply, conversation_id: str, number: int) -> Stage:
    """What ``reply`` asks, with a card that is known by its marks."""
    card = None
    if reply.choices or reply.fields:
        card = Card(choices=reply.choices, fields=reply.fields, submit=reply.submit)
    message = _marked(Message(reply.text, card), conversation_id, number)
    return Stage(reply.step, message, dict(reply.slots), reply.free)


def _marked(message: Message, conversation_id: str, number: int) -> Message:
    if message.card is None:
        return message
    marks = {"conversation": conversation_id, "step": str(number)}
    return Message(message.text, msgspec.structs.replace(message.card, marks=marks))
