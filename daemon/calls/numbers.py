"""Phone numbers: as people and logs may see them, and in the one form in which two spellings of one are the same."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Digits of any script, with what people put between the groups: spaces of all widths, hyphens and dashes, points,
# slashes, brackets.
_NUMBER = re.compile(r"[+\uFF0B(\uFF08]*\d(?:[\s\-\u00AD\u2010-\u2015\u2212\uFF0D./\u00B7()\uFF08\uFF09]{0,3}\d)+")
_HIDDEN = "****"
_MOST_FIRST = 3
_MOST_LAST = 4
_LEAST_HIDDEN = 4
_LEAST_IN_TEXT = 7
"""Fewer digits than this within a text are no phone number: an extension, a date, a count."""


_BETWEEN_DIGITS = re.compile(r"[\s\-\u00AD\u2010-\u2015\u2212./\u00B7()]+")
_PLAIN = re.compile(r"\+?[0-9]{2,20}")
_COUNTRY: Final = "82"
_LEAST_WITH_COUNTRY: Final = 10
"""Digits of a number with its country code in front and no plus: a shorter one may begin with the same two digits."""

EXTENSION: Final = r"(?![0-9A-Za-z*#+_.-]*(?<![0-9A-Za-z])[0-9]+[A-Za-z])[0-9A-Za-z*#+_.][0-9A-Za-z*#+_.-]{0,63}"
"""Where a caller can be sent: what every dialplan takes for a number, and no switch for more than that. What begins
with a hyphen a switch may take for an option; digits that a letter follows at once are a slip in a number."""
EXTENSION_RULE: Final = (
    "an extension has 1 to 64 letters, digits or any of * # + _ . -, begins with no hyphen, "
    "and has no letter right behind the digits of a number"
)
"""What :data:`EXTENSION` asks for, to whoever gave another."""


class NumberError(ValueError):
    """The text is no phone number. The message does not repeat it."""


def normal_number(text: str) -> str:
    """A phone number in the one form that is stored and compared: digits, a foreign one with ``+`` in front.

    What people put between digits goes, digits of full width become plain, and a Korean number with its country code
    is the one dialled inside the country: ``+82 (0)10-1234-5678``, ``821012345678`` and ``010.1234.5678`` are all
    ``01012345678``. An extension is itself. Raises :class:`NumberError` for what is none: letters, fewer than 2 or
    more than 20 digits.
    """
    number = _BETWEEN_DIGITS.sub("", unicodedata.normalize("NFKC", text))
    if not _PLAIN.fullmatch(number):
        raise NumberError("a phone number has 2 to 20 digits, with a + in front at most")
    for prefix in (f"+{_COUNTRY}", f"00{_COUNTRY}", _COUNTRY if len(number) >= _LEAST_WITH_COUNTRY else None):
        if prefix is not None and number.startswith(prefix) and len(number) - len(prefix) >= 7:
            return "0" + number[len(prefix) :].lstrip("0")
    return number


def spellings(number: str) -> tuple[str, ...]:
    """How a number in its normal form may stand where nobody normalised it: as it is, or with its country code."""
    if not number.startswith("0") or len(number) < 8:
        return (number,)
    return (number, f"+{_COUNTRY}{number[1:]}", f"{_COUNTRY}{number[1:]}")


def any_spelling(text: str) -> tuple[str, ...]:
    """How a number that somebody wrote may stand: as he wrote it, and as :func:`spellings` says."""
    try:
        return tuple(dict.fromkeys((text, *spellings(normal_number(text)))))
    except NumberError:
        return (text,)


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
