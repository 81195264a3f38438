"""A leg and a call as they are when the first of them is told."""

from __future__ import annotations

from daemon.calls.call import Call, CallState, Leg, LegState
from daemon.calls.events import LegAppeared


def new_leg(event: LegAppeared) -> Leg:
    """The leg that ``event`` tells of."""
    state = LegState.EARLY if event.early else LegState.RINGING
    return Leg(
        leg_id=event.leg_id,
        direction=event.direction,
        caller=event.caller,
        caller_name=event.caller_name,
        callee=event.callee,
        code=event.code,
        state=state if event.answered_at is None else LegState.ANSWERED,
        created_at=event.created_at,
        answered_at=event.answered_at,
        parked=event.parked,
        held=event.held,
        mark=event.mark,
    )


def new_call(event: LegAppeared, call_id: str, first: str) -> Call:
    """A call without legs yet, which begins with the leg ``first`` and is known by the one that ``event`` tells of."""
    return Call(
        call_id=call_id,
        origin=event.origin,
        server=event.server,
        other_id=first,
        state=CallState.RINGING,
        caller=event.caller,
        caller_name=event.caller_name,
        callee=event.callee,
        did=event.did or event.callee,
        code=event.code,
        app="",
        created_at=event.created_at,
        answered_at=None,
        ended_at=None,
        hangup_cause="",
        disposition=None,
        legs=[],
        merged_into="",
    )
