"""A number from 0 to 10 as callers say it in Korean: a mark on a scale (``사 점``, ``다섯이요``, ``10점``)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_NUMBERS: Final = {
    **{str(number): number for number in range(11)},
    **{word: number for number, word in enumerate("영일이삼사오육칠팔구십")},
    **{"공": 0, "빵": 0, "제로": 0, "하나": 1, "한": 1, "둘": 2, "두": 2, "셋": 3, "세": 3, "넷": 4},
    **{"다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "여덜": 8, "아홉": 9, "열": 10},
}
_NUMBER: Final = "|".join(sorted(_NUMBERS, key=len, reverse=True))
_MARK: Final = re.compile(rf"(?<![\w.])({_NUMBER}|네)(?=점|번)")
_ALONE: Final = re.compile(
    rf"(?:음|어|저는|그냥|한)?({_NUMBER})(?:정도|쯤)?(?:이?요|이?에요|예요|입니다|로요?|으로요?|으로할게요|로할게요|주세요)?"
)


def spoken_number(text: str) -> int | None:
    """The number that ``text`` says: one that has its 점 or 번, or is all that was said; ``None`` for none or several.

    What people put around it goes: ``음, 오 점이요`` is 5. ``네`` is 4 only as ``네 점``, since it means yes as well.
    """
    folded = unicodedata.normalize("NFKC", text)
    # Recognisers set blanks as they like: 오 점.
    joined = re.sub(r"\s+(?=점|번)", "", folded)
    marks = {4 if found == "네" else _NUMBERS[found] for found in _MARK.findall(joined)}
    if marks:
        return marks.pop() if len(marks) == 1 else None
    alone = _ALONE.fullmatch("".join(char for char in folded if char.isalnum()))
    return _NUMBERS[alone[1]] if alone is not None else None
