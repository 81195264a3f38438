"""The chatbot as others see it: what somebody said, what is said to them, and who carries it to and fro."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

import msgspec

RoomType = Literal["direct", "group"]
"""A room of a person and the bot alone, or of several people, where the bot hears only what is meant for it."""


class MessengerAwayError(Exception):
    """The messenger does not answer, or not now. ``after`` seconds is when it may be asked again, where it said so.

    The text is fit for a log. Whether the message was posted is not known where ``is_posted_unknown``.
    """

    def __init__(self, text: str, *, after: float | None = None, is_posted_unknown: bool = False) -> None:
        super().__init__(text)
        self.after = after
        self.is_posted_unknown = is_posted_unknown


class MessageRefusedError(Exception):
    """The messenger is well and does not take it: no such room or person, no right to it. Another try is of no use.

    The text is the messenger's and fit for a log.
    """


class Choice(msgspec.Struct, frozen=True, gc=False):
    """Something to choose: what is read, and what comes back."""

    title: str
    value: str


class Field(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A field of a form. ``value`` is what stands in it at first; a ``date`` is ``YYYY-MM-DD``.

    ``choices`` are those of a ``choice``.
    """

    name: str
    label: str
    kind: Literal["text", "lines", "number", "date", "choice"] = "text"
    value: str = ""
    hint: str = ""
    choices: tuple[Choice, ...] = ()
    is_required: bool = True


class Card(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What can be pressed and filled in under a text: a button for each of ``choices``, or a form of ``fields``.

    What comes back has ``choice`` for a button that was pressed, each field by its name, and ``marks`` as they are.
    """

    choices: tuple[Choice, ...] = ()
    fields: tuple[Field, ...] = ()
    submit: str = "확인"
    marks: Mapping[str, str] = {}


class Message(msgspec.Struct, frozen=True, gc=False):
    """What is said to people: Markdown, and a card under it. Of names and what people said :func:`escaped` is said."""

    text: str
    card: Card | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a person said to the bot, without the mention of it, or sent by a card.

    ``id`` is the message's, or that of what was done with the card ``parent_id``; else ``parent_id`` is the message
    whose thread it stands in, ``""`` for none. ``created_at`` is in Unix seconds. ``inputs`` is ``None`` for a message.
    """

    id: str
    room_id: str
    room_type: RoomType
    person_id: str
    person_email: str
    created_at: float
    text: str = ""
    parent_id: str = ""
    inputs: Mapping[str, str] | None = None


class Conversations(Protocol):
    """Understands what people say."""

    async def answer(self, said: Said) -> Sequence[Message]:
        """What is said to that, in order; the same again where the same ``said.id`` comes again.

        Raises ``DatabaseAwayError`` and :class:`MemoryAwayError`, after which it may be asked again.
        """


class MemoryAwayError(Exception):
    """What was said before cannot be looked up now. Trying again later is right. The text is fit for a log."""


class Memory(Protocol):
    """What all Parleys of one place remember together, by keys. Every method raises :class:`MemoryAwayError`."""

    async def get(self, key: str) -> bytes | None:
        """What is remembered of ``key``; ``None`` for nothing, and for what has expired."""

    async def set(self, key: str, value: bytes, *, expires_in: float | None = None) -> None:
        """Remember ``value`` for so many seconds, ``None`` for ever, in the place of what was."""

    async def delete(self, key: str) -> None:
        """Forget ``key``, if it is known."""

    def lock(self, key: str, *, lease: float) -> AbstractAsyncContextManager[None]:
        """Have ``key`` to oneself, of all Parleys; whoever asks in this one gets it in the order of asking.

        Another Parley may have it after ``lease`` seconds, whether the block is over or not: what is done in it must
        end before. Entering raises :class:`MemoryAwayError` also where another keeps it for longer than a lease.
        """


class Messenger(Protocol):
    """Says things to people."""

    async def post(self, message: Message, *, room_id: str = "", person_email: str = "", parent_id: str = "") -> str:
        """Post ``message`` in a room, or to a person in their own; returns its id, of a long one that of the first
        part.

        Raises :class:`MessengerAwayError` and :class:`MessageRefusedError`, and ``ValueError`` where neither a room nor
        a person is named.
        """


def escaped(text: str) -> str:
    """``text`` so that Markdown shows it as it is."""
    return "".join(f"\\{sign}" if sign in _MEANT else sign for sign in text)


_MEANT = frozenset("\\`*_{}[]()<>#+-.!|~&")
