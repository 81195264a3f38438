"""A call and its legs: state tables, and what is derived from them.

A leg's state is a table (:data:`LEG_TRANSITIONS`); a call's state is derived from its legs and never set by hand, so
the two cannot disagree. Only :mod:`daemon.calls.registry` writes to these objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from daemon.calls.events import Direction


class LegState(StrEnum):
    """The life of a leg. Park, hold and bridge are flags beside it, since they come and go independently."""

    RINGING = "ringing"
    EARLY = "early"
    ANSWERED = "answered"
    ENDED = "ended"


class LegStep(StrEnum):
    """What can move a leg from one state to the next."""

    PROGRESS = "progress"
    EARLY_MEDIA = "early_media"
    ANSWER = "answer"
    END = "end"


# (state, step) → next state. A pair that is not listed is an error. A pair that leads to its own state is one that
# switches are known to send: media after the answer, a second hangup event, an answer told twice around a snapshot.
LEG_TRANSITIONS: Mapping[tuple[LegState, LegStep], LegState] = {
    (LegState.RINGING, LegStep.PROGRESS): LegState.RINGING,
    (LegState.RINGING, LegStep.EARLY_MEDIA): LegState.EARLY,
    (LegState.RINGING, LegStep.ANSWER): LegState.ANSWERED,
    (LegState.RINGING, LegStep.END): LegState.ENDED,
    (LegState.EARLY, LegStep.PROGRESS): LegState.EARLY,
    (LegState.EARLY, LegStep.EARLY_MEDIA): LegState.EARLY,
    (LegState.EARLY, LegStep.ANSWER): LegState.ANSWERED,
    (LegState.EARLY, LegStep.END): LegState.ENDED,
    (LegState.ANSWERED, LegStep.PROGRESS): LegState.ANSWERED,
    (LegState.ANSWERED, LegStep.EARLY_MEDIA): LegState.ANSWERED,
    (LegState.ANSWERED, LegStep.ANSWER): LegState.ANSWERED,
    (LegState.ANSWERED, LegStep.END): LegState.ENDED,
    (LegState.ENDED, LegStep.PROGRESS): LegState.ENDED,
    (LegState.ENDED, LegStep.EARLY_MEDIA): LegState.ENDED,
    (LegState.ENDED, LegStep.ANSWER): LegState.ENDED,
    (LegState.ENDED, LegStep.END): LegState.ENDED,
}


class CallState(StrEnum):
    """What people are told a call is doing."""

    RINGING = "ringing"
    PARKED = "parked"
    ACTIVE = "active"
    BRIDGED = "bridged"
    HELD = "held"
    ENDED = "ended"


class Disposition(StrEnum):
    """How a call went, for people; the hangup cause says it for engineers."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    ABANDONED = "abandoned"
    FAILED = "failed"
    LOST = "lost"
    """It ended while Parley could not see the switch, so how is not known."""


class Leg(msgspec.Struct, kw_only=True, gc=False):
    """Our view of one channel. ``leg_id`` is the other side's id. Times are Unix seconds."""

    leg_id: str
    direction: Direction
    caller: str
    caller_name: str
    callee: str
    code: str
    state: LegState
    created_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    hangup_cause: str = ""
    parked: bool = False
    held: bool = False
    peer_id: str = ""


class Call(msgspec.Struct, kw_only=True, gc=False):
    """The legs of one conversation, oldest first, and what is known of it as a whole.

    ``call_id`` is ours (UUIDv7). ``other_id`` is the other side's id of the first leg: (``origin``, ``server``,
    ``other_id``) finds the call again after a restart. Numbers are whole; whoever shows them to people masks them.
    ``merged_into`` names the older call this one became part of, ``""`` otherwise.
    """

    call_id: str
    origin: str
    server: str
    other_id: str
    state: CallState
    caller: str
    caller_name: str
    callee: str
    did: str
    code: str
    app: str
    created_at: float
    answered_at: float | None
    ended_at: float | None
    hangup_cause: str
    disposition: Disposition | None
    legs: list[Leg]
    merged_into: str


class CallChanged(msgspec.Struct, frozen=True, gc=False):
    """Published on the hub after every change of a call, with the call as it now stands.

    The call is the registry's own object: read it before returning to the loop, never keep it to read later.
    """

    call: Call


class CallForgotten(msgspec.Struct, frozen=True, gc=False):
    """Published on the hub when an ended call leaves memory; from now on only the store knows it."""

    call: Call


class DigitHeard(msgspec.Struct, frozen=True, gc=False):
    """Published on the hub for every DTMF digit of a leg of a followed call."""

    call_id: str
    leg_id: str
    digit: str
    at: float
