"""What an entry is found by, and what of a sentence counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.directory.analysis import DESCRIBED, FURTHER_NAMED, IN_TEAM, NAMED, asked_for, stems, terms_of
from daemon.directory.contract import LONGEST_QUERY, Entry


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("휴가를", ("휴가",)),
        ("팀장님께서", ("팀장님", "팀장")),
        ("신청하려고요", ("신청하려고", "신청")),
        ("이가은", ("이가",)),
        ("회의", ()),
        ("vpn은", ("vpn",)),
        ("services", ()),
    ],
)
def test_endings_go(word: str, found: tuple[str, ...]) -> None:
    assert stems(word) == found


def test_an_entry_is_found_by_all_its_text_and_best_by_its_names() -> None:
    terms = terms_of(
        Entry(
            entry_id="1",
            kind="service",
            name="휴가 신청",
            description="휴가와 연차를 냅니다",
            keywords=("Annual leave",),
            code="HR-01",
            number="7101",
            team="인사팀",
        )
    )
    assert terms.words["휴가"] == terms.words["7101"] == NAMED
    assert terms.words["annual"] == FURTHER_NAMED
    assert terms.words["인사팀"] == IN_TEAM
    assert terms.words["연차를"] == terms.words["연차"] == DESCRIBED
    assert terms.wholes == {"휴가신청": NAMED, "hr01": NAMED, "7101": NAMED, "annualleave": FURTHER_NAMED}
    assert [name.whole for name in terms.names] == ["휴가신청", "hr01", "7101", "annualleave"]


def test_polite_words_and_endings_weigh_little() -> None:
    asked = asked_for("저기요, 휴가를 내고 싶은데요!")
    assert asked.text == "저기요휴가를내고싶은데요"
    assert [(word.text, word.is_light) for word in asked.words] == [
        ("저기요", True),
        ("휴가를", False),
        ("내고", False),
        ("싶은데요", True),
    ]
    leave = asked.words[1]
    assert leave.weight_at(leave.start) == 1.0
    assert leave.weight_at(leave.end - 1) < asked.words[0].weight_at(0) < 0.2


@given(st.text(max_size=3 * LONGEST_QUERY))
def test_words_stand_in_the_text_where_they_say(text: str) -> None:
    asked = asked_for(text)
    assert len(asked.text) <= LONGEST_QUERY
    assert "".join(word.text for word in asked.words) == asked.text
    for word in asked.words:
        assert asked.text[word.start : word.end] == word.text
        assert word.start < word.stem_end <= word.end
        assert all(word.text.startswith(stem) for stem in word.stems)
