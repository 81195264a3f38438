"""How much of a text was heard when it was broken off."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.calls.pace import speaking_time, split_at

TEXT = "안녕하세요, 무엇을 도와드릴까요?"


def test_it_breaks_between_words() -> None:
    assert split_at(TEXT, 0.0) == ("", TEXT)
    assert split_at(TEXT, speaking_time("안녕하세요,")) == ("안녕하세요,", "무엇을 도와드릴까요?")
    assert split_at(TEXT, speaking_time("안녕하세요, 무엇")) == ("안녕하세요,", "무엇을 도와드릴까요?")
    assert split_at(TEXT, speaking_time(TEXT)) == (TEXT, "")


@given(st.text(alphabet="가나 다.", max_size=40), st.floats(0, 10), st.floats(0, 10))
def test_nothing_is_lost_and_more_time_is_more_heard(text: str, one: float, other: float) -> None:
    heard, rest = split_at(text, one)
    assert "".join((heard + rest).split()) == "".join(text.split())
    longer, _ = split_at(text, max(one, other))
    assert longer.startswith(heard)
