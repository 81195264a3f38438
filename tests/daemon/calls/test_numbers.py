"""Masked numbers: recognisable to who knows them, useless to who does not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.calls.numbers import EXTENSION, NumberError, mask_number, mask_numbers_in, normal_number, spellings


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


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("010-1234-5678", "01012345678"),
        (" 010 1234 5678\u00a0", "01012345678"),
        ("010.1234.5678", "01012345678"),
        ("+82 10-1234-5678", "01012345678"),
        ("+82 (0)10 1234 5678", "01012345678"),
        ("821012345678", "01012345678"),
        ("00821012345678", "01012345678"),
        ("+8221234567", "021234567"),
        ("+82 00 82 12345678", "08212345678"),
        ("0212345678", "0212345678"),
        ("８２１０１２３４５６７８", "01012345678"),
        ("+1 (202) 555-0123", "+12025550123"),
        ("1588-0000", "15880000"),
        ("8212-3456", "82123456"),
        ("1010", "1010"),
    ],
)
def test_spellings_of_one_number_have_one_normal_form(written: str, normal: str) -> None:
    assert normal_number(written) == normal


@pytest.mark.parametrize("text", ["", "1", "anonymous", "010-abcd-5678", "1.01235E+09", "++8210", "1" * 21, "٠١٠١"])
def test_what_is_no_number_has_no_normal_form(text: str) -> None:
    with pytest.raises(NumberError) as raised:
        normal_number(text)
    assert not text or text not in str(raised.value)


@given(st.text("0123456789+- ()", max_size=24))
def test_a_normal_form_is_its_own(text: str) -> None:
    try:
        normal = normal_number(text)
    except NumberError:
        return
    assert normal_number(normal) == normal


@given(st.from_regex(r"0[1-9][0-9]{7,9}", fullmatch=True))
def test_every_spelling_has_the_same_normal_form(number: str) -> None:
    assert {normal_number(one) for one in spellings(number)} == {number}


@pytest.mark.parametrize(
    "extension", ["1001", "*88", "#2", "+821012345678", "alice", "desk4", "a1b2", "1001_shop", "1.web"]
)
def test_an_extension_is_a_number_or_a_name(extension: str) -> None:
    assert re.fullmatch(EXTENSION, extension)


@pytest.mark.parametrize(
    "extension", ["", "11a4", "1001a", "shop_11a4", "*8o8", "-1", "10 01", "1001\n", "1001@shop", "1" * 65]
)
def test_a_slip_in_a_number_is_no_extension_nor_is_what_a_switch_reads_more_into(extension: str) -> None:
    assert not re.fullmatch(EXTENSION, extension)
