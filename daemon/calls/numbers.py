"""Phone numbers as people and logs may see them."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\+?[0-9][0-9\-]{5,}[0-9]")
_HIDDEN = "****"


def mask_number(number: str) -> str:
    """``number`` with its middle hidden: ``01012345678`` → ``010****5678``.

    Eight digits and more keep their first three and last four; shorter ones, extensions mostly, keep their last two;
    two and fewer are hidden whole. What is no number (a SIP name) keeps its first character. Separators go: they
    would tell how many digits are hidden.
    """
    if not number:
        return ""
    digits = "".join(character for character in number if character.isdigit())
    if not digits or any(character.isalpha() for character in number):
        return number[0] + _HIDDEN
    if len(digits) >= 8:
        return digits[:3] + _HIDDEN + digits[-4:]
    if len(digits) >= 3:
        return _HIDDEN + digits[-2:]
    return _HIDDEN


def mask_numbers_in(text: str) -> str:
    """``text`` with every phone number in it masked: for a caller's name, which may well be its number."""
    return _NUMBER.sub(lambda match: mask_number(match[0]), text)
