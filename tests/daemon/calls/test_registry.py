"""What is one call, what its state is, and what brings nothing back to life."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.calls.call import LEG_TRANSITIONS, CallForgotten, CallState, DigitHeard, Disposition, LegState, LegStep
from daemon.calls.events import (
    AnswererDetected,
    DigitPressed,
    Direction,
    LegChanged,
    LegHeld,
    LegProgressed,
    LegsUnbridged,
    LegUnparked,
)
from tests.daemon.calls.story import Story


def test_every_state_and_step_has_its_line_in_the_table() -> None:
    assert set(LEG_TRANSITIONS) == set(itertools.product(LegState, LegStep))


def test_a_call_that_is_parked_answered_and_ended(story: Story) -> None:
    story.appear("a", did="07000001004")
    story.tell(LegProgressed, "a", early=True)
    story.park("a", code="order-app")
    story.answer("a")
    answered_at = story.now
    story.end("a")
    call = story.call("a")
    assert [state for _, state in story.states] == ["ringing", "ringing", "parked", "parked", "ended"]
    assert (call.caller, call.callee, call.did, call.code) == ("01012345678", "07000001004", "07000001004", "order-app")
    assert (call.answered_at, call.ended_at) == (answered_at, story.now)
    assert (call.hangup_cause, call.disposition) == ("NORMAL_CLEARING", Disposition.ANSWERED)


def test_a_b_leg_joins_the_call_it_was_placed_for(story: Story) -> None:
    story.appear("a")
    story.appear("b", call_key="a")
    story.answer("b")
    story.answer("a")
    story.bridge("a", "b")
    call = story.call("b")
    assert call is story.call("a")
    assert [leg.leg_id for leg in call.legs] == ["a", "b"]
    assert [leg.peer_id for leg in call.legs] == ["b", "a"]
    story.end("b")
    story.end("a")
    assert [state for _, state in story.states][-3:] == ["bridged", "active", "ended"]
    assert len(story.registry.calls()) == 1


def test_a_b_leg_seen_first_waits_for_the_leg_it_belongs_to(story: Story) -> None:
    story.appear("b", call_key="a", caller="2044")
    call = story.call("b")
    assert (call.other_id, call.caller) == ("a", "2044")
    story.appear("a", did="07000001004")
    assert story.call("a") is call
    assert [leg.leg_id for leg in call.legs] == ["a", "b"]
    assert (call.caller, call.did) == ("01012345678", "07000001004")


def test_a_loopback_b_side_is_no_call_of_its_own_and_keeps_its_code_to_itself(story: Story) -> None:
    story.appear("a", code="dev-app")
    story.appear("loop-a", call_key="a")
    story.appear("loop-b", call_key="loop-a", direction=Direction.INBOUND, code="dev-app")
    story.tell(LegChanged, "loop-b", code="other-app")
    call = story.call("loop-b")
    assert call is story.call("a")
    assert call.code == "dev-app"
    assert [leg.code for leg in call.legs] == ["dev-app", "", "other-app"]


def test_a_loopback_whose_b_side_is_told_first_is_part_of_the_call_it_was_placed_for(story: Story) -> None:
    story.appear("caller")
    story.appear("side-b", "side-a")
    story.appear("side-a", "caller")
    [call] = [call for call in story.registry.calls() if not call.merged_into]
    assert {leg.leg_id for leg in call.legs} == {"caller", "side-a", "side-b"}
    assert call.other_id == "caller"
    assert [merged.merged_into for merged in story.registry.calls() if merged is not call] == [call.call_id]


def test_the_code_of_an_originated_loopback_comes_from_the_side_that_was_parked(story: Story) -> None:
    story.appear("loop-a", direction=Direction.OUTBOUND)
    story.appear("loop-b", call_key="loop-a", direction=Direction.INBOUND)
    story.park("loop-b", code="qa-app")
    assert story.call("loop-a").code == "qa-app"
    assert story.call("loop-a").state is CallState.PARKED


def test_bridged_calls_become_one_and_the_older_lives(story: Story) -> None:
    story.appear("old")
    story.appear("new")
    older, younger = story.call("old"), story.call("new")
    story.bridge("new", "old")
    assert story.call("new") is story.call("old") is older
    assert [leg.leg_id for leg in older.legs] == ["old", "new"]
    assert older.state is CallState.BRIDGED
    assert (younger.state, younger.merged_into, younger.legs) == (CallState.ENDED, older.call_id, [])
    assert story.states[-2:] == [("new", "ended"), ("old", "bridged")]


def test_a_transfer_moves_the_callee_and_leaves_the_did(story: Story) -> None:
    story.appear("a", did="07000001004")
    story.park("a", code="dev-app")
    story.tell(LegUnparked, "a", callee="9664")
    story.tell(LegChanged, "a", code="next-app")
    call = story.call("a")
    assert (call.callee, call.did, call.code, call.state) == ("9664", "07000001004", "next-app", CallState.RINGING)


def test_hold_shows_and_goes(story: Story) -> None:
    story.appear("a")
    story.answer("a")
    story.tell(LegHeld, "a", held=True)
    assert story.call("a").state is CallState.HELD
    story.tell(LegHeld, "a", held=False)
    assert story.call("a").state is CallState.ACTIVE


def test_an_unbridge_parts_both(story: Story) -> None:
    story.appear("a")
    story.appear("b", call_key="a")
    story.answer("a")
    story.bridge("a", "b")
    story.tell(LegsUnbridged, "a", other_leg_id="b")
    assert [leg.peer_id for leg in story.call("a").legs] == ["", ""]
    assert story.call("a").state is CallState.ACTIVE


@pytest.mark.parametrize(
    ("cause", "disposition"),
    [
        ("ORIGINATOR_CANCEL", Disposition.ABANDONED),
        ("USER_BUSY", Disposition.BUSY),
        ("NO_ANSWER", Disposition.NO_ANSWER),
        ("NO_ROUTE_DESTINATION", Disposition.FAILED),
    ],
)
def test_the_disposition_of_a_call_nobody_answered(story: Story, cause: str, disposition: Disposition) -> None:
    story.appear("a")
    story.park("a")
    story.end("a", cause)
    assert story.call("a").disposition is disposition


def test_a_call_that_ended_while_we_were_away_says_so(story: Story) -> None:
    story.appear("a")
    story.answer("a")
    story.end("a", "", while_away=True)
    assert (story.call("a").state, story.call("a").disposition) == (CallState.ENDED, Disposition.LOST)


def test_nothing_brings_an_ended_leg_back(story: Story) -> None:
    story.appear("a")
    story.end("a")
    ended_at = story.call("a").ended_at
    story.answer("a")
    story.park("a")
    story.tell(LegHeld, "a", held=True)
    story.appear("a", answered_at=story.now, parked=True)
    story.bridge("a", "x")
    story.end("a", "USER_BUSY")
    call = story.call("a")
    assert (call.state, call.ended_at, call.hangup_cause) == (CallState.ENDED, ended_at, "NORMAL_CLEARING")
    assert len(story.registry.calls()) == 1


def test_a_leg_of_an_ended_call_begins_another(story: Story) -> None:
    story.appear("a")
    story.end("a")
    story.appear("b", call_key="a")
    assert story.call("b") is not story.call("a")
    assert story.call("b").other_id == "b"


def test_a_snapshot_tells_what_was_missed(story: Story) -> None:
    story.appear("a")
    story.appear("b", call_key="a")
    story.appear("a", answered_at=1_001.5, peer_id="b", callee="9664", code="dev-app")
    call = story.call("a")
    assert (call.state, call.answered_at, call.callee, call.code) == (CallState.BRIDGED, 1_001.5, "9664", "dev-app")
    story.appear("a", answered_at=1_001.5)
    assert call.state is CallState.ACTIVE


def test_a_stored_call_is_found_again_by_any_of_its_legs(story: Story) -> None:
    story.registry.adopt({"a": "stored-1", "b": "stored-1", "c": "stored-2"}, "freeswitch", "main")
    story.appear("b", call_key="a")
    story.appear("a")
    story.appear("c")
    story.appear("d")
    assert story.call("a") is story.call("b")
    assert (story.call("a").call_id, story.call("c").call_id) == ("stored-1", "stored-2")
    assert story.call("d").call_id not in {"stored-1", "stored-2"}


def test_a_leg_that_was_announced_has_its_call_before_it_appears(story: Story) -> None:
    key = ("freeswitch", "main", "a")
    story.registry.expect(key, "placed-1")
    story.registry.adopt({}, "freeswitch", "main")
    assert story.registry.is_stored(*key)
    story.appear("a", direction=Direction.OUTBOUND)
    assert story.call("a").call_id == "placed-1"
    assert not story.registry.is_stored(*key)
    story.registry.expect(key, "placed-2")
    assert not story.registry.is_stored(*key), "a leg that is there is not about to appear"


def test_a_leg_that_will_not_appear_is_forgotten(story: Story) -> None:
    key = ("freeswitch", "main", "a")
    story.registry.expect(key, "placed-1")
    story.registry.expect(key, "")
    story.appear("a")
    assert story.call("a").call_id != "placed-1"


def test_who_answered_is_known_once_it_is_told(story: Story) -> None:
    story.appear("a")
    story.answer("a")
    assert not story.call("a").legs[0].machine
    story.tell(AnswererDetected, "a", machine=True)
    assert story.call("a").legs[0].machine
    story.end("a")
    story.tell(AnswererDetected, "a", machine=False)
    assert story.call("a").legs[0].machine


def test_a_rekeyed_call_keeps_its_legs_and_its_followers(story: Story) -> None:
    story.appear("a")
    story.appear("b")
    story.bridge("a", "b")
    younger = next(call for call in story.registry.calls() if call.merged_into)
    old = story.call("a").call_id
    story.registry.rekey(old, "stored")
    assert story.registry.get(old) is None
    assert story.registry.get("stored") is story.call("a")
    assert younger.merged_into == "stored"


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_two_calls_found_again_as_one_become_one(story: Story, order: tuple[str, str]) -> None:
    story.appear("a", caller="010", callee="07000001004")
    story.appear("b", caller="02", callee="07000001005")
    story.park("b", code="dev-app")
    for leg_id in order:
        story.registry.rekey(story.call(leg_id).call_id, "stored")
    (call,) = story.registry.calls()
    assert call is story.registry.get("stored") is story.call("a") is story.call("b")
    assert [leg.leg_id for leg in call.legs] == ["a", "b"]
    assert (call.other_id, call.created_at, call.caller, call.did) == ("a", 1_001.0, "010", "07000001004")
    assert (call.state, call.code) == (CallState.PARKED, "dev-app")
    assert story.states[-1] == ("a", CallState.PARKED)

    story.end("a", "USER_BUSY")
    assert call.state is CallState.PARKED
    story.end("b")
    assert (call.state, call.hangup_cause, call.ended_at) == (CallState.ENDED, "USER_BUSY", story.now)
    story.now += 61
    story.registry.sweep()
    assert story.registry.find("freeswitch", "main", "a") is story.registry.find("freeswitch", "main", "b") is None


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_a_call_found_again_as_one_that_has_ended_lives(story: Story, order: tuple[str, str]) -> None:
    story.appear("a")
    story.appear("b")
    story.end("a")
    for leg_id in order:
        story.registry.rekey(story.call(leg_id).call_id, "stored")
    (call,) = story.registry.calls()
    assert (call.ended_at, call.hangup_cause, call.disposition) == (None, "", None)
    assert call.state is CallState.RINGING
    story.end("b")
    assert (call.ended_at, call.disposition) == (story.now, Disposition.ABANDONED)


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_of_two_ended_calls_found_again_as_one_the_later_end_counts(story: Story, order: tuple[str, str]) -> None:
    story.appear("a")
    story.appear("b")
    story.end("a", "USER_BUSY")
    story.end("b", "NO_ANSWER")
    for leg_id in order:
        story.registry.rekey(story.call(leg_id).call_id, "stored")
    (call,) = story.registry.calls()
    assert (call.state, call.ended_at) == (CallState.ENDED, story.now)
    assert (call.hangup_cause, call.disposition) == ("NO_ANSWER", Disposition.NO_ANSWER)


def test_calls_that_were_merged_and_are_found_again_as_one_are_merged_into_no_other(story: Story) -> None:
    story.appear("a")
    story.appear("b")
    older, younger = story.call("a").call_id, story.call("b").call_id
    story.registry.rekey(younger, "stored")
    story.bridge("a", "b")
    story.registry.rekey(older, "stored")
    (call,) = story.registry.calls()
    assert (call.merged_into, call.state, call.ended_at) == ("", CallState.BRIDGED, None)
    assert [leg.leg_id for leg in call.legs] == ["a", "b"]


def test_a_merged_call_that_is_found_again_as_the_one_it_was_merged_into_is_gone(story: Story) -> None:
    story.appear("a")
    story.appear("b")
    younger = story.call("b").call_id
    story.bridge("a", "b")
    story.registry.rekey(story.call("a").call_id, "stored")
    story.registry.rekey(younger, "stored")
    (call,) = story.registry.calls()
    assert (call.merged_into, call.state, call.ended_at) == ("", CallState.BRIDGED, None)
    assert [leg.leg_id for leg in call.legs] == ["a", "b"]


def test_a_merged_call_to_which_a_leg_comes_back_is_a_call_again(story: Story) -> None:
    for leg_id in ("other", "a", "b"):
        story.appear(leg_id)
    story.registry.rekey(story.call("a").call_id, "stored")
    story.bridge("other", "a")
    story.registry.rekey(story.call("b").call_id, "stored")
    other, call = story.registry.calls()
    assert (call.call_id, call.merged_into, call.state, call.ended_at) == ("stored", "", CallState.RINGING, None)
    assert ([leg.leg_id for leg in other.legs], [leg.leg_id for leg in call.legs]) == (["other", "a"], ["b"])


def test_calls_found_again_as_one_after_a_third_took_their_legs_are_merged_into_that(story: Story) -> None:
    for leg_id in ("oldest", "a", "b"):
        story.appear(leg_id)
    older = story.call("a").call_id
    story.registry.rekey(story.call("b").call_id, "stored")
    story.bridge("a", "b")
    story.bridge("oldest", "a")
    story.registry.rekey(older, "stored")
    oldest, call = story.registry.calls()
    assert (call.merged_into, call.state, call.legs) == (oldest.call_id, CallState.ENDED, [])


def test_ended_calls_are_forgotten_after_their_time(story: Story) -> None:
    forgotten: list[str] = []
    story.hub.tap((CallForgotten,), lambda message: forgotten.append(message.call.other_id))
    story.appear("a")
    story.appear("b")
    story.end("a")
    story.registry.sweep()
    assert len(story.registry.calls()) == 2
    story.now += 61
    story.registry.sweep()
    assert forgotten == ["a"]
    assert story.registry.call_of("freeswitch", "main", "a") is None
    assert [call.other_id for call in story.registry.calls()] == ["b"]
    assert [leg.leg_id for leg in story.registry.live_legs("freeswitch", "main")] == ["b"]


def test_digits_are_published_with_their_call(story: Story) -> None:
    heard: list[DigitHeard] = []
    story.hub.tap((DigitHeard,), heard.append)
    story.appear("a")
    story.tell(DigitPressed, "a", digit="5")
    assert [(digit.call_id, digit.digit) for digit in heard] == [(story.call("a").call_id, "5")]


def test_events_of_legs_nobody_knows_are_counted(story: Story) -> None:
    story.answer("ghost")
    assert story.registry.unknown_legs == 1
    assert story.registry.calls() == []


LEGS = ["a", "b", "c", "d"]
STEPS = st.one_of(
    st.tuples(st.just("appear"), st.sampled_from(LEGS), st.sampled_from(["", *LEGS])),
    st.tuples(st.sampled_from(["answer", "park", "end"]), st.sampled_from(LEGS), st.just("")),
    st.tuples(st.just("bridge"), st.sampled_from(LEGS), st.sampled_from(LEGS)),
)


@given(st.lists(STEPS, max_size=40))
def test_whatever_happens_each_leg_stands_in_one_call_and_the_state_follows_from_the_legs(
    steps: list[tuple[str, str, str]],
) -> None:
    story = Story()
    for step, leg, other in steps:
        if step == "appear":
            story.appear(leg, call_key=other)
        elif step == "bridge":
            if leg != other:
                story.bridge(leg, other)
        else:
            getattr(story, step)(leg)
    calls = story.registry.calls()
    standing = [(call.call_id, leg.leg_id) for call in calls for leg in call.legs]
    assert len({leg_id for _, leg_id in standing}) == len(standing)
    for call_id, leg_id in standing:
        assert story.call(leg_id).call_id == call_id
    for call in calls:
        live = any(leg.state is not LegState.ENDED for leg in call.legs)
        assert (call.state is CallState.ENDED) is not live
        assert (call.ended_at is None) is live
        assert not (call.merged_into and call.legs)
