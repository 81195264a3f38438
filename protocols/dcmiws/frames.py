"""Frames of a DCMIWS gateway: JSON in which a key may stand more than once, and JSON that is not read as such.

What comes in is ordinary JSON but for repeated keys (each line of a command's output is its own ``Output``), which an
ordinary reader loses. What goes out is read by a simpler reader than JSON's: it decodes no escape, drops a frame with
anything behind the last brace in silence, takes any key that begins ``AMIServerID`` for it, and hands each field on as
a line of Asterisk's manager protocol, which has a limit. So what it would not take as it is meant is refused here,
before a byte is sent.

A frame that cannot be read raises ``RemoteError``. Every WebSocket message has its own border, so the link may live.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import msgspec

from protocols.errors import LocalError, RemoteError

Fields = Sequence[tuple[str, str]]
"""Names and values in their order; a name may stand more than once."""

LINE_BYTES = 1022
"""Bytes of ``Name: value`` that Asterisk reads of one line."""
MOST_FIELDS = 127
"""Lines of one action, one less than Asterisk takes: the gateway may add one of its own."""
NAME_LENGTH = 59
"""Characters of a name: one of 60 can crash the gateway."""

FORBIDDEN_ACTIONS = frozenset({"events", "filter", "logoff"})
"""Actions on the one manager session that all clients of the gateway share: they would deafen the others."""

_SERVER_KEY = "amiserverid"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_UNREADABLE = re.compile(r'["\\\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]')


class FrameType(IntEnum):
    """The gateway's ``type``."""

    UNKNOWN = 0
    PROMPT = 1
    ACTION = 2
    EVENT = 3
    RESPONSE = 4
    OUTPUT = 5
    """The response to a command by Asterisk 13 or older: its output is one text with line breaks."""
    QUEUES = 6


class Frame(msgspec.Struct, frozen=True, gc=False):
    """A frame with everything in it. ``damaged``: bytes that were no UTF-8 stand replaced in it (by U+FFFD)."""

    type: FrameType
    server_id: int
    server_name: str
    fields: tuple[tuple[str, str], ...]
    damaged: bool = False

    def get(self, name: str, default: str = "") -> str:
        """The first value of ``name``."""
        return next((value for key, value in self.fields if key == name), default)

    def all(self, name: str) -> list[str]:
        """Every value of ``name``, in order."""
        return [value for key, value in self.fields if key == name]


class _Object(list[tuple[str, Any]]):
    """The pairs of a JSON object, told from an array by its type."""


_DECODER = json.JSONDecoder(object_pairs_hook=_Object, strict=False)


def decode_text(raw: bytes) -> tuple[str, bool]:
    """``raw`` as text, and whether something of it was no UTF-8 and is replaced."""
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return raw.decode(errors="replace"), True


def decode_frame(raw: bytes) -> Frame:
    """The frame in ``raw``. Raises ``RemoteError`` for what is none.

    Missing are ``0`` for the ids, ``""`` for the name and no fields; values that are no text are taken as their JSON.
    """
    text, damaged = decode_text(raw)
    try:
        document = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise RemoteError(f"no JSON in a frame of {len(raw)} bytes") from error
    if not isinstance(document, _Object):
        raise RemoteError(f"no object in a frame of {len(raw)} bytes")
    envelope = dict(document)
    data = envelope.get("data", _Object())
    if not isinstance(data, _Object):
        raise RemoteError(f"the data of a frame of {len(raw)} bytes is no object")
    try:
        fields = tuple((name, _text(value)) for name, value in data)
        server_name = _text(envelope.get("server_name", ""))
    except RecursionError as error:
        raise RemoteError(f"values too deep in a frame of {len(raw)} bytes") from error
    return Frame(
        frame_type(_integer(envelope.get("type"))), _integer(envelope.get("server_id")), server_name, fields, damaged
    )


def frame_type(number: int) -> FrameType:
    """The type of that number; one that nobody knows is ``UNKNOWN``."""
    return FrameType(number) if 0 <= number <= FrameType.QUEUES else FrameType.UNKNOWN


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return 0
    try:
        return int(value)
    except ValueError:
        return 0


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, _Object):
        value = dict(value)
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def encode_request(server_id: int, fields: Fields) -> bytes:
    """An action for one server: raw UTF-8, repeated names repeated, nothing behind the last brace.

    Raises ``LocalError`` that names the field which could not be sent as it is.
    """
    if server_id < 1:
        raise LocalError(f"server id {server_id}: less than 1 would mean every server")
    if len(fields) > MOST_FIELDS:
        raise LocalError(f"{len(fields)} fields are more than the {MOST_FIELDS} that Asterisk takes")
    for name, value in fields:
        check_name(name)
        check_value(name, value)
        if len(f"{name}: {value}".encode()) > LINE_BYTES:
            raise LocalError(f"{name} is too long: a line has {LINE_BYTES} bytes at most")
        if name.lower() == "action" and value.strip().lower() in FORBIDDEN_ACTIONS:
            raise LocalError(f"Action {value} would act on the session of every client of the gateway")
    data = ",".join(f'"{name}":"{value}"' for name, value in fields)
    return f'{{"AMIServerID":{server_id},"data":{{{data}}}}}'.encode()


def check_name(name: str) -> None:
    """Raise ``LocalError`` for a name that the gateway would not take for one of a field."""
    shown = name[:NAME_LENGTH]
    if not _NAME.fullmatch(name):
        raise LocalError(f"{shown!r} is no name of a field: letters, digits, hyphen and underscore")
    if len(name) > NAME_LENGTH:
        raise LocalError(f"the name {shown}… is longer than {NAME_LENGTH} characters")
    if _SERVER_KEY.startswith(name.lower()):
        raise LocalError(f"the gateway would take {name} for AMIServerID")


def check_value(name: str, value: str) -> None:
    """Raise ``LocalError`` for a value that would not arrive as it is."""
    found = _UNREADABLE.search(value)
    if found is not None:
        raise LocalError(f"{name} has a {_name_of(found[0])} in it, which the gateway does not carry")
    if value != value.lstrip(" "):
        raise LocalError(f"{name} begins with a space, which would be lost")


def _name_of(character: str) -> str:
    names = {'"': "quotation mark", "\\": "backslash", "\n": "line break", "\r": "line break", "\t": "tab"}
    return names.get(character, f"character U+{ord(character):04X}")
