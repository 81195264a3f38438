"""What a sentence wishes of call forwarding: ``착신전환 010-1234-5678로 걸어줘``, ``착신전환 꺼줘``."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

import msgspec

from daemon.calls.numbers import NumberError
from daemon.chatbot.services.answered_numbers import number_in
from daemon.chatbot.services.pbx_words import KINDS
from protocols.dcmiws.diversions import DiversionKind
from protocols.korean_dates import read_date, with_days_as

_OFF: Final = re.compile(r"해제|끄|꺼(?!져)|끌|취소|중지|풀어|풀고|멈춰|그만|없애|지워|삭제|\boff\b")
_AT_SOME_TIME: Final = re.compile(
    r"\d\s*(?:시|분)|오전|오후|아침|점심|저녁|퇴근|출근|나중|이따|있다가|주말|동안|까지|부터|예약|매[일주달월]"
    r"|다음\s*[주달]|[월화수목금토일]요일"
)
_A_DAY: Final = "\0"


class ForwardingWish(msgspec.Struct, frozen=True, kw_only=True):
    """What of it was said. ``number`` is in its normal form, ``""`` for none; ``is_number_refused``: what stands in its
    place is none. ``is_for_later``: a time is named that is not now, or one to end at."""

    number: str = ""
    is_number_refused: bool = False
    kind: DiversionKind | None = None
    is_off: bool = False
    is_for_later: bool = False


def forwarding_wish(text: str, today: date) -> ForwardingWish:
    """What ``text`` wishes; all of it ``False`` and empty where it is but a name."""
    try:
        number, is_refused = number_in(text), False
    except NumberError:
        number, is_refused = "", True
    together = "".join(text.split())
    kinds = [kind for kind, words in KINDS.items() if "".join(words.split()) in together]
    names_a_day = _A_DAY in with_days_as(text, _A_DAY) and read_date(text, today) != today
    return ForwardingWish(
        number=number,
        is_number_refused=is_refused,
        kind=kinds[0] if len(kinds) == 1 else None,
        is_off=_OFF.search(text) is not None,
        is_for_later=names_a_day or _AT_SOME_TIME.search(text) is not None,
    )
