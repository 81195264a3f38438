"""A phone number as people answer with one: ``010-1234-5678``, ``2001번이요``, ``01012345678로 돌려 주세요``."""

from __future__ import annotations

import re
from typing import Final

from daemon.calls.numbers import normal_number

_BEHIND: Final = re.compile(
    r"\s*(?:번호|번)?\s*(?:으로|로|에게|한테|에)?\s*(?:이에요|예요|입니다|이요|요)?"
    r"\s*(?:(?:전화|연결|돌려|걸어|해)[가-힣\s]*)?[\s.!~]*"
)
_NUMBER: Final = re.compile(r"(.*\d)([^\d]*)", re.DOTALL)


def answered_number(text: str) -> str:
    """The number in its normal form. Raises :class:`~daemon.calls.numbers.NumberError` where ``text`` says anything but
    one number and what it is for."""
    found = _NUMBER.fullmatch(text)
    return normal_number(found[1] if found is not None and _BEHIND.fullmatch(found[2]) else text)
