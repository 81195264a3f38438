"""The members of a JSON text's objects by where they stand, to cut some out and leave every other byte as it is.

It takes more than JSON readers do (lone surrogates, any nesting, numbers of any size, a key that stands twice), so that
nothing stays in a text only because a reader stumbles over something else in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

_TOKEN = re.compile(
    rb"""[ \t\r\n]*+(?:
        (?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+")
      | (?P<mark>[{}\[\]:,])
      | (?P<scalar>[^ \t\r\n"{}\[\]:,]++)
    )""",
    re.DOTALL | re.VERBOSE,
)
_BOM = b"\xef\xbb\xbf"


class Member(msgspec.Struct):
    """One key and its value: ``body[start:end]``, the value ``body[value:end]``.

    ``owner`` is the member whose value it is in, at any depth of lists, by its place in the list of all; -1 for those
    of the outermost object. ``container`` is one number for all members of one object.
    """

    key: str
    start: int
    owner: int
    container: int
    value: int = 0
    end: int = 0


class _Open(msgspec.Struct):
    """An object (``container`` counts them) or a list (-1) whose end has not come. ``last`` is its newest member."""

    container: int
    owner: int
    last: int = -1


def find_members(body: bytes) -> list[Member] | None:
    """Every member of every object in ``body``, in the order of the keys; ``None`` if ``body`` is no JSON text."""
    try:
        return _Scan(body).members()
    except ValueError:
        return None


def cut_members(body: bytes, members: Iterable[Member], doomed: Iterable[Member]) -> bytes:
    """``body`` without ``doomed``, which are some of its ``members``, and without the commas that they had."""
    doomed_starts = {member.start for member in doomed}
    objects: dict[int, list[Member]] = {}
    for member in members:
        objects.setdefault(member.container, []).append(member)
    gone, at = [], 0
    for siblings in objects.values():
        kept_end = None
        for member, following in zip(siblings, [*siblings[1:], None], strict=True):
            if member.start not in doomed_starts:
                kept_end = member.end
            elif following is not None:
                gone.append((member.start, following.start))
            else:
                gone.append((member.start if kept_end is None else kept_end, member.end))
    parts = []
    for start, end in sorted(gone):
        if start > at:
            parts.append(body[at:start])
        at = max(at, end)
    return b"".join([*parts, body[at:]])


def read_text(value: bytes) -> str:
    """The text that ``value`` writes, quotation marks around it; as it is written where an escape of it is none."""
    written = value.decode(errors="replace")
    try:
        text: str = json.loads(written, strict=False)
    except ValueError:
        return written[1:-1]
    return text


_Expect = Callable[[re.Match[bytes]], Any]
"""Takes the next token and says what takes the one after it; ``None`` when the text is over."""


class _Scan:
    """One pass over a text. It keeps its own stack, so no nesting is too deep."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = len(_BOM) if body.startswith(_BOM) else 0
        self._found: list[Member] = []
        self._open: list[_Open] = []
        self._objects = 0

    def members(self) -> list[Member]:
        """All of them. Raises ``ValueError`` for what is no JSON text."""
        expect: _Expect | None = self._value
        while expect is not None:
            token = _TOKEN.match(self._body, self._at)
            if token is None:
                raise ValueError("neither a text nor a mark nor a number")
            self._at = token.end()
            expect = expect(token)
        if self._body[self._at :].strip(b" \t\r\n"):
            raise ValueError("something behind the end")
        return self._found

    def _value(self, token: re.Match[bytes]) -> _Expect | None:
        mark = token["mark"]
        if self._open and self._open[-1].container >= 0:
            self._found[self._open[-1].last].value = token.start(token.lastgroup or 0)
        if mark is None:
            return self._ended()
        if mark not in b"{[":
            raise ValueError("no value")
        owner = -1
        if self._open:
            inner = self._open[-1]
            owner = inner.last if inner.container >= 0 else inner.owner
        if mark == b"[":
            self._open.append(_Open(-1, owner))
            return self._first_value
        self._open.append(_Open(self._objects, owner))
        self._objects += 1
        return self._first_key

    def _first_value(self, token: re.Match[bytes]) -> _Expect | None:
        return self._close() if token["mark"] == b"]" else self._value(token)

    def _first_key(self, token: re.Match[bytes]) -> _Expect | None:
        return self._close() if token["mark"] == b"}" else self._key(token)

    def _key(self, token: re.Match[bytes]) -> _Expect:
        if token["string"] is None:
            raise ValueError("no key")
        inner = self._open[-1]
        inner.last = len(self._found)
        self._found.append(Member(read_text(token["string"]), token.start("string"), inner.owner, inner.container))
        return self._colon

    def _colon(self, token: re.Match[bytes]) -> _Expect:
        if token["mark"] != b":":
            raise ValueError("no colon")
        return self._value

    def _next(self, token: re.Match[bytes]) -> _Expect | None:
        is_object = self._open[-1].container >= 0
        if token["mark"] == b",":
            return self._key if is_object else self._value
        if token["mark"] != (b"}" if is_object else b"]"):
            raise ValueError("neither a comma nor an end")
        return self._close()

    def _close(self) -> _Expect | None:
        self._open.pop()
        return self._ended()

    def _ended(self) -> _Expect | None:
        if not self._open:
            return None
        if self._open[-1].container >= 0:
            self._found[self._open[-1].last].end = self._at
        return self._next
