"""Phone numbers as people and logs may see them."""

from __future__ import annotations

import re

# Digits of any script, with what people put between the groups: spaces of all widths, hyphens and dashes, points,
# slashes, brackets.
_NUMBER = re.compile(r"[+\uFF0B(\uFF08]*\d(?:[\s\-\u00AD\u2010-\u2015\u2212\uFF0D./\u00B7()\uFF08\uFF09]{0,3}\d)+")
_HIDDEN = "****"
_MOST_FIRST = 3
_MOST_LAST = 4
_LEAST_HIDDEN = 4
_LEAST_IN_TEXT = 7
"""Fewer digits than this within a text are no phone number: an extension, a date, a count."""


def mask_number(number: str) -> str:
    """``number`` with its middle hidden: ``01012345678`` → ``010****5678``.

    Of eleven digits and more the first three and last four stay, of eight to ten fewer, so that at least four are
    hidden (``0212345678`` → ``021****678``); shorter ones, extensions mostly, keep their last two; two and fewer are
    hidden whole. What is no number (a SIP name) keeps its first character. Separators go: they would tell how many
    digits are hidden.
    """
    if not number:
        return ""
    digits = "".join(character for character in number if character.isdigit())
    if not digits or any(character.isalpha() for character in number):
        return number[0] + _HIDDEN
    if len(digits) >= 8:
        first = min(_MOST_FIRST, (len(digits) - _LEAST_HIDDEN + 1) // 2)
        last = min(_MOST_LAST, len(digits) - _LEAST_HIDDEN - first)
        return digits[:first] + _HIDDEN + digits[-last:]
    if len(digits) >= 3:
        return _HIDDEN + digits[-2:]
    return _HIDDEN


def mask_numbers_in(text: str) -> str:
    """``text`` with every phone number in it masked, however it is written: for a caller's name, which may well be its
    number."""
    return _NUMBER.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    digits = sum(character.isdigit() for character in found[0])
    return mask_number(found[0]) if digits >= _LEAST_IN_TEXT else found[0]
