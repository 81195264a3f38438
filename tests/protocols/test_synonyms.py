"""Files of synonyms, right and wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.hangul import words
from protocols.synonyms import SynonymsError, read_synonyms


def test_a_line_of_commas_makes_each_mean_all() -> None:
    read = read_synonyms("# 낱말\n\n비번, 비밀번호,Pass Word\n".encode())
    everything = {("비번",), ("비밀번호",), ("pass", "word")}
    assert read == dict.fromkeys(everything, everything)


def test_an_arrow_replaces_what_stands_left() -> None:
    read = read_synonyms("와파, 와퐈 => 와이파이, 무선 인터넷\r\n연차=>휴가".encode())
    assert read == {
        ("와파",): {("와이파이",), ("무선", "인터넷")},
        ("와퐈",): {("와이파이",), ("무선", "인터넷")},
        ("연차",): {("휴가",)},
    }


def test_lines_of_the_same_words_add_up() -> None:
    read = read_synonyms("\ufeff가, 나\n가 => 다\n".encode())
    assert read == {("가",): {("가",), ("나",), ("다",)}, ("나",): {("가",), ("나",)}}


def test_marks_may_be_meant() -> None:
    assert read_synonyms(rb"a\,b, c\=>d").keys() == {("a", "b"), ("c", "d")}
    assert read_synonyms(rb"a\\, b").keys() == {("a",), ("b",)}


def test_every_wrong_line_is_said_with_its_number() -> None:
    with pytest.raises(SynonymsError, match="4 mistakes") as caught:
        read_synonyms("가, 나\n가 => 나 => 다\n# 주석\n가,, 나\n=> 나\n\n가, !!\n".encode())
    assert [mistake.partition(":")[0] for mistake in caught.value.mistakes] == ["line 2", "line 4", "line 5", "line 7"]
    assert "two arrows" in caught.value.mistakes[0]
    assert "no letter" in caught.value.mistakes[3]


def test_text_in_another_code_is_said_with_its_line() -> None:
    with pytest.raises(SynonymsError) as caught:
        read_synonyms(b"a, b\n" + "비번, 비밀번호".encode("cp949"))
    assert caught.value.mistakes == ["line 2: this is not UTF-8 text; save it as UTF-8"]


@given(st.one_of(st.binary(), st.text("ab가,=>\\ #\n").map(str.encode)))
def test_any_bytes_are_read_or_refused_with_lines(content: bytes) -> None:
    try:
        read = read_synonyms(content)
    except SynonymsError as error:
        refused = error.mistakes
        read = {}
    else:
        refused = []
    assert all(mistake.startswith("line ") for mistake in refused)
    assert not (read and refused)
    for side in [*read, *(meant for meanings in read.values() for meant in meanings)]:
        assert side
        assert words(" ".join(side)) == list(side)
