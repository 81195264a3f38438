"""A day as people write it in Korean, and as they read it: ``12월 24일``, ``12/24``, ``24일``, ``내일``, ``금요일``."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from typing import Final

_WEEKDAYS: Final = "월화수목금토일"
_FROM_TODAY: Final = {"오늘": 0, "today": 0, "내일": 1, "낼": 1, "tomorrow": 1, "모레": 2, "내일모레": 2, "글피": 3}
_WEEKS: Final = {"이번": 0, "다음": 1, "담": 1, "다다음": 2}
_LONG_PAST: Final = 183
"""A month and day that are further back than so many days are those of the next year."""

_BETWEEN: Final = r"\s*[-./]\s*"
_DAY: Final = re.compile(
    rf"""
    (?<![\d:./-])(?:
        (?P<year>\d{{4}}|\d{{2}}) (?:{_BETWEEN}|\s*년\s*) (?P<month>\d{{1,2}}) (?:{_BETWEEN}|\s*월\s*)
            (?P<day>\d{{1,2}}) (?:\s*일)?
        | (?P<month2>\d{{1,2}}) (?:{_BETWEEN}|\s*월\s*) (?P<day2>\d{{1,2}}) (?:\s*일)?
        | (?P<day3>\d{{1,2}}) \s* 일 (?!\s*[전후간동])
        | (?P<compact>20\d{{6}})
    )(?![\d:/-])
    | (?:(?P<week>이번|다다음|다음|담) \s* 주 \s*)? (?P<weekday>[{_WEEKDAYS}])요일
    | (?P<word>내일모레|오늘|내일|모레|글피|낼(?![가-힣]) | \b(?:today|tomorrow)\b)
    """,
    re.VERBOSE,
)
_DIGITS: Final = re.compile(r"(\d{1,2})|(\d{2})(\d{2})")


def read_date(text: str, today: date) -> date | None:
    """The one day that ``text`` names, whatever else stands there; ``None`` for none, several, or one there is not.

    Without a year it is the nearest that is not long past, without a month one of this month, without a week the next
    one that comes, today included. A weekday beside a date must be that date's.
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
    if not days and len(weekdays) == 1:
        return today + timedelta((weekdays.pop() - today.weekday()) % 7)
    day = days.pop() if len(days) == 1 else None
    return day if day is not None and weekdays <= {day.weekday()} else None


def written_date(day: date, today: date) -> str:
    """``day`` for people to read, ``12월 24일(목)``; with its year where that is another than today's."""
    year = f"{day.year}년 " if day.year != today.year else ""
    return f"{year}{day.month}월 {day.day}일({_WEEKDAYS[day.weekday()]})"


def _day(found: re.Match[str], today: date) -> date | None:
    if found["word"]:
        return today + timedelta(_FROM_TODAY[found["word"]])
    if found["weekday"]:
        monday = today - timedelta(today.weekday())
        return monday + timedelta(7 * _WEEKS[found["week"]] + _WEEKDAYS.index(found["weekday"]))
    if found["compact"]:
        digits = found["compact"]
        return _date(digits[:4], digits[4:6], digits[6:])
    if found["year"]:
        year = found["year"] if len(found["year"]) == 4 else f"20{found['year']}"
        return _date(year, found["month"], found["day"])
    if found["month2"]:
        return _in_year(today, found["month2"], found["day2"])
    return _in_month(today, found["day3"])


def _in_month(today: date, day: str) -> date | None:
    return _date(str(today.year), str(today.month), day)


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
