"""Two calls in memory that the store knows as one: it was stored with the legs of both, which stand apart now."""

from __future__ import annotations

from daemon.calls.call import Call, CallState


def reunite(call: Call, other: Call) -> None:
    """``call`` takes in the legs of ``other``, which is left without any.

    The older of the two says what names the call, and the one that ended last how it ended. With a leg that lives it
    has not ended; its state follows from its legs and is left as it is.
    """
    _learn_end(call, other)
    if call.merged_into == other.call_id:
        call.merged_into = other.merged_into
    if not other.legs:
        return
    if other.created_at < call.created_at:
        _learn_beginning(call, other)
        call.legs = other.legs + call.legs
    else:
        call.legs = call.legs + other.legs
    if not call.app:
        call.app, call.outcome = other.app, other.outcome
        call.app_state, call.app_ending = other.app_state, other.app_ending
    call.merged_into = ""  # that one took the legs it had, and now it has others
    other.legs = []


def _learn_beginning(call: Call, other: Call) -> None:
    call.other_id, call.created_at = other.other_id, other.created_at
    call.caller, call.caller_name = other.caller, other.caller_name
    call.callee, call.did = other.callee, other.did


def _learn_end(call: Call, other: Call) -> None:
    if other.state is not CallState.ENDED:
        call.ended_at, call.hangup_cause, call.disposition = None, "", None
    elif call.ended_at is not None and (other.ended_at or 0.0) > call.ended_at:
        call.ended_at, call.hangup_cause, call.disposition = other.ended_at, other.hangup_cause, other.disposition
