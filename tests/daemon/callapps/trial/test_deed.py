"""What apps do, as it is written and compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.callapps.trial.deed import ALONE, Deed, Kind, deed_of, fits, may_begin

WORDS = st.text(alphabet="가나 a.?…(", min_size=1, max_size=12).filter(lambda text: text.strip() == text)


@given(st.sampled_from(Kind), WORDS)
def test_what_is_written_is_read_again(kind: Kind, what: str) -> None:
    deed = Deed(kind, "" if kind in ALONE else what)
    if kind is not Kind.SAYS or not (what.startswith("(") and what.endswith(")")):
        assert deed_of(str(deed)) == deed


@pytest.mark.parametrize("text", ["(dances)", "(hangs up now)", "(transfers to)", "(says hello)", "()"])
def test_what_no_app_can_do(text: str) -> None:
    with pytest.raises(ValueError, match=r"\("):
        deed_of(text)


def test_words_of_a_file_are_what_it_says() -> None:
    assert str(Deed(Kind.PLAYS, "/srv/a.wav", "어서 오세요")) == "어서 오세요"


@pytest.mark.parametrize(
    ("expected", "got", "fit", "begin"),
    [
        ("어서  오세요", "어서 오세요", True, False),
        ("어서 오세요. 반갑습니다.", "어서 오세요.", False, True),
        ("어서 오세요", "어서", False, True),
        ("어서 오세요", "어", False, False),
        ("어서 오세요", "어서 가세요", False, False),
        ("합계 … 원입니다", "합계 3,000 원입니다", True, True),
        ("합계 … 원입니다", "합계 원입니다", True, True),
        ("합계 … 원입니다", "합계", False, True),
        ("합계 … 원입니다", "합계 3,000", False, True),
        ("…", "", True, True),
        ("a.c", "abc", False, False),
    ],
)
def test_words_that_fit(expected: str, got: str, fit: bool, begin: bool) -> None:
    assert fits(expected, got) is fit
    assert may_begin(expected, got) is begin


@given(WORDS, WORDS)
def test_what_may_begin_leads_to_what_fits(head: str, tail: str) -> None:
    whole = f"{head} {tail}"
    assert fits(whole, whole)
    assert fits(whole, head) or may_begin(whole, head)
