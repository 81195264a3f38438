"""Phone numbers as people answer with them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.calls.numbers import NumberError, normal_number
from daemon.chatbot.services.answered_numbers import answered_number, number_in


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


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("착신전환 010-9999-8888로 걸어줘", "01099998888"),
        ("01099998888로 착신전환", "01099998888"),
        ("12월 24일에 1012로 돌려줘", "1012"),
        ("10시부터 18시까지 내선 1012", "1012"),
        ("1012번으로", "1012"),
        ("오후 10:30에 돌려줘", ""),
        ("12/24에 돌려줘", ""),
        ("30분 동안", ""),
        ("착신전환 20", ""),
        ("", ""),
    ],
)
def test_the_number_within_a_sentence(text: str, number: str) -> None:
    assert number_in(text) == number


@pytest.mark.parametrize("text", ["착신전환 010-12로", "010-1234-567로 걸어줘", "01012345678이나 01087654321로"])
def test_a_sentence_without_one_good_number(text: str) -> None:
    with pytest.raises(NumberError):
        number_in(text)


@given(st.text("0123456789+-() 번으로내선시월일./:집", max_size=40))
def test_whatever_a_sentence_names_is_a_number_or_none(text: str) -> None:
    with suppress(NumberError):
        number = number_in(text)
        assert number == "" or answered_number(number) == number


@given(st.text("0123456789+-() 번으로이요전화해줘집", max_size=30))
def test_any_text_is_a_number_or_none_and_a_plain_one_is_itself(text: str) -> None:
    with suppress(NumberError):
        number = answered_number(text)
        assert normal_number(number) == number
    with suppress(NumberError):
        assert normal_number(text) == answered_number(text)
