"""Finals never vanish, double or swap; interims replace each other; a dialogue stands in order of speech."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.calls.events import (
    AppSpoke,
    Direction,
    RecogniserFailed,
    RecogniserStarted,
    SpeechBegan,
)
from daemon.transcripts.utterance import Speaker, TranscriptRecalled, TranscriptsRekeyed, Utterance
from protocols.stt.result import RecogniserError
from tests.daemon.transcripts.dialogue import Dialogue


@pytest.fixture
def dialogue() -> Dialogue:
    dialogue = Dialogue()
    dialogue.appear("a")
    dialogue.answer("a")
    return dialogue


def test_finals_are_numbered_from_one_and_kept(dialogue: Dialogue) -> None:
    dialogue.hear("a", "여보세요")
    dialogue.hear("a", "주문하려고요")
    call_id = dialogue.call("a").call_id
    assert [(one.seq, one.text, one.final, one.speaker) for one in dialogue.transcripts.finals(call_id)] == [
        (1, "여보세요", True, Speaker.CALLER),
        (2, "주문하려고요", True, Speaker.CALLER),
    ]
    assert [one.text for one in dialogue.transcripts.finals(call_id, after=1)] == ["주문하려고요"]


def test_the_same_words_heard_again_are_another_utterance(dialogue: Dialogue) -> None:
    for _ in range(3):
        dialogue.hear("a", "금요일", start=5.14, end=6.56)
    assert dialogue.finals("a") == ["금요일"] * 3
    assert len({one.utterance_id for one in dialogue.heard}) == 3


def test_interims_replace_each_other_and_the_final_replaces_them(dialogue: Dialogue) -> None:
    dialogue.hear("a", "주문", final=False)
    dialogue.hear("a", "주문하려", final=False)
    assert [one.text for one in dialogue.transcripts.interims(dialogue.call("a").call_id)] == ["주문하려"]
    dialogue.hear("a", "주문하려고요")
    assert len({one.utterance_id for one in dialogue.heard}) == 1
    assert len({one.said_at for one in dialogue.heard}) == 1
    assert [one.seq for one in dialogue.heard] == [0, 0, 1]
    assert dialogue.transcripts.interims(dialogue.call("a").call_id) == []
    assert dialogue.shown() == ["주문하려고요"]


def test_a_late_interim_does_not_come_back_after_its_final(dialogue: Dialogue) -> None:
    dialogue.hear("a", "네", start=1.0, end=2.0)
    dialogue.hear("a", "네", final=False, start=1.0, end=2.0)
    dialogue.hear("a", "그런데", final=False, start=2.5, end=3.0)
    assert dialogue.shown() == ["네", "그런데"]


def test_a_late_interim_without_times_is_known_by_its_words(dialogue: Dialogue) -> None:
    dialogue.hear("a", "네")
    dialogue.now -= 0.9
    dialogue.hear("a", "네", final=False)
    assert dialogue.shown() == ["네"]


def test_an_empty_final_withdraws_what_was_shown(dialogue: Dialogue) -> None:
    dialogue.hear("a", "음", final=False)
    dialogue.hear("a", "")
    assert dialogue.shown() == []
    assert dialogue.finals("a") == []


def test_a_leg_that_ends_withdraws_its_interim_and_a_final_may_still_come(dialogue: Dialogue) -> None:
    dialogue.hear("a", "잠깐", final=False)
    dialogue.end("a")
    assert dialogue.shown() == []
    dialogue.hear("a", "잠깐만", final=False)
    dialogue.hear("a", "잠깐만요")
    assert dialogue.shown() == dialogue.finals("a") == ["잠깐만요"]


def test_two_recognisers_of_one_leg_do_not_mix(dialogue: Dialogue) -> None:
    dialogue.hear("a", "하나", final=False, stream="one")
    dialogue.hear("a", "둘", final=False, stream="two")
    dialogue.hear("a", "셋", final=False, channel=1, stream="one")
    assert dialogue.shown() == ["하나", "둘", "셋"]


def test_the_order_is_that_of_speech_and_not_of_arrival(dialogue: Dialogue) -> None:
    dialogue.appear("b", call_key="a")
    dialogue.answer("b")
    dialogue.happen(RecogniserStarted, "a")
    dialogue.happen(RecogniserStarted, "b")
    dialogue.now += 10
    dialogue.hear("b", "무엇을 도와드릴까요", start=6.0, end=8.0)
    dialogue.hear("a", "안녕하세요", start=3.0, end=4.0)
    assert dialogue.finals("a") == ["무엇을 도와드릴까요", "안녕하세요"]
    assert dialogue.shown() == ["안녕하세요", "무엇을 도와드릴까요"]
    assert [one.speaker for one in dialogue.heard] == [Speaker.CALLEE, Speaker.CALLER]


def test_the_recognisers_start_is_the_zero_of_its_times(dialogue: Dialogue) -> None:
    dialogue.happen(RecogniserStarted, "a", stream="bug")
    zero = dialogue.now
    dialogue.now += 20
    dialogue.hear("a", "네", start=5.0, end=6.0, stream="bug")
    assert dialogue.heard[0].said_at == zero + 5.0


def test_without_a_known_start_the_first_result_sets_the_zero(dialogue: Dialogue) -> None:
    dialogue.hear("a", "하나", start=5.0, end=6.0)
    first_heard_at = dialogue.now
    dialogue.now += 30
    dialogue.hear("a", "둘", start=9.0, end=10.0)
    assert [one.said_at for one in dialogue.heard] == [first_heard_at - 1.0, first_heard_at + 3.0]


def test_a_zero_that_would_put_speech_into_the_future_is_not_believed(dialogue: Dialogue) -> None:
    dialogue.happen(RecogniserStarted, "a")
    dialogue.hear("a", "네", start=500.0, end=501.0)
    assert dialogue.heard[0].said_at == dialogue.now - 1.0


def test_nobody_spoke_before_the_call(dialogue: Dialogue) -> None:
    answered_at = dialogue.call("a").legs[0].answered_at
    assert answered_at is not None
    dialogue.hear("a", "하나", start=0.0, end=60.0)
    dialogue.now += 30
    dialogue.hear("a", "둘", start=70.0, end=80.0)
    assert [one.said_at - answered_at for one in dialogue.heard] == [0.0, 11.0]


def test_a_recogniser_that_starts_again_counts_from_zero_again(dialogue: Dialogue) -> None:
    dialogue.happen(RecogniserStarted, "a")
    dialogue.now += 310
    dialogue.hear("a", "하나", start=300.0, end=305.0)
    dialogue.happen(RecogniserStarted, "a")
    zero = dialogue.now
    dialogue.now += 5
    dialogue.hear("a", "둘", final=False, start=1.0, end=2.0)
    assert dialogue.heard[-1].said_at == zero + 1.0


def test_speech_without_times_stands_where_it_was_first_noticed(dialogue: Dialogue) -> None:
    dialogue.happen(SpeechBegan, "a")
    noticed_at = dialogue.now
    dialogue.now += 3
    dialogue.hear("a", "네")
    dialogue.hear("a", "아니요")
    assert [one.said_at for one in dialogue.heard] == [noticed_at, dialogue.now]


def test_what_a_program_says_stands_in_the_dialogue(dialogue: Dialogue) -> None:
    dialogue.happen(AppSpoke, "a", text="주문을 말씀해 주세요", vendor="speak")
    dialogue.happen(AppSpoke, "a", text="hello.wav", vendor="playback")
    assert [(one.speaker, one.text, one.vendor, one.final) for one in dialogue.heard] == [
        (Speaker.APP, "주문을 말씀해 주세요", "speak", True),
        (Speaker.APP, "hello.wav", "playback", True),
    ]


def test_the_other_side_of_a_stereo_bug_is_the_other_speaker(dialogue: Dialogue) -> None:
    dialogue.hear("a", "고객", channel=0)
    dialogue.hear("a", "상담원", channel=1)
    assert [one.speaker for one in dialogue.heard] == [Speaker.CALLER, Speaker.CALLEE]


def test_the_callee_speaks_before_anything_is_known_of_the_caller() -> None:
    dialogue = Dialogue()
    dialogue.appear("b", call_key="a")
    dialogue.hear("b", "여보세요")
    dialogue.hear("b", "저예요", channel=1)
    dialogue.appear("a")
    dialogue.hear("b", "네")
    dialogue.hear("a", "안녕하세요")
    callee, caller = Speaker.CALLEE, Speaker.CALLER
    assert [one.speaker for one in dialogue.heard] == [callee, caller, callee, caller]


def test_the_callee_of_a_found_call_whose_caller_has_gone_is_no_caller() -> None:
    dialogue = Dialogue()
    dialogue.registry.adopt({"b": "stored"}, "freeswitch", "main")
    dialogue.appear("b", call_key="a")
    dialogue.hear("b", "여보세요")
    assert [(one.call_id, one.speaker) for one in dialogue.heard] == [("stored", Speaker.CALLEE)]


def test_whoever_the_switch_calls_first_stands_where_the_caller_does() -> None:
    dialogue = Dialogue()
    dialogue.appear("first", direction=Direction.OUTBOUND)
    dialogue.appear("second", call_key="first")
    dialogue.hear("first", "하나")
    dialogue.hear("second", "둘")
    assert [one.speaker for one in dialogue.heard] == [Speaker.CALLER, Speaker.CALLEE]


def test_in_a_merged_call_the_older_ones_caller_is_the_caller() -> None:
    dialogue = Dialogue()
    dialogue.appear("b", call_key="a")
    dialogue.appear("new")
    dialogue.hear("new", "먼저")
    dialogue.bridge("b", "new")
    for leg_id in ("b", "new"):
        dialogue.hear(leg_id, leg_id)
    dialogue.appear("a")
    dialogue.hear("a", "a")
    callee, caller = Speaker.CALLEE, Speaker.CALLER
    assert [one.speaker for one in dialogue.heard] == [caller, callee, callee, caller]


def test_speech_after_a_merge_goes_to_the_call_that_lives(dialogue: Dialogue) -> None:
    dialogue.appear("new")
    younger = dialogue.call("new").call_id
    dialogue.hear("new", "먼저 한 말")
    dialogue.hear("new", "하던", final=False)
    dialogue.bridge("a", "new")
    dialogue.hear("new", "하던 말")
    assert [one.text for one in dialogue.transcripts.finals(younger)] == ["먼저 한 말"]
    assert dialogue.finals("a") == ["하던 말"]
    assert dialogue.shown() == ["먼저 한 말", "하던 말"]


def test_a_found_call_goes_on_after_its_stored_utterances(dialogue: Dialogue) -> None:
    dialogue.hear("a", "하나")
    stored = dialogue.transcripts.finals(dialogue.call("a").call_id)
    later = Dialogue()
    recalled: list[TranscriptRecalled] = []
    later.hub.tap((TranscriptRecalled,), recalled.append)
    later.registry.adopt({"a": stored[0].call_id}, "freeswitch", "main")
    later.transcripts.adopt(stored[0].call_id, stored)
    assert recalled == []
    later.appear("a")
    assert recalled == [TranscriptRecalled(stored[0].call_id)]
    later.hear("a", "둘")
    later.end("a")
    assert [(one.seq, one.text) for one in later.transcripts.finals(stored[0].call_id)] == [(1, "하나"), (2, "둘")]
    assert len(recalled) == 1


def test_a_seq_that_the_store_lost_is_never_given_out_again() -> None:
    dialogue = Dialogue()
    stored = [
        Utterance(
            call_id="stored", utterance_id=f"u{seq}", seq=seq, leg_id="a", speaker=Speaker.CALLER, text=str(seq),
            start=None, end=None, said_at=float(seq), final=True, confidence=None, vendor="brain_stt",
        )
        for seq in (1, 2, 5)
    ]  # fmt: skip
    dialogue.registry.adopt({"a": "stored"}, "freeswitch", "main")
    dialogue.transcripts.adopt("stored", stored)
    dialogue.appear("a")
    dialogue.hear("a", "6")
    assert [one.seq for one in dialogue.transcripts.finals("stored")] == [1, 2, 5, 6]
    assert [[one.seq for one in dialogue.transcripts.finals("stored", after)] for after in range(1, 7)] == [
        [2, 5, 6],
        [5, 6],
        [5, 6],
        [5, 6],
        [6],
        [],
    ]

    dialogue.appear("fresh")
    dialogue.hear("fresh", "하나")
    fresh = dialogue.call("fresh").call_id
    dialogue.registry.rekey(fresh, "again")
    dialogue.transcripts.rekey(fresh, "again", [msgspec.structs.replace(one, call_id="again") for one in stored])
    dialogue.hear("fresh", "둘")
    assert [one.seq for one in dialogue.transcripts.finals("again")] == [1, 2, 5, 6, 7]


def test_a_gap_in_the_stored_numbers_is_not_filled(dialogue: Dialogue) -> None:
    for text in ("하나", "둘", "셋"):
        dialogue.hear("a", text)
    first, _, third = dialogue.transcripts.finals(dialogue.call("a").call_id)
    later = Dialogue()
    later.registry.adopt({"a": first.call_id}, "freeswitch", "main")
    later.transcripts.adopt(first.call_id, [first, third])
    later.appear("a")
    later.hear("a", "넷")
    assert [one.seq for one in later.transcripts.finals(first.call_id)] == [1, 3, 4]
    assert [one.seq for one in later.transcripts.finals(first.call_id, after=2)] == [3, 4]


def test_a_rekeyed_call_continues_the_stored_numbers_under_a_new_epoch(dialogue: Dialogue) -> None:
    told: list[TranscriptsRekeyed] = []
    dialogue.hub.tap((TranscriptsRekeyed,), told.append)
    dialogue.hear("a", "셋")
    dialogue.hear("a", "네", final=False)
    fresh = dialogue.call("a").call_id
    stored = [
        Utterance(
            call_id="stored", utterance_id=f"u{seq}", seq=seq, leg_id="a", speaker=Speaker.CALLER, text=text,
            start=None, end=None, said_at=float(seq), final=True, confidence=None, vendor="brain_stt",
        )
        for seq, text in enumerate(["하나", "둘"], 1)
    ]  # fmt: skip
    dialogue.registry.rekey(fresh, "stored")
    dialogue.transcripts.rekey(fresh, "stored", stored)
    dialogue.hear("a", "넷")
    assert [(one.seq, one.text) for one in dialogue.transcripts.finals("stored")] == [
        (1, "하나"), (2, "둘"), (3, "셋"), (4, "넷"),
    ]  # fmt: skip
    assert {one.call_id for one in dialogue.transcripts.finals("stored")} == {"stored"}
    assert dialogue.transcripts.finals(fresh) == []
    assert [(one.epoch, one.old_call_id, one.call_id) for one in told] == [
        (dialogue.transcripts.epoch, fresh, "stored")
    ]
    assert dialogue.transcripts.epoch != "first"


def test_two_calls_found_again_as_one_keep_every_final_of_both(dialogue: Dialogue) -> None:
    dialogue.appear("b")
    for leg_id in ("a", "b"):
        dialogue.hear(leg_id, f"{leg_id} 하나")
    earlier = msgspec.structs.replace(dialogue.heard[0], call_id="stored", utterance_id="u", text="전에")
    for leg_id in ("a", "b"):
        dialogue.hear(leg_id, f"{leg_id} 하던", final=False)
        fresh = dialogue.call(leg_id).call_id
        dialogue.registry.rekey(fresh, "stored")
        dialogue.transcripts.rekey(fresh, "stored", [earlier])
        dialogue.hear("a", "a 또")
    assert [(one.seq, one.text) for one in dialogue.transcripts.finals("stored")] == [
        (1, "전에"), (2, "a 하나"), (3, "a 또"), (4, "b 하나"), (5, "a 또"),
    ]  # fmt: skip
    assert {one.call_id for one in dialogue.transcripts.finals("stored")} == {"stored"}
    assert [one.text for one in dialogue.transcripts.interims("stored")] == ["b 하던"]


def test_what_a_found_call_has_already_is_not_there_twice(dialogue: Dialogue) -> None:
    dialogue.hear("a", "하나")
    fresh = dialogue.call("a").call_id
    stored = [msgspec.structs.replace(one, call_id="stored", seq=7) for one in dialogue.transcripts.finals(fresh)]
    dialogue.transcripts.adopt("stored", stored)
    dialogue.registry.rekey(fresh, "stored")
    dialogue.transcripts.rekey(fresh, "stored", [])
    assert dialogue.transcripts.finals("stored") == stored


def test_forgotten_calls_take_their_dialogue_with_them(dialogue: Dialogue) -> None:
    dialogue.hear("a", "네")
    call_id = dialogue.call("a").call_id
    dialogue.end("a")
    dialogue.now += 100
    dialogue.registry.sweep()
    assert dialogue.transcripts.finals(call_id) == []
    assert not dialogue.transcripts.knows(call_id)


def test_speech_of_nobody_and_errors_are_counted(dialogue: Dialogue) -> None:
    dialogue.hear("ghost", "유령")
    dialogue.happen(AppSpoke, "ghost", text="hello.wav", vendor="playback")
    dialogue.happen(RecogniserFailed, "a", error=RecogniserError("quota"), vendor="google")
    assert (dialogue.transcripts.orphans, dialogue.transcripts.failures, dialogue.heard) == (2, 1, [])


RESULTS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(["", "네", "아니요", "주문"]),
        st.booleans(),
        st.one_of(st.none(), st.floats(0, 100)),
        st.integers(0, 1),
    ),
    max_size=60,
)


@given(RESULTS)
def test_whatever_a_vendor_sends_each_final_with_words_stands_once_and_in_order_of_seq(
    results: list[tuple[str, str, bool, float | None, int]],
) -> None:
    dialogue = Dialogue()
    dialogue.appear("a")
    dialogue.appear("b", call_key="a")
    expected = []
    for leg_id, text, final, start, channel in results:
        end = None if start is None else start + 1
        dialogue.hear(leg_id, text, final=final, start=start, end=end, channel=channel)
        if final and text:
            expected.append(text)
    finals = dialogue.transcripts.finals(dialogue.call("a").call_id)
    assert [one.text for one in finals] == expected
    assert [one.seq for one in finals] == list(range(1, len(expected) + 1))
    assert all(one.said_at <= dialogue.now for one in finals)
    open_stretches = dialogue.transcripts.interims(dialogue.call("a").call_id)
    assert sorted(dialogue.shown()) == sorted([*expected, *(one.text for one in open_stretches)])
