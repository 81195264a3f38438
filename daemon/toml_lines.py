"""On which line of a TOML document each key stands.

The standard library's parser says what a document means and not where. This scanner is its companion: it reads a
document *that the parser has already accepted* and only finds keys, so it need not judge anything. TOML 1.0:
https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

KeyPath = tuple[str | int, ...]
"""Keys from the outermost table inwards; an integer is the index into an array."""

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE: Final = re.compile(r"[ \t]*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_BASIC: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL: Final = re.compile(r"'[^']*'")
# A multi-line string may end in up to two quotes of its own before the three that close it.
_BASIC_LINES: Final = re.compile(r'"""(?:\\.|[^\\])*?"""(?!")', re.DOTALL)
_LITERAL_LINES: Final = re.compile(r"'''.*?'''(?!')", re.DOTALL)
_SCALAR: Final = re.compile(r"[^,\]}#\n]*")
_STRINGS: Final = (_BASIC_LINES, _LITERAL_LINES, _BASIC, _LITERAL)
_ESCAPES: Final = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(["\\bfnrt]))')
_ESCAPED: Final = {'"': '"', "\\": "\\", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def key_lines(document: str) -> dict[KeyPath, int]:
    """The line, from 1, on which each table, key and array item of a valid TOML ``document`` first appears."""
    return _Scanner(document).scan()


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _ESCAPED[match[3]]


class _Scanner:
    def __init__(self, document: str) -> None:
        self._text = document
        self._at = 0
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", document))]
        self._lines: dict[KeyPath, int] = {}
        self._array_tables: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip(_BLANK) < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._assignment(table)
        return self._lines

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return self._at

    def _note(self, path: KeyPath) -> None:
        self._lines.setdefault(path, bisect_right(self._line_starts, self._at))

    def _header(self) -> KeyPath:
        array = self._text.startswith("[[", self._at)
        self._at += 2 if array else 1
        keys = self._keys()
        self._at += 2 if array else 1
        path: KeyPath = ()
        for key in keys[:-1]:
            path = self._into((*path, key))
        path = (*path, keys[-1])
        self._note(path)
        if array:
            index = self._array_tables.get(path, 0)
            self._array_tables[path] = index + 1
            path = (*path, index)
            self._note(path)
        return path

    def _into(self, path: KeyPath) -> KeyPath:
        """A header that leads through an array of tables means its last one."""
        self._note(path)
        count = self._array_tables.get(path)
        return path if count is None else (*path, count - 1)

    def _assignment(self, table: KeyPath) -> None:
        start = self._at
        keys = self._keys()
        end, self._at = self._at, start
        path = table
        for key in keys:
            path = (*path, key)
            self._note(path)
        self._at = end + 1  # past the equals sign
        self._value(path)

    def _keys(self) -> list[str]:
        """A dotted key, up to the sign behind it."""
        keys = []
        while True:
            self._skip(_SPACE)
            keys.append(self._key())
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _key(self) -> str:
        start = self._at
        match self._text[start]:
            case '"':
                self._skip(_BASIC)
                return _ESCAPES.sub(_unescape, self._text[start + 1 : self._at - 1])
            case "'":
                self._skip(_LITERAL)
                return self._text[start + 1 : self._at - 1]
            case _:
                self._skip(_BARE_KEY)
                return self._text[start : self._at]

    def _value(self, path: KeyPath) -> None:
        self._skip(_SPACE)
        match self._text[self._at]:
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                start = self._at
                for pattern in _STRINGS:
                    if self._skip(pattern) > start:
                        return
            case _:
                self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while True:
            self._skip(_BLANK)
            match self._text[self._at]:
                case "]":
                    self._at += 1
                    return
                case ",":
                    self._at += 1
                case _:
                    self._note((*path, index))
                    self._value((*path, index))
                    index += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while True:
            self._skip(_BLANK)
            match self._text[self._at]:
                case "}":
                    self._at += 1
                    return
                case ",":
                    self._at += 1
                case _:
                    self._assignment(path)
