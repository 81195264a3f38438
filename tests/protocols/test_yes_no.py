"""Yes and no, as callers say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.yes_no import after_no, yes_or_no


@pytest.mark.parametrize(
    "text",
    [
        "네",
        "예",
        "네네",
        "네, 맞아요",
        "예 그렇습니다",
        "맞습니다",
        "응",
        "그래요",
        "좋아요",
        "네 그거요",
        "Yes.",
        "어 맞아",
        "OK",
    ],
)
def test_yes(text: str) -> None:
    assert yes_or_no(text) is True


@pytest.mark.parametrize(
    "text",
    [
        *(
            "아니요",
            "아뇨",
            "아니오",
            "네 아닙니다",
            "아니에요",
            "싫어요",
            "틀렸어요",
            "안 맞아요",
            "맞지 않아요",
            "그거 말고요",
        ),
        *("없었어요", "No", "어 아니"),
    ],
)
def test_no(text: str) -> None:
    assert yes_or_no(text) is False


@pytest.mark.parametrize("text", ["", "인사팀이요", "아니 맞아요", "음", "어", "네이버요", "노트북이요", "안녕하세요"])
def test_neither(text: str) -> None:
    assert yes_or_no(text) is None


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("아니요, 인사팀이요", "인사팀이요"),
        ("네 아니 총무팀", "총무팀"),
        ("아니요", ""),
        ("인사팀이요", ""),
        ("no, sales", "sales"),
    ],
)
def test_what_follows_a_no(text: str, rest: str) -> None:
    assert after_no(text) == rest


@given(st.text())
def test_any_text_will_do(text: str) -> None:
    assert yes_or_no(text) in (True, False, None)
    assert after_no(text) in text
