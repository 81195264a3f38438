"""A recogniser that stops or starts again: what it had begun is withdrawn, and what it says stands in its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.calls.events import AppSpoke, RecogniserFailed, RecogniserStarted, RecogniserStopped, SpeechBegan
from protocols.stt.result import RecogniserError
from tests.daemon.transcripts.dialogue import Dialogue

CLOSED = RecogniserError("the recogniser closed the connection")
LIMIT = RecogniserError("the recogniser ended the stream at its time limit", restart=True)
OVERRUN = RecogniserError("audio was thrown away", goes_on=True)


@pytest.fixture
def dialogue() -> Dialogue:
    dialogue = Dialogue()
    dialogue.appear("a")
    dialogue.answer("a")
    return dialogue


def interims(dialogue: Dialogue) -> list[str]:
    return [one.text for one in dialogue.transcripts.interims(dialogue.call("a").call_id)]


def fail(dialogue: Dialogue, error: RecogniserError = CLOSED, *, vendor: str = "aws", stream: str = "") -> None:
    dialogue.happen(RecogniserFailed, "a", error=error, vendor=vendor, stream=stream)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (RecogniserFailed, {"error": CLOSED, "vendor": "aws"}),
        (RecogniserFailed, {"error": LIMIT, "vendor": "aws"}),
        (RecogniserStopped, {"vendor": "aws"}),
        (RecogniserStarted, {}),
    ],
)
def test_what_was_begun_is_withdrawn_and_the_next_final_stands_in_its_own_place(
    dialogue: Dialogue, kind: type, fields: dict[str, object]
) -> None:
    dialogue.hear("a", "저는", final=False, vendor="aws")
    dialogue.happen(kind, "a", **fields)
    assert interims(dialogue) == dialogue.shown() == []
    dialogue.now += 50
    dialogue.happen(AppSpoke, "a", text="주문하시겠습니까?", vendor="speak")
    dialogue.hear("a", "네", vendor="aws")
    assert dialogue.shown() == ["주문하시겠습니까?", "네"]
    assert dialogue.heard[-1].said_at == dialogue.now


def test_audio_that_was_thrown_away_ends_no_stretch(dialogue: Dialogue) -> None:
    dialogue.hear("a", "저는", final=False, vendor="aws")
    begun_at = dialogue.now
    fail(dialogue, OVERRUN)
    dialogue.hear("a", "저는 홍길동", vendor="aws")
    assert dialogue.transcripts.failures == 1
    assert (len({one.utterance_id for one in dialogue.heard}), dialogue.heard[-1].said_at) == (1, begun_at)


def test_a_final_that_comes_just_after_the_end_stands_where_it_was_begun(dialogue: Dialogue) -> None:
    dialogue.hear("a", "저는", final=False, vendor="aws")
    begun_at = dialogue.now
    dialogue.happen(AppSpoke, "a", text="듣고 있습니다", vendor="speak")
    fail(dialogue, LIMIT)
    dialogue.happen(RecogniserStarted, "a")
    dialogue.hear("a", "저는 홍길동", vendor="aws")
    assert dialogue.heard[-1].said_at == begun_at
    assert dialogue.shown() == ["저는 홍길동", "듣고 있습니다"]
    dialogue.hear("a", "입니다", vendor="aws")
    assert dialogue.heard[-1].said_at == dialogue.now
    assert dialogue.finals("a") == ["듣고 있습니다", "저는 홍길동", "입니다"]


def test_an_interim_that_overtook_the_end_does_not_come_back(dialogue: Dialogue) -> None:
    dialogue.hear("a", "저는", final=False, vendor="aws")
    fail(dialogue)
    dialogue.now -= 0.9
    dialogue.hear("a", "저는 홍", final=False, vendor="aws")
    assert interims(dialogue) == []
    dialogue.now += 2
    dialogue.hear("a", "다시", final=False, vendor="aws")
    assert interims(dialogue) == ["다시"]


def test_trouble_ends_the_stretches_of_its_own_recogniser(dialogue: Dialogue) -> None:
    dialogue.hear("a", "하나", final=False, vendor="aws", stream="one")
    dialogue.hear("a", "둘", final=False, vendor="aws", stream="two")
    dialogue.hear("a", "셋", final=False, vendor="ibm", stream="two", channel=1)
    fail(dialogue, vendor="aws", stream="one")
    assert interims(dialogue) == ["둘", "셋"]
    fail(dialogue, vendor="aws")
    assert interims(dialogue) == ["셋"]
    dialogue.happen(RecogniserStarted, "a", stream="session_record")
    assert interims(dialogue) == ["셋"]
    dialogue.happen(RecogniserStarted, "a", stream="two")
    assert interims(dialogue) == []


def test_speech_that_was_noticed_and_came_to_nothing_is_no_place_for_what_comes(dialogue: Dialogue) -> None:
    dialogue.happen(SpeechBegan, "a")
    dialogue.now += 390
    dialogue.hear("a", "네", vendor="ibm")
    assert dialogue.heard[-1].said_at == dialogue.now
    dialogue.happen(SpeechBegan, "a")
    dialogue.happen(RecogniserStopped, "a", vendor="ibm")
    dialogue.now += 20
    dialogue.hear("a", "아니요", vendor="ibm")
    assert dialogue.heard[-1].said_at == dialogue.now


def test_a_stretch_that_nothing_was_heard_of_for_long_is_withdrawn(dialogue: Dialogue) -> None:
    dialogue.hear("a", "저는", final=False, vendor="aws")
    dialogue.now += 200
    dialogue.hear("a", "네", vendor="aws")
    assert dialogue.heard[-1].said_at == dialogue.now
    assert dialogue.shown() == ["네"]


def test_a_new_run_counts_from_its_own_zero_where_only_its_end_before_was_told(dialogue: Dialogue) -> None:
    dialogue.happen(RecogniserStarted, "a", stream="caller_side")
    dialogue.now += 299
    dialogue.hear("a", "하나", start=298.0, end=299.0, stream="caller_side")
    fail(dialogue, stream="caller_side")
    dialogue.now += 10
    dialogue.hear("a", "둘", final=False, start=2.0, end=4.0, stream="caller_side")
    assert interims(dialogue) == ["둘"]
    assert dialogue.heard[-1].said_at == dialogue.now - 2.0
    dialogue.hear("a", "둘이요", start=2.0, end=5.0, stream="caller_side")
    assert dialogue.heard[-1].said_at == dialogue.now - 3.0
    assert dialogue.shown() == ["하나", "둘이요"]


def test_a_new_run_that_nobody_told_of_shows_by_its_times(dialogue: Dialogue) -> None:
    dialogue.happen(RecogniserStarted, "a")
    dialogue.now += 300
    dialogue.hear("a", "하나", start=299.0, end=300.0)
    dialogue.now += 20
    dialogue.hear("a", "둘", final=False, start=2.0, end=4.0)
    assert interims(dialogue) == ["둘"]
    dialogue.hear("a", "둘이요", start=2.0, end=5.0)
    assert dialogue.heard[-1].said_at == dialogue.now - 3.0


def test_a_stretch_of_the_run_before_is_not_continued_by_a_new_one(dialogue: Dialogue) -> None:
    dialogue.happen(RecogniserStarted, "a")
    dialogue.now += 300
    dialogue.hear("a", "하나", start=299.0, end=300.0)
    dialogue.hear("a", "그런", final=False, start=300.5, end=301.0)
    dialogue.now += 20
    dialogue.hear("a", "둘이요", start=2.0, end=5.0)
    assert dialogue.shown() == ["하나", "둘이요"]
    assert len({one.utterance_id for one in dialogue.heard}) == 3


def test_finals_that_are_late_or_a_little_out_of_order_keep_their_places(dialogue: Dialogue) -> None:
    dialogue.happen(RecogniserStarted, "a")
    zero = dialogue.now
    dialogue.now += 130
    for start in (100.0, 103.0, 101.0, 105.0, 104.0, 99.0):
        dialogue.hear("a", str(start), start=start, end=start + 1.0)
        assert dialogue.heard[-1].said_at == zero + start
    fail(dialogue)
    dialogue.hear("a", "끝", start=107.0, end=108.0)
    assert dialogue.heard[-1].said_at == zero + 107.0


def test_a_final_that_comes_long_after_the_end_is_none_of_a_new_run(dialogue: Dialogue) -> None:
    dialogue.happen(RecogniserStarted, "a")
    zero = dialogue.now
    dialogue.now += 100
    fail(dialogue)
    dialogue.now += 20
    dialogue.hear("a", "끝으로", start=97.0, end=99.0)
    assert dialogue.heard[-1].said_at == zero + 97.0


def test_a_final_of_the_run_before_keeps_its_place_and_harms_not_the_new_run(dialogue: Dialogue) -> None:
    dialogue.happen(RecogniserStarted, "a")
    first = dialogue.now
    dialogue.now += 304
    fail(dialogue, LIMIT, vendor="google")
    dialogue.happen(RecogniserStarted, "a")
    second = dialogue.now
    dialogue.hear("a", "끝으로", start=300.0, end=303.0, vendor="google")
    assert dialogue.heard[-1].said_at == first + 300.0
    dialogue.now += 3
    dialogue.hear("a", "다시", final=False, start=1.0, end=2.0, vendor="google")
    assert dialogue.heard[-1].said_at == second + 1.0
    dialogue.hear("a", "다시 말해", start=1.0, end=4.0, vendor="google")
    assert dialogue.heard[-1].said_at == second + 1.0
    assert dialogue.finals("a") == ["끝으로", "다시 말해"]


def test_two_recognisers_without_a_name_each_keep_their_zero(dialogue: Dialogue) -> None:
    dialogue.happen(RecogniserStarted, "a")
    one = dialogue.now
    dialogue.now += 50
    dialogue.happen(RecogniserStarted, "a")
    other = dialogue.now
    for second in (10.0, 20.0, 30.0):
        dialogue.now = other + second + 1.0
        dialogue.hear("a", "하나", start=second + other - one, end=second + other - one + 1.0)
        assert dialogue.heard[-1].said_at == other + second
        dialogue.hear("a", "둘", start=second, end=second + 1.0)
        assert dialogue.heard[-1].said_at == other + second


def test_a_recogniser_of_a_leg_that_is_not_in_memory_leaves_nothing_behind(dialogue: Dialogue) -> None:
    dialogue.happen(RecogniserStarted, "ghost", stream="brain_stt")
    dialogue.happen(SpeechBegan, "ghost")
    dialogue.happen(RecogniserStopped, "ghost", vendor="detect_speech")
    assert dialogue.transcripts._ears == {}


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("hear"), st.sampled_from(["", "네", "주문"]), st.booleans(), st.one_of(st.none(), st.floats(0, 400))
        ),
        st.tuples(st.just("wait"), st.floats(0, 100)),
        st.tuples(st.sampled_from(["fail", "overrun", "stop", "start", "begin"])),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_becomes_of_a_recogniser_each_final_with_words_stands_once(steps: list[tuple[Any, ...]]) -> None:
    dialogue = Dialogue()
    dialogue.appear("a")
    dialogue.answer("a")
    expected = []
    for step, *values in steps:
        if step == "hear":
            text, final, start = values
            dialogue.hear("a", text, final=final, start=start, end=None if start is None else start + 1, vendor="aws")
            expected += [text] if final and text else []
        elif step == "wait":
            dialogue.now += values[0]
        elif step == "stop":
            dialogue.happen(RecogniserStopped, "a", vendor="aws")
        elif step == "start":
            dialogue.happen(RecogniserStarted, "a")
        elif step == "begin":
            dialogue.happen(SpeechBegan, "a")
        else:
            fail(dialogue, OVERRUN if step == "overrun" else CLOSED)
    finals = dialogue.transcripts.finals(dialogue.call("a").call_id)
    assert [one.text for one in finals] == expected
    assert [one.seq for one in finals] == list(range(1, len(expected) + 1))
    assert all(1_000.0 <= one.said_at <= dialogue.now for one in finals)
    assert sorted(dialogue.shown()) == sorted([*expected, *interims(dialogue)])
