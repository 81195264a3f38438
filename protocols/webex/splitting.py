"""Long texts in several messages: one holds no more than 7439 bytes of UTF-8."""

from __future__ import annotations

import unicodedata
from typing import Final

MOST_BYTES: Final = 7_439
"""Of a message's text, as of its Markdown."""

_BORDERS: Final = (b"\n\n", b"\n", b" ")
_BACKSLASH: Final = ord("\\")
_JOINER: Final = "\u200d"
_FLAG_LETTERS: Final = "".join(map(chr, range(0x1F1E6, 0x1F200)))
"""Two of them are a flag."""
_PARTS: Final = (("\u1160", "\u11ff"), ("\ud7b0", "\ud7ff"), ("\U0001f3fb", "\U0001f3ff"))
"""Vowels and finals of Hangul, colours of skin."""


def split(text: str, most: int = MOST_BYTES) -> list[str]:
    """``text`` in parts of at most ``most`` bytes, at least 4, that make it up again; none of them is blank.

    A part ends at the last empty line in its second half, else at the last line's end or blank there, else anywhere,
    though within no character, as far as what is seen as one has an end there (an emoji of several, a syllable of
    letters), nor between a backslash and what it escapes. A lone surrogate becomes a question mark.
    """
    data = text.encode("utf-8", "replace")
    parts = []
    start = 0
    while start < len(data):
        end = len(data) if len(data) - start <= most else _end(data, start, start + most)
        parts.append(data[start:end].decode())
        start = end
    return [part for part in parts if part.strip()]


def _end(data: bytes, start: int, most: int) -> int:
    """Where a part ends that begins at ``start`` and ends at ``most`` at the latest."""
    half = start + (most - start) // 2
    for border in _BORDERS:
        found = data.rfind(border, half, most)
        if found >= 0:
            return found + len(border)
    end = most
    while data[end] & 0xC0 == 0x80:
        end -= 1
    end = _seen_end(data[half:end].decode(errors="ignore"), data[end : end + 4].decode(errors="ignore")[:1], end)
    slashes = 0
    while end - slashes > start and data[end - slashes - 1] == _BACKSLASH:
        slashes += 1
    return end - slashes % 2 if end - slashes % 2 > start else end


def _seen_end(before: str, following: str, end: int) -> int:
    """Where what is seen as one character with ``following`` begins: in ``before``, or else at ``end``."""
    earlier = end
    for place in range(len(before), 0, -1):
        if not _goes_on(before[:place], following):
            return earlier
        following = before[place - 1]
        earlier -= len(following.encode())
    return end


def _goes_on(before: str, following: str) -> bool:
    """Whether people see ``following`` as a part of the character before it."""
    if before[-1] == _JOINER or following == _JOINER or unicodedata.category(following).startswith("M"):
        return True
    if following in _FLAG_LETTERS:
        return (len(before) - len(before.rstrip(_FLAG_LETTERS))) % 2 == 1
    return any(first <= following <= last for first, last in _PARTS)
