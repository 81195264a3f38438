"""Phone numbers as people answer with them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.calls.numbers import NumberError, normal_number
from daemon.chatbot.services.answered_numbers import answered_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("010-1234-5678", "01012345678"),
        ("+82 (0)10-1234-5678", "01012345678"),
        ("0212345678)", "0212345678"),
        ("2001", "2001"),
        ("2001번", "2001"),
        ("2001번이요", "2001"),
        ("01012345678요.", "01012345678"),
        ("010 1234 5678 번호로", "01012345678"),
        ("０１０－１２３４－５６７８로요", "01012345678"),
        ("01012345678로 돌려 주세요!", "01012345678"),
        ("2001번으로 전화 걸어줘", "2001"),
        ("011-123-4567", "0111234567"),
        ("1224", "1224"),
        ("02-2026-1224", "0220261224"),
        ("031.123.4567", "0311234567"),
        ("+1 202 555 0147", "+12025550147"),
        ("1588-1234", "15881234"),
    ],
)
def test_what_is_a_number(text: str, number: str) -> None:
    assert answered_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "집으로", "2001 말고", "2001이 아니라 2002로", "내선 2001", "홍길동2", "7", "번으로", "1번", "2001 extra"],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(NumberError):
        answered_number(text)


@pytest.mark.parametrize(
    "text",
    [
        *("010-12", "010", "0101234567", "010-1234-56789", "010-1234-567로 돌려줘", "+82 10 1234 567", "01612345"),
        *("12/24", "12-24", "12.24", "2026-12-24", "26/12/24", "12/24로", "+82 10"),
    ],
)
def test_what_nobody_has(text: str) -> None:
    with pytest.raises(NumberError):
        answered_number(text)


@given(st.text("0123456789+-() 번으로이요전화해줘집", max_size=30))
def test_any_text_is_a_number_or_none_and_a_plain_one_is_itself(text: str) -> None:
    with suppress(NumberError):
        number = answered_number(text)
        assert normal_number(number) == number
    with suppress(NumberError):
        assert normal_number(text) == answered_number(text)
