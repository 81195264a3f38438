"""Months and days as people write them in Korean."""

from __future__ import annotations

import calendar
from datetime import date
from typing import Final

_WEEKDAYS: Final = "월화수목금토일"


def days_of_month(day: date) -> tuple[date, date]:
    """The first and the last day of the month that ``day`` is in."""
    return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])


def written(day: date) -> str:
    """``12월 3일(목)``."""
    return f"{day.month}월 {day.day}일({_WEEKDAYS[day.weekday()]})"
