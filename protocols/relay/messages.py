"""The messages of voice relay v1 in both directions: JSON text frames that say their ``type`` and the ``turn``.

Each message of the gateway is answered by one instruction of the app. Fields that nobody knows are ignored, so that
either side may be the newer one; fields that are not there, or are null, are not set. Texts are taken as they are,
and their lengths are counted in characters of composed text (NFC). Source: the published contract.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar, Union

import msgspec

from protocols.choices import FEWEST, LONGEST, MOST, Choices, ChoiceSource
from protocols.errors import LocalError, ProtocolError, RemoteError

LONGEST_TEXT = 500
"""Characters of a text to be spoken."""
LONGEST_LABEL = 10
"""Characters of what an address is called."""

UNAVAILABLE: Mapping[str, Any] = MappingProxyType({"status": "unavailable"})
"""The address of a gateway that has no service to find any."""


class EndReason(StrEnum):
    """How a relay ended. After all but ``COMPLETED`` and ``CALLER_HANGUP`` the caller is sent to a person."""

    COMPLETED = "completed"
    TRANSFERRED = "transferred"
    CALLER_HANGUP = "caller_hangup"
    APP_ERROR = "app_error"
    LIMIT = "limit"
    VOICE_FAILED = "voice_failed"
    NOTICE_TRANSFER = "notice_transfer"


class ErrorCode(StrEnum):
    """Why an instruction was refused."""

    UNKNOWN_TYPE = "unknown_type"
    TEXT_REQUIRED = "text_required"
    TEXT_TOO_LONG = "text_too_long"
    BAD_CHOICES = "bad_choices"
    BAD_EXPECT = "bad_expect"


class Expect(StrEnum):
    """What an answer is to be read as."""

    ADDRESS = "address"


class InstructionRefusedError(ProtocolError):
    """The app's instruction cannot be followed: tell it so. ``text`` names the field, what is wrong with it and what
    is allowed, and holds nothing of the instruction but its type."""

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class _Message(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="type"):
    """Of the gateway. ``turn`` counts its messages, from 1."""

    turn: int


class Setup(_Message, frozen=True, tag="setup"):
    """The call begins. ``notice_played``: the caller was told of speaking with a machine. ``caller`` is there only
    where the operator lets the app have it. ``simulated``: no telephone is involved; nothing may be ordered."""

    version: int
    call_id: str
    tenant_id: str
    org_id: str
    app_id: str
    did: str
    notice_played: bool
    caller: str | None = None
    simulated: bool = False


class Said(_Message, frozen=True, tag="said"):
    """A :class:`Say` is over."""


class Prompt(_Message, frozen=True, tag="prompt"):
    """What the caller said after an :class:`Ask`.

    ``silence``: nothing; with ``heard_voice``, something that was no words. ``choice`` to ``choice_ambiguous`` are
    there only if choices were given and it is so; ``address`` only if one was expected.
    """

    text: str
    silence: bool
    low_confidence: bool
    spoke_during_playback: bool
    heard_voice: bool
    choice: str | None = None
    choice_index: int | None = None
    choice_source: ChoiceSource | None = None
    confirm: bool = False
    choice_ambiguous: bool = False
    address: dict[str, Any] | None = None


class Error(_Message, frozen=True, tag="error"):
    """The last instruction was refused and not followed: send another. ``message`` is for people."""

    code: str
    message: str


class End(_Message, frozen=True, tag="end"):
    """It is over, and nothing more is heard. ``reason`` is an :class:`EndReason` or one that is newer."""

    reason: str


class _Instruction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", tag_field="type"):
    """Of the app. ``turn`` is that of the message it answers; nothing depends on it."""

    turn: int | None = None


class Say(_Instruction, frozen=True, tag="say"):
    """Speak to the end; with ``interruptible``, until the caller speaks. Answered by :class:`Said`."""

    text: str
    interruptible: bool = False


class Ask(_Instruction, frozen=True, tag="ask"):
    """Speak until the caller does, and listen; without a text only listen. Answered by :class:`Prompt`.

    There are no ``choices`` or 2 to 6. ``label`` is what an expected address is called.
    """

    text: str = ""
    choices: tuple[str, ...] = ()
    expect: Expect | None = None
    label: str = ""


class Transfer(_Instruction, frozen=True, tag="transfer"):
    """Send the caller to the number that the operator configured."""


class Hangup(_Instruction, frozen=True, tag="hangup"):
    """Speak to the end, if there is a text, and hang up."""

    text: str = ""


Message = Union[Setup, Said, Prompt, Error, End]
"""Of the gateway."""
Instruction = Union[Say, Ask, Transfer, Hangup]
"""Of the app."""


class _Frame(msgspec.Struct, frozen=True, gc=False):
    """An instruction of any kind, as yet unchecked."""

    type: Any = None
    turn: Any = None
    text: Any = None
    interruptible: Any = None
    choices: Any = None
    expect: Any = None
    label: Any = None


D = TypeVar("D")

_message_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
_frame_decoder = msgspec.json.Decoder(_Frame)


def encode(message: Message | Instruction) -> str:
    """``message`` as a text frame."""
    return msgspec.json.encode(message).decode()


def decode_message(frame: str | bytes) -> Message:
    """What the gateway says. Raises ``RemoteError`` for what is no message that an app knows."""
    return _decoded(_message_decoder, frame)


def decode_instruction(frame: str | bytes) -> Instruction:
    """What the app wants.

    Raises :class:`InstructionRefusedError` for what cannot be followed, and ``RemoteError`` for what is no JSON object.
    Only ``true`` makes a text interruptible. A ``label`` counts only beside ``expect``.
    """
    fields = _decoded(_frame_decoder, frame)
    turn = fields.turn if type(fields.turn) is int else None
    if fields.type == "say":
        return Say(_text(fields, required=True), fields.interruptible is True, turn=turn)
    if fields.type == "ask":
        return Ask(_text(fields), _choices(fields), _expect(fields), _label(fields), turn=turn)
    if fields.type == "transfer":
        return Transfer(turn=turn)
    if fields.type == "hangup":
        return Hangup(_text(fields), turn=turn)
    given = repr(fields.type[:40]) if isinstance(fields.type, str) else "missing or no text"
    raise InstructionRefusedError(ErrorCode.UNKNOWN_TYPE, f"type is {given}; say, ask, transfer and hangup are allowed")


def _decoded(decoder: msgspec.json.Decoder[D], frame: str | bytes) -> D:
    try:
        return decoder.decode(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RemoteError(f"no message in a frame of length {len(frame)}") from error


def _text(fields: _Frame, *, required: bool = False) -> str:
    text = "" if fields.text is None else fields.text
    if not isinstance(text, str):
        raise InstructionRefusedError(ErrorCode.TEXT_REQUIRED, "text is no text; a string is allowed")
    if required and not text.strip():
        raise InstructionRefusedError(
            ErrorCode.TEXT_REQUIRED, f"text is missing or blank; 1 to {LONGEST_TEXT} characters are allowed"
        )
    length = _length(text)
    if length > LONGEST_TEXT:
        raise InstructionRefusedError(
            ErrorCode.TEXT_TOO_LONG, f"text has {length} characters; {LONGEST_TEXT} at most are allowed"
        )
    return text


def _choices(fields: _Frame) -> tuple[str, ...]:
    if fields.choices is None:
        return ()
    if not isinstance(fields.choices, list) or not all(isinstance(word, str) for word in fields.choices):
        raise InstructionRefusedError(
            ErrorCode.BAD_CHOICES,
            f"choices is no list of texts; {FEWEST} to {MOST} of 1 to {LONGEST} characters are allowed",
        )
    try:
        return Choices(fields.choices).words
    except LocalError as error:
        raise InstructionRefusedError(ErrorCode.BAD_CHOICES, f"choices: {error}") from error


def _expect(fields: _Frame) -> Expect | None:
    if fields.expect is None:
        return None
    if fields.expect != Expect.ADDRESS:
        raise InstructionRefusedError(ErrorCode.BAD_EXPECT, 'expect is unknown; "address" is allowed')
    if fields.choices is not None:
        raise InstructionRefusedError(ErrorCode.BAD_EXPECT, "expect stands beside choices; one of them is allowed")
    return Expect.ADDRESS


def _label(fields: _Frame) -> str:
    if fields.expect is None or fields.label is None:
        return ""
    if not isinstance(fields.label, str) or _length(fields.label) > LONGEST_LABEL:
        raise InstructionRefusedError(
            ErrorCode.BAD_EXPECT, f"label is no text or too long; {LONGEST_LABEL} characters at most are allowed"
        )
    return fields.label


def _length(text: str) -> int:
    return len(unicodedata.normalize("NFC", text))
