"""Days as people write them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.korean_dates import read_date, written_date

TODAY = date(2026, 12, 9)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("12/24", date(2026, 12, 24)),
        ("12.24", date(2026, 12, 24)),
        ("12-24", date(2026, 12, 24)),
        ("1224", date(2026, 12, 24)),
        ("12월 24일", date(2026, 12, 24)),
        ("12월24일로 할게요", date(2026, 12, 24)),
        ("１２월 ２４일", date(2026, 12, 24)),
        ("24일이요", date(2026, 12, 24)),
        ("24", date(2026, 12, 24)),
        ("2026-12-24", date(2026, 12, 24)),
        ("2026. 12. 24.", date(2026, 12, 24)),
        ("2026년 12월 24일", date(2026, 12, 24)),
        ("26/12/24", date(2026, 12, 24)),
        ("20261224", date(2026, 12, 24)),
        ("12월 24일 목요일", date(2026, 12, 24)),
        ("12월 24일(목)", date(2026, 12, 24)),
        ("오늘", TODAY),
        ("내일로 바꿔 주세요", date(2026, 12, 10)),
        ("낼", date(2026, 12, 10)),
        ("모레요", date(2026, 12, 11)),
        ("내일모레", date(2026, 12, 11)),
        ("글피", date(2026, 12, 12)),
        ("tomorrow please", date(2026, 12, 10)),
        ("수요일", TODAY),
        ("금요일", date(2026, 12, 11)),
        ("화요일", date(2026, 12, 15)),
        ("이번 주 월요일", date(2026, 12, 7)),
        ("다음주 금요일", date(2026, 12, 18)),
        ("다다음 주 월요일", date(2026, 12, 21)),
        ("1/5", date(2027, 1, 5)),
        ("7/1", date(2026, 7, 1)),
        ("5/1", date(2027, 5, 1)),
        ("3일", date(2026, 12, 3)),
    ],
)
def test_what_is_understood(text: str, day: date) -> None:
    assert read_date(text, TODAY) == day


@pytest.mark.parametrize(
    "text",
    [
        "",
        "언제든지",
        "12/32",
        "13월 1일",
        "2/30",
        "2026-13-01",
        "24일 아니면 25일",
        "내일이나 모레",
        "12월 24일 금요일",
        "3일 동안",
        "12:24",
        "010-1234-5678",
        "1/2/3/4",
        "99",
        "월요일 화요일",
    ],
)
def test_what_is_no_day_or_not_one(text: str) -> None:
    assert read_date(text, TODAY) is None


@given(
    st.dates(date(2, 1, 1), date(9990, 1, 1)),
    st.text(alphabet="0123456789./-년월일 이번다음주금요내모레오늘낼글피간전", max_size=24),
)
def test_any_text_is_a_day_or_none(today: date, text: str) -> None:
    assert isinstance(read_date(text, today), date | None)


@given(st.dates(date(2001, 1, 1), date(2098, 1, 1)), st.integers(-100, 300))
def test_a_day_is_read_as_it_is_written(today: date, days: int) -> None:
    day = today + timedelta(days)
    assert read_date(written_date(day, today), today) == day
    assert read_date(day.isoformat(), today) == day


def test_how_it_is_written() -> None:
    assert written_date(date(2026, 12, 24), TODAY) == "12월 24일(목)"
    assert written_date(date(2027, 1, 5), TODAY) == "2027년 1월 5일(화)"
