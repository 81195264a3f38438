"""What is made of the legs of placed calls and of the switch's answers, in whatever order they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.callapps.outgoing import OPEN, OutgoingState
from daemon.callapps.outgoing_progress import ENDED_UNSEEN, Progress, told
from daemon.calls.call import Leg, LegState
from daemon.calls.events import Direction
from tests.daemon.stores.rows import outgoing_call_row as row

Step = Callable[[Progress], None]


def leg(state: LegState, **fields: Any) -> Leg:
    return Leg(
        leg_id="leg-a",
        direction=Direction.OUTBOUND,
        caller="0212345678",
        caller_name="",
        callee="01012345678",
        code="",
        state=state,
        created_at=1000.0,
        **fields,
    )


def progress() -> tuple[Progress, list[OutgoingState]]:
    seen: list[OutgoingState] = []
    return Progress(row("a"), clock=lambda: 2000.0, changed=lambda one: seen.append(one.state)), seen


RINGING = leg(LegState.RINGING)
ANSWERED = leg(LegState.ANSWERED, answered_at=1500.0)
STEPS: dict[str, Step] = {
    "rings": lambda one: one.see(RINGING),
    "early": lambda one: one.see(leg(LegState.EARLY)),
    "answered": lambda one: one.see(ANSWERED),
    "machine": lambda one: one.see(leg(LegState.ANSWERED, answered_at=1500.0, machine=True)),
    "busy": lambda one: one.see(leg(LegState.ENDED, hangup_cause="USER_BUSY")),
    "over": lambda one: one.see(leg(LegState.ENDED, answered_at=1500.0, hangup_cause="NORMAL_CLEARING")),
    "unseen": lambda one: one.see(leg(LegState.ENDED)),
    "told answered": lambda one: one.answered(),
    "told busy": lambda one: one.end("USER_BUSY"),
    "lost": lambda one: one.lose("nobody knows"),
    "failed": lambda one: one.fail("nothing was placed"),
}


@pytest.mark.parametrize(
    ("steps", "states", "cause"),
    [
        (["rings", "rings", "early"], ["ringing"], ""),
        (["rings", "answered", "told answered", "over"], ["ringing", "answered", "ended"], "NORMAL_CLEARING"),
        (["over"], ["answered", "ended"], "NORMAL_CLEARING"),
        (["rings", "busy", "told busy"], ["ringing", "busy"], "USER_BUSY"),
        (["told busy", "busy"], ["busy"], "USER_BUSY"),
        (["answered", "busy"], ["answered", "ended"], "USER_BUSY"),
        (["rings", "unseen"], ["ringing", "unknown"], ENDED_UNSEEN),
        (["answered", "lost"], ["answered", "ended"], "nobody knows"),
        (["answered", "machine", "machine"], ["answered", "answered"], ""),
    ],
)
def test_in_their_order(steps: list[str], states: list[str], cause: str) -> None:
    one, seen = progress()
    for step in steps:
        STEPS[step](one)
    assert seen == states
    assert one.row.cause == cause
    assert one.row.machine is ("machine" in steps)


@given(st.lists(st.sampled_from(sorted(STEPS))))
def test_in_any_order(steps: list[str]) -> None:
    one, seen = progress()
    for step in steps:
        was_over, before = one.is_over, one.row
        STEPS[step](one)
        if was_over:
            assert one.row == before
    over = [state for state in seen if state not in OPEN]
    assert len(over) <= 1
    assert (one.row.ended_at is not None) is bool(over)
    assert (one.row.variables == {}) is bool(over)
    assert (one.row.answered_at is not None) is (OutgoingState.ANSWERED in seen)
    assert told(one.row).state is (seen[-1] if seen else OutgoingState.DIALLING)
