"""The gateway's JSON as the gateway itself reads and writes it, which is not quite as JSON is.

Its reader takes keys as they come: repeated ones all count, an object within ``data`` is more of ``data``, any key
that begins ``AMIServerID``, in any case, sets the server, and an escape stays the two characters it was written as.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

Fields = list[tuple[str, str]]
"""Names and values in the order of the wire; a name may stand more than once."""

RESPONSE = 4
EVENT = 3
OUTPUT = 5

_SERVER_KEY = "amiserverid"
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Request(msgspec.Struct, frozen=True):
    """What a client asks; ``server_id`` 0 is every server."""

    server_id: int
    fields: Fields

    def get(self, name: str) -> str:
        """The value of ``name``, whatever its case; of several the first, ``""`` where there is none."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), "")

    def all(self, name: str) -> list[str]:
        """Every value of ``name``."""
        return [value for key, value in self.fields if key.lower() == name.lower()]


class _Object(list[tuple[str, Any]]):
    """The pairs of one JSON object; a list of its own kind, since arrays are lists too."""


def read_request(raw: str | bytes) -> Request | None:
    """The request in a text frame, or ``None`` for one that the gateway drops in silence."""
    if not isinstance(raw, str) or not raw or raw[-1].isspace():
        return None
    try:
        document = json.loads(_ESCAPED.sub(_kept, raw), object_pairs_hook=_Object)
    except ValueError:
        return None
    if not isinstance(document, _Object):
        return None
    server_id, fields = 0, []
    data = [value for key, value in document if key == "data" and isinstance(value, _Object)]
    outside = [(key, 0 if isinstance(value, list) else value) for key, value in document if key != "data"]
    for key, value in _scalars(outside):
        if key and _SERVER_KEY.startswith(key.lower()):
            server_id = _number(value)
    for pairs in data:
        for key, value in _scalars(pairs):
            if key and _SERVER_KEY.startswith(key.lower()):
                server_id = _number(value)
            else:
                fields.append((key, value.lstrip(" ")))
    return Request(server_id, fields) if fields else None


def write_frame(kind: int, server_id: int, server_name: str, fields: Iterable[tuple[str, str]]) -> str:
    """A frame as the gateway writes it, its spaces included."""
    data = ",".join(f"{_quoted(name)}: {_quoted(value)}" for name, value in fields)
    return (
        f'{{ "type": {kind}, "server_id": {server_id}, "server_name": {_quoted(server_name)}, "ssl": false, '
        f'"data": {{{data}}}}}'
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _kept(match: re.Match[str]) -> str:
    return "\\\\" + ("\\" + match[1] if match[1] in '"\\' else match[1])


def _scalars(pairs: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    for key, value in pairs:
        if isinstance(value, _Object):
            yield from _scalars(value)
        elif isinstance(value, list):
            yield from _scalars((key, item) for item in value)
        elif isinstance(value, bool):
            yield key, str(value).lower()
        else:
            yield key, "" if value is None else str(value)


def _number(text: str) -> int:
    digits = re.match(r"\d+", text)
    return int(digits[0]) if digits else 0
