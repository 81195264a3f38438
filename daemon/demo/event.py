"""An event of the simulated switch and the bytes FreeSWITCH would make of it.

A header's value is a string, or a list of strings for an array header. A name may stand twice: FreeSWITCH sends both.
A byte that is not UTF-8 travels inside a ``str`` as its surrogate escape and leaves as that byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring
from typing import Literal
from urllib.parse import quote

Value = str | Sequence[str]
Headers = list[tuple[str, Value]]
Format = Literal["plain", "json"]

UNQUOTED = "!$'()*,-./_~"
"""Beside letters and digits, what FreeSWITCH leaves as it is in a plain value."""

_LOOKS_QUOTED = re.compile("%25(?=[0-9A-F]{2})")
"""A literal ``%41`` is taken for quoted already and left as it is, so the encoding cannot always be undone."""


def encode_json(headers: Iterable[tuple[str, Value]], body: str | None) -> bytes:
    """The JSON text of an event: names in their order, repeated ones repeated, the body as ``_body``."""
    members = [f"{encode_basestring(name)}:{_json_value(value)}" for name, value in headers]
    if body is not None:
        members.append(f'"Content-Length":"{len(_encode(body))}"')
        members.append(f'"_body":{encode_basestring(body)}')
    return _encode("{" + ",".join(members) + "}")


def encode_plain(headers: Iterable[tuple[str, Value]], body: str | None) -> bytes:
    """The plain text of an event: values percent-encoded, names never, the body raw after a blank line."""
    lines = [f"{name}: {_quoted(value)}\n" for name, value in headers]
    text = _encode("".join(lines))
    if body is None:
        return text + b"\n"
    raw = _encode(body)
    return text + b"Content-Length: %d\n\n%b" % (len(raw), raw)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _json_value(value: Value) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    return "[" + ",".join(encode_basestring(item) for item in value) + "]"


def _quoted(value: Value) -> str:
    text = value if isinstance(value, str) else "ARRAY::" + "|:".join(value)
    quoted = quote(text, safe=UNQUOTED, encoding="utf-8", errors="surrogateescape")
    return _LOOKS_QUOTED.sub("%", quoted) if "%25" in quoted else quoted


class Event:
    """One event: its headers in wire order and its body, encoded at most once per format.

    Empty values are dropped, as FreeSWITCH drops them.
    """

    __slots__ = ("_frames", "_values", "body", "headers", "name", "subclass")

    def __init__(self, headers: Iterable[tuple[str, Value]], body: str | None = None) -> None:
        self.headers: Headers = [(name, value) for name, value in headers if value != ""]
        self.body = body
        self._frames: dict[Format, bytes] = {}
        self._values: dict[str, Value] | None = None
        self.name = self.text("Event-Name")
        self.subclass = self.text("Event-Subclass")

    @property
    def for_everybody(self) -> bool:
        """Whether it goes to every subscriber, whatever they asked for."""
        return False

    def text(self, name: str) -> str:
        """The first value of a header, ``""`` where there is none. Names are compared without regard to case."""
        if self._values is None:
            self._values = {}
            for header, value in self.headers:
                self._values.setdefault(header.lower(), value)
        value = self._values.get(name.lower(), "")
        return value if isinstance(value, str) else "ARRAY::" + "|:".join(value)

    def encoded(self, form: Format) -> bytes:
        """The event's own text, as ``uuid_dump`` prints it and an event frame carries it."""
        return (encode_json if form == "json" else encode_plain)(self.headers, self.body)

    def frame(self, form: Format) -> bytes:
        """The whole frame. ``Content-Length`` stands before ``Content-Type``, the other way round than in replies."""
        made = self._frames.get(form)
        if made is None:
            text = self.encoded(form)
            made = b"Content-Length: %d\nContent-Type: text/event-%b\n\n%b" % (len(text), form.encode(), text)
            self._frames[form] = made
        return made
