"""A day as people write it in Korean, and as they read it: ``12월 24일``, ``12/24``, ``24일``, ``내일``, ``금요일``,
``다음 달 3일``, ``3일 뒤``."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from typing import Final

_WEEKDAYS: Final = "월화수목금토일"
_FROM_TODAY: Final = {
    **{"그저께": -2, "그제": -2, "어제": -1, "yesterday": -1},
    **{"오늘": 0, "today": 0, "내일": 1, "낼": 1, "tomorrow": 1, "모레": 2, "내일모레": 2, "글피": 3},
}
_AWAY: Final = {"지난": -1, "저번": -1, "이번": 0, "다음": 1, "담": 1, "다다음": 2}
_WEEKS: Final = {**{f"{word}주": weeks for word, weeks in _AWAY.items()}, "금주": 0, "차주": 1}
_MONTHS: Final = {**{f"{word}달": months for word, months in _AWAY.items()}, "이달": 0, "내달": 1, "익월": 1}
_YEARS: Final = {"작년": -1, "올해": 0, "금년": 0, "내년": 1}
_LONG_PAST: Final = 183
"""A month and day that are further back than so many days are those of the next year."""

_BETWEEN: Final = r"\s*[-./]\s*"
_RELATIVE: Final = r"(?:이번|다다음|다음|담|지난|저번)\s*"
_DAY: Final = re.compile(
    rf"""
    (?<![\d:./-])(?:
        (?P<year>\d{{4}}|\d{{2}}) (?:{_BETWEEN}|\s*년\s*) (?P<month>\d{{1,2}}) (?:{_BETWEEN}|\s*월\s*)
            (?P<day>\d{{1,2}}) (?:\s*일)?
        | (?:(?P<years>작년|올해|금년|내년) (?:에|의)? \s*)?
            (?P<month2>\d{{1,2}}) (?:{_BETWEEN}|\s*월\s*) (?P<day2>\d{{1,2}}) (?:\s*일)?
        | (?P<count>\d{{1,2}}) \s* (?P<unit>일|주일?) \s* (?P<way>뒤|후|있다가|전)
        | (?:(?P<months>{_RELATIVE}달|이달|내달|익월) (?:에|의)? \s*)? (?P<day3>\d{{1,2}}) \s* 일 (?!\s*[간동])
        | (?P<compact>20\d{{6}})
    )(?![\d:/-])
    | (?:(?P<week>{_RELATIVE}주|금주|차주) (?:에|의)? \s*)? (?P<weekday>[{_WEEKDAYS}])(?:요일|욜)
    | (?P<word>내일\s*모레|그저께|그제|어제|오늘|내일|모레|글피|낼(?![가-힣]) | \b(?:yesterday|today|tomorrow)\b)
    """,
    re.VERBOSE,
)
_READ: Final = "\0"
"""In the place of each day that was read."""
_ELSEWHERE: Final = re.compile(
    rf"""
    (?:다다음|다음|담|저번)\s*(?:주|달|해|{_READ}) | 지난 | 내달 | 익월 | [작내후]년 | 매[주달월년]
    | (?:\d|[한두세네일이삼]) \s* (?:주일?|달|개월|년) \s* (?:뒤|후|있다가|전)
    | (?:하루|이틀|사흘|나흘|닷새|열흘|보름) \s* (?:뒤|후|있다가|전)
    | 이후 | 이전 | 말고 | 아니[고라] | 아닌
    """,
    re.VERBOSE,
)
"""What makes another day of the one it stands beside, where it is no part of it."""
_DIGITS: Final = re.compile(r"(\d{1,2})|(\d{2})(\d{2})")


def read_date(text: str, today: date) -> date | None:
    """The one day that ``text`` names, whatever else stands there; ``None`` for none, several, or one there is not.

    Without a year it is the nearest that is not long past, without a month one of this month, without a week the next
    one that comes, today included. A weekday beside a date must be that date's. What says of a day that it is another
    (``24일 이후``, ``지난 금요일``) is not guessed at.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().strip()
    alone = _DIGITS.fullmatch(folded)
    if alone is not None:
        return _in_month(today, alone[1]) if alone[1] else _in_year(today, alone[2], alone[3])
    days: set[date | None] = set()
    weekdays: set[int] = set()
    for found in _DAY.finditer(folded):
        if found["weekday"] and not found["week"]:
            weekdays.add(_WEEKDAYS.index(found["weekday"]))
        else:
            days.add(_day(found, today))
    if _ELSEWHERE.search(_DAY.sub(_READ, folded)):
        return None
    if not days and len(weekdays) == 1:
        return today + timedelta((weekdays.pop() - today.weekday()) % 7)
    day = days.pop() if len(days) == 1 else None
    return day if day is not None and weekdays <= {day.weekday()} else None


def with_days_as(text: str, word: str) -> str:
    """``text``, in one letter case and width, with ``word`` in the place of each day that it names."""
    return _DAY.sub(word, unicodedata.normalize("NFKC", text).casefold())


def written_date(day: date, today: date) -> str:
    """``day`` for people to read, ``12월 24일(목)``; with its year where that is another than today's."""
    year = f"{day.year}년 " if day.year != today.year else ""
    return f"{year}{day.month}월 {day.day}일({_WEEKDAYS[day.weekday()]})"


def _day(found: re.Match[str], today: date) -> date | None:
    if found["word"]:
        return _later(today, _FROM_TODAY[_joined(found["word"])])
    if found["count"]:
        days = int(found["count"]) * (1 if found["unit"] == "일" else 7)
        return _later(today, -days if found["way"] == "전" else days)
    if found["weekday"]:
        days = 7 * _WEEKS[_joined(found["week"])] + _WEEKDAYS.index(found["weekday"])
        return _later(today, days - today.weekday())
    if found["compact"]:
        digits = found["compact"]
        return _date(digits[:4], digits[4:6], digits[6:])
    if found["year"]:
        year = found["year"] if len(found["year"]) == 4 else f"20{found['year']}"
        return _date(year, found["month"], found["day"])
    if found["years"]:
        return _date(str(today.year + _YEARS[found["years"]]), found["month2"], found["day2"])
    if found["month2"]:
        return _in_year(today, found["month2"], found["day2"])
    return _in_month(today, found["day3"], _MONTHS[_joined(found["months"])] if found["months"] else 0)


def _joined(words: str) -> str:
    return "".join(words.split())


def _later(today: date, days: int) -> date | None:
    try:
        return today + timedelta(days)
    except OverflowError:
        return None


def _in_month(today: date, day: str, later: int = 0) -> date | None:
    year, month = divmod(12 * today.year + today.month - 1 + later, 12)
    return _date(str(year), str(month + 1), day)


def _in_year(today: date, month: str, day: str) -> date | None:
    """This year's, where there is one that is not long past; else the next year's."""
    found = _date(str(today.year), month, day)
    if found is None or (today - found).days > _LONG_PAST:
        return _date(str(today.year + 1), month, day)
    return found


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
