"""A phone number as people answer with one: ``010-1234-5678``, ``2001번이요``, ``01012345678로 돌려 주세요``; or as it
stands in a sentence."""

from __future__ import annotations

import re
from typing import Final

from daemon.calls.numbers import NumberError, normal_number
from protocols.korean_dates import with_days_as

_BEHIND: Final = re.compile(
    r"\s*(?:번호|번)?\s*(?:으로|로|에게|한테|에)?\s*(?:이에요|예요|입니다|이요|요)?"
    r"\s*(?:(?:전화|연결|돌려|걸어|해)[가-힣\s]*)?[\s.!~]*"
)
_NUMBER: Final = re.compile(r"(.*\d)([^\d]*)", re.DOTALL)
_WITHIN: Final = re.compile(
    r"(?P<before>내선\s*(?:번호)?\s*)?(?<![\d:])(?P<number>\+?\d[\d\s().-]*\d)(?![\d:]|\s*[시분초일월년개명건층호원주달%])"
    r"(?P<behind>\s*번|\s*으?로)?"
)
_LONG: Final = 7
"""Digits of what is a number wherever it stands."""
_DIGITS_ALONE: Final = re.compile(r"\d+")
_MOBILE: Final = re.compile(r"01[016-9]")
_WHOLE_MOBILE: Final = re.compile(r"010\d{8}|01[16-9]\d{7,8}")
_FOREIGN_LEAST: Final = 8
"""Digits of a number with its country code, and the plus."""


def answered_number(text: str) -> str:
    """The number in its normal form.

    Raises :class:`~daemon.calls.numbers.NumberError` where ``text`` says anything but one number and what it is for,
    and for what nobody has: a Korean mobile number that is too short or too long, the rest of an international one, a
    date. An extension is as short as it likes.
    """
    found = _NUMBER.fullmatch(text)
    written = found[1] if found is not None and _BEHIND.fullmatch(found[2]) else text
    return _whole(written, normal_number(written))


def number_in(text: str) -> str:
    """The one number that a sentence names, ``""`` for none: what is long enough for one, or an extension that is
    called so (``1012번``, ``1012로``, ``내선 1012``). Dates and times are none.

    Raises :class:`~daemon.calls.numbers.NumberError` for several, and for what nobody has.
    """
    found = [one for one in _WITHIN.finditer(with_days_as(text, " ")) if _is_meant_for_one(one)]
    if len(found) > 1:
        raise NumberError("there are several numbers")
    return answered_number(found[0]["number"]) if found else ""


def _is_meant_for_one(found: re.Match[str]) -> bool:
    digits = "".join(filter(str.isdigit, found["number"]))
    return len(digits) >= _LONG or bool(_MOBILE.match(digits) or found["before"] or found["behind"])


def _whole(written: str, number: str) -> str:
    is_date = not _DIGITS_ALONE.fullmatch(written.strip()) and not with_days_as(written, "").strip()
    is_short_mobile = _MOBILE.match(number) and not _WHOLE_MOBILE.fullmatch(number)
    if is_date or is_short_mobile or (number.startswith("+") and len(number) <= _FOREIGN_LEAST):
        raise NumberError("it is a date, or a part of a number")
    return number
