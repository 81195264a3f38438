"""Long texts in several messages: one holds no more than 7439 bytes of UTF-8."""

from __future__ import annotations

from typing import Final

MOST_BYTES: Final = 7_439
"""Of a message's text, as of its Markdown."""

_BORDERS: Final = (b"\n\n", b"\n", b" ")
_BACKSLASH: Final = ord("\\")


def split(text: str, most: int = MOST_BYTES) -> list[str]:
    """``text`` in parts of at most ``most`` bytes, at least 4, that make it up again; none of them is blank.

    A part ends at the last empty line in its second half, else at the last line's end or blank there, else anywhere,
    though within no character, nor between a backslash and what it escapes. A lone surrogate becomes a question mark.
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
    slashes = 0
    while end - slashes > start and data[end - slashes - 1] == _BACKSLASH:
        slashes += 1
    return end - slashes % 2 if end - slashes % 2 > start else end
