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
        ("15880000", "158****0000"),
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


def test_a_name_that_holds_a_number_shows_it_masked() -> None:
    assert mask_numbers_in("고객 010-1234-5678 님") == "고객 010****5678 님"
    assert mask_numbers_in("홍길동") == "홍길동"
