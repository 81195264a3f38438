"""Hangul taken apart and put together, for every syllable there is and for any text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import hangul

EVERY_SYLLABLE = "".join(chr(code) for code in range(0xAC00, 0xD7A4))

korean = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3))
letters = st.text(st.sampled_from([*hangul.INITIALS, *hangul.VOWELS, *filter(None, hangul.FINALS)]))
mixed = st.lists(st.one_of(korean, letters, st.text(max_size=4), st.just(" "))).map("".join)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("홍길동", "ㅎㅗㅇㄱㅣㄹㄷㅗㅇ"),
        ("과일", "ㄱㅗㅏㅇㅣㄹ"),
        ("값", "ㄱㅏㅂㅅ"),
        ("까치", "ㄲㅏㅊㅣ"),
        ("it팀", "itㅌㅣㅁ"),
    ],
)
def test_syllables_are_their_keys_and_back(text: str, keys: str) -> None:
    assert hangul.jamo(text) == keys
    assert hangul.syllables(keys) == text


def test_every_syllable_there_is_comes_back_from_its_keys() -> None:
    for syllable in EVERY_SYLLABLE:
        keys = hangul.jamo(syllable)
        assert 2 <= len(keys) <= 5
        assert hangul.syllables(keys) == syllable
    assert hangul.syllables(hangul.jamo(EVERY_SYLLABLE)) == EVERY_SYLLABLE


@given(korean)
def test_text_of_whole_syllables_comes_back_from_its_keys(text: str) -> None:
    assert hangul.syllables(hangul.jamo(text)) == text


@given(mixed)
def test_typing_loses_and_adds_no_key(text: str) -> None:
    keys = hangul.jamo(hangul.normal(text))
    assert hangul.jamo(hangul.syllables(keys)) == keys


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("ㅋㅋ", "ㅋㅋ"),
        ("ㄱㅅ", "ㄱㅅ"),
        ("ㅏㄱㅏ", "ㅏ가"),
        ("ㄱㅏㅇㅏㅈㅣ", "가아지"),
        ("ㄷㅏㄹㄱㅣ", "달기"),
        ("ㄱㅏㅏ", "가ㅏ"),
    ],
)
def test_keys_that_make_no_syllable_stay(keys: str, text: str) -> None:
    assert hangul.syllables(keys) == text


@pytest.mark.parametrize(
    ("text", "consonants"),
    [("홍길동", "ㅎㄱㄷ"), ("IT지원팀", "itㅈㅇㅌ"), ("ㄳ", "ㄱㅅ"), ("까치 떡", "ㄲㅊ ㄸ"), ("", "")],
)
def test_initial_consonants(text: str, consonants: str) -> None:
    assert hangul.initials(hangul.normal(text)) == consonants


@given(korean)
def test_each_syllable_has_one_initial(text: str) -> None:
    found = hangul.initials(text)
    assert len(found) == len(text)
    assert set(found) <= set(hangul.INITIALS)
    assert hangul.is_initials(found) == bool(text)


def test_what_is_initials() -> None:
    assert hangul.is_initials("ㅎㄱㄷ")
    assert not hangul.is_initials("홍ㄱㄷ")
    assert not hangul.is_initials("ㅏ")
    assert not hangul.is_initials("")
    assert hangul.has_consonants("홍ㄱㄷ")
    assert not hangul.has_consonants("홍길동 ㅏ")


@pytest.mark.parametrize(
    ("spelling", "text"),
    [
        (unicodedata.normalize("NFD", "홍길동"), "홍길동"),
        ("\u1112\u1100\u1103", "ㅎㄱㄷ"),
        ("ㅎㅏ", "ㅎㅏ"),
        ("\uffbe\uffa1\uffa7", "ㅎㄱㄷ"),
        ("ＷｉＦｉ １２", "wifi 12"),
        ("홍\u200b길\u00ad동", "홍길동"),
        ("㈜예시", "(주)예시"),
        ("Straße", "strasse"),
    ],
)
def test_two_spellings_are_one(spelling: str, text: str) -> None:
    assert hangul.normal(spelling) == text


@given(mixed)
def test_the_normal_form_is_one(text: str) -> None:
    normal = hangul.normal(text)
    assert hangul.normal(normal) == normal


@given(korean)
def test_whole_syllables_are_normal_however_they_came(text: str) -> None:
    assert hangul.normal(unicodedata.normalize("NFD", text)) == hangul.normal(text) == text


def test_grams_are_pairs_then_single_characters_of_each_word() -> None:
    assert hangul.grams("해지 방어") == ["해지", "해", "지", "방어", "방", "어"]
    assert hangul.grams("네, OK!") == ["네", "ok", "o", "k"]
    assert hangul.grams_within("해지방어") == ["해지", "지방", "방어"]
    assert hangul.grams_within("네 불만") == ["네", "불만"]
    assert hangul.grams_within(" .,_ ") == []


@given(st.text("가나다라ab1", min_size=1, max_size=12), st.data())
def test_any_part_of_a_word_is_found_by_its_grams(word: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(word) - 1))
    end = data.draw(st.integers(start + 1, len(word)))
    held = " ".join(hangul.grams(f"앞 {word} 뒤"))
    assert f" {' '.join(hangul.grams_within(word[start:end]))} " in f" {held} "


@given(mixed)
def test_words_have_neither_blanks_nor_signs(text: str) -> None:
    for word in hangul.words(text):
        assert word
        assert "_" not in word
        assert hangul.words(word) == [word]
