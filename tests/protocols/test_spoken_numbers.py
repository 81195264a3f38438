"""Marks on a scale, as callers say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.spoken_numbers import spoken_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("5", 5), ("5점", 5), ("오 점이요", 5), ("오점", 5), ("음, 다섯이요", 5), ("저는 십 점 드릴게요", 10)),
        *(
            ("10점", 10),
            ("열", 10),
            ("이요", 2),
            ("2번이요", 2),
            ("네 점이요", 4),
            ("사", 4),
            ("영점", 0),
            ("일곱 정도요", 7),
        ),
        *(("４점", 4), ("한 점", 1), ("제로", 0), ("친절해서 5점", 5)),
    ],
)
def test_numbers(text: str, number: int) -> None:
    assert spoken_number(text) == number


@pytest.mark.parametrize(
    "text", ["", "네", "삼 점 아니 사 점", "좋아요", "이거요", "11점", "십오 점", "1.5점", "일하시는 분", "백 점", "12"]
)
def test_no_number(text: str) -> None:
    assert spoken_number(text) is None


@given(st.text())
def test_any_text_will_do(text: str) -> None:
    number = spoken_number(text)
    assert number is None or 0 <= number <= 10
