"""Masked numbers: recognisable to who knows them, useless to who does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.calls.numbers import mask_number, mask_numbers_in


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("01012345678", "010****5678"),
        ("010-1234-5678", "010****5678"),
        ("+821012345678", "821****5678"),
        ("0212345678", "021****678"),
        ("021234567", "021****67"),
        ("15880000", "15****00"),
        ("1234567", "****67"),
        ("2044", "****44"),
        ("11", "****"),
        ("", ""),
        ("anonymous", "a****"),
        ("kim01012345678", "k****"),
    ],
)
def test_known_shapes(number: str, masked: str) -> None:
    assert mask_number(number) == masked


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_a_mask_shows_at_most_seven_of_its_digits(number: str) -> None:
    assert sum(character.isdigit() for character in mask_number(number)) <= 7
    assert "****" in mask_number(number)


@given(st.text("0123456789", min_size=8, max_size=20))
def test_at_least_four_digits_of_a_number_are_hidden(number: str) -> None:
    assert sum(character.isdigit() for character in mask_number(number)) <= len(number) - 4


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("고객 010-1234-5678 님", "고객 010****5678 님"),
        ("010 1234 5678", "010****5678"),
        ("010.1234.5678", "010****5678"),
        ("010–1234–5678", "010****5678"),
        ("010/1234/5678", "010****5678"),
        ("010\u00a01234\u00a05678", "010****5678"),
        ("(010) 1234-5678", "010****5678"),
        ("+82 10 1234 5678", "821****5678"),
        ("+82 (0)10-1234-5678", "820****5678"),
        ("０１０１２３４５６７８", "０１０****５６７８"),
        ("０１０－１２３４－５６７８", "０１０****５６７８"),
        ("홍길동(01012345678)", "홍길동010****5678)"),
        ("02-123-4567", "021****67"),
        ("홍길동", "홍길동"),
        ("2팀 1004호", "2팀 1004호"),
        ("", ""),
    ],
)
def test_a_name_that_holds_a_number_shows_it_masked(name: str, masked: str) -> None:
    assert mask_numbers_in(name) == masked


@given(
    st.text("0123456789", min_size=7, max_size=15),
    st.sampled_from(["", "-", " ", ".", "/", "–", ") ", " - ", "\u00a0", "\u2009"]),
    st.text(max_size=5).filter(lambda text: not any(character.isdigit() for character in text)),
)
def test_no_way_of_writing_a_number_gets_through(digits: str, between: str, around: str) -> None:
    groups = [digits[:3], digits[3:5], digits[5:]]
    shown = mask_numbers_in(f"{around}{between.join(groups)}{around}")
    assert sum(character.isdigit() for character in shown) <= max(2, len(digits) - 4)
