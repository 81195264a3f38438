"""Days as people write them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.korean_dates import read_date, with_days_as, written_date

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
        ("이달 25일", date(2026, 12, 25)),
        ("이번 달 금요일, 25일", date(2026, 12, 25)),
        ("이번 금요일", date(2026, 12, 11)),
        ("다음 달 3일", date(2027, 1, 3)),
        ("다음달에 3일로", date(2027, 1, 3)),
        ("다다음달 28일", date(2027, 2, 28)),
        ("지난달 3일", date(2026, 11, 3)),
        ("내년 12월 24일", date(2027, 12, 24)),
        ("작년 12/24", date(2025, 12, 24)),
        ("올해 1월 5일", date(2026, 1, 5)),
        ("지난주 금요일", date(2026, 12, 4)),
        ("저번 주 금요일", date(2026, 12, 4)),
        ("차주 월욜", date(2026, 12, 14)),
        ("금주 금요일", date(2026, 12, 11)),
        ("내일 모레", date(2026, 12, 11)),
        ("어제", date(2026, 12, 8)),
        ("그저께", date(2026, 12, 7)),
        ("3일 뒤", date(2026, 12, 12)),
        ("3일 후에요", date(2026, 12, 12)),
        ("2주 뒤", date(2026, 12, 23)),
        ("2주일 뒤 수요일", date(2026, 12, 23)),
        ("3일 전", date(2026, 12, 6)),
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
        "지난 금요일",
        "다음 금요일",
        "다음 달 금요일",
        "일주일 뒤 월요일",
        "2주 뒤 금요일",
        "두 달 뒤 3일",
        "다음 달 31일에서 3일 뒤",
        "내년 금요일",
        "매월 3일",
        "24일 이후",
        "내일 말고",
        "올해 2월 29일",
        "이번 달 0일",
    ],
)
def test_what_is_no_day_or_not_one(text: str) -> None:
    assert read_date(text, TODAY) is None


@given(
    st.dates(date(2, 1, 1), date(9990, 1, 1)),
    st.text(alphabet="0123456789./-년월일달 이번다음주지난금요내작모레오늘낼글피간전뒤", max_size=24),
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


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("어제 통화", "X 통화"),
        ("12월 3일 통화 보여줘", "X 통화 보여줘"),
        ("１２/３ Call", "X call"),
        ("010-1234-5678", "010-1234-5678"),
        ("", ""),
    ],
)
def test_days_in_a_text_are_replaced(text: str, without: str) -> None:
    assert with_days_as(text, "X") == without
