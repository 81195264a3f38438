"""Which terms a word may mean that is not written like them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.directory.vocabulary import Vocabulary

TERMS = ("휴가", "휴가비", "여름휴가", "홍길동", "홍길순", "남궁길동", "비밀번호", "password")
words = st.text("가각나ab", min_size=1, max_size=5)


@pytest.fixture
def vocabulary() -> Vocabulary:
    return vocabulary_of(*TERMS)


def vocabulary_of(*terms: str) -> Vocabulary:
    made = Vocabulary()
    for term in terms:
        made.add(term, "1", 1.0)
    return made


def best_first(found: Iterable[tuple[str, float]]) -> list[str]:
    return [term for term, _ in sorted(found, key=lambda one: -one[1])]


def test_a_beginning_is_better_than_another_part(vocabulary: Vocabulary) -> None:
    assert best_first(vocabulary.with_part("휴가")) == ["휴가비", "여름휴가"]
    assert best_first(vocabulary.with_part("길동")) == ["홍길동", "남궁길동"]
    assert best_first(vocabulary.with_part("휴지")) == []


def test_consonants_stand_for_syllables_alone_or_mixed(vocabulary: Vocabulary) -> None:
    assert best_first(vocabulary.with_initials("ㅎㄱㄷ")) == ["홍길동"]
    assert best_first(vocabulary.with_initials("홍길ㅅ")) == ["홍길순"]
    assert set(best_first(vocabulary.with_initials("ㄱㄷ"))) == {"홍길동", "남궁길동"}
    assert best_first(vocabulary.with_initials("ㅎㄱ"))[0] == "휴가"
    assert best_first(vocabulary.with_initials("한ㄱㄷ")) == []
    # ㄱㅅ as one letter, as some keyboards draw it.
    assert best_first(vocabulary_of("감사").with_initials("ㄳ")) == ["감사"]


def test_slips_are_allowed_by_length(vocabulary: Vocabulary) -> None:
    assert best_first(vocabulary.like("홍긹동")) == ["홍길동"]
    assert best_first(vocabulary.like("passwrod")) == ["password"]
    assert best_first(vocabulary.like("비밀번허")) == ["비밀번호"]
    assert best_first(vocabulary.like("휴지통")) == []
    assert best_first(vocabulary_of("1234567").like("1234568")) == []
    [(_, once)] = vocabulary.like("passwrod")
    [(_, twice)] = vocabulary.like("pasowrd")
    assert 0 < twice < once < 1


def test_a_slip_is_found_among_many_longer_terms_that_begin_alike() -> None:
    many = [f"자동차보험해지{number:03}" for number in range(100)]
    assert best_first(vocabulary_of("자동차보험", *many).like("자동차보혐")) == ["자동차보험"]


def test_a_term_lives_as_long_as_an_entry_has_it(vocabulary: Vocabulary) -> None:
    vocabulary.add("홍길동", "2", 0.6)
    assert vocabulary.entries_of("홍길동") == {"1": 1.0, "2": 0.6}
    vocabulary.remove("홍길동", "1")
    assert best_first(vocabulary.with_initials("ㅎㄱㄷ")) == ["홍길동"]
    vocabulary.remove("홍길동", "2")
    assert vocabulary.entries_of("홍길동") == {}
    for found in (vocabulary.with_initials("ㅎㄱㄷ"), vocabulary.with_part("길동"), vocabulary.like("홍길둥")):
        assert "홍길동" not in dict(found)


@given(st.sets(words), words)
def test_parts_are_those_that_a_look_at_every_term_finds(terms: set[str], part: str) -> None:
    found = dict(vocabulary_of(*terms).with_part(part))
    assert set(found) == {term for term in terms if len(part) > 1 and part in term and part != term}
    assert all(0 < credit < 1 for credit in found.values())
