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


_UNANSWERED: Mapping[str, Disposition] = {
    "USER_BUSY": Disposition.BUSY,
    "NO_ANSWER": Disposition.NO_ANSWER,
    "NO_USER_RESPONSE": Disposition.NO_ANSWER,
    "ALLOTTED_TIMEOUT": Disposition.NO_ANSWER,
    "PROGRESS_TIMEOUT": Disposition.NO_ANSWER,
    "ORIGINATOR_CANCEL": Disposition.ABANDONED,
    "NORMAL_CLEARING": Disposition.ABANDONED,
}
"""By the hangup cause of a call that nobody answered."""


class AppState(StrEnum):
    """What the app that leads a call does at this moment, and in the end how far it left its caller."""

    STARTING = "starting"
    """It has the call, and nothing of it was heard yet."""
    SPEAKING = "speaking"
    LISTENING = "listening"
    WORKING = "working"
    """It neither speaks nor listens: it looks something up, or waits."""
    HOLDING = "holding"
    """It put the caller on hold, or rings somebody for them."""
    HANDED_OVER = "handed_over"
    """Its part is over: it sent the caller on or hung up, or somebody took the call out of its hands."""
    FALLEN_BACK = "fallen_back"
    """It could not go on, and the caller gets the fall-back."""
    ENDED = "ended"
    """The call ended while it led it."""


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
    mark: str = ""
    """What a Parley had left on it when this one first saw it."""
    machine: bool = False
    """Whether a machine answered it, as far as a detector on the switch has told."""


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
    outcome: str = ""
    """How the app went: in its own word, else ``daemon.callapps.run.Ending``."""
    app_state: AppState | None = None
    """``None`` where no app led it."""
    app_ending: str = ""
    """Why the app leads it no more, as ``daemon.callapps.run.Ending`` says; ``""`` while it does."""

    def derive(self) -> None:
        """Let what follows from the legs be as they are."""
        live = [leg for leg in self.legs if leg.state is not LegState.ENDED]
        if not live:
            self.state = CallState.ENDED
        elif any(leg.held for leg in live):
            self.state = CallState.HELD
        elif any(leg.peer_id for leg in live):
            self.state = CallState.BRIDGED
        elif any(leg.parked for leg in live):
            self.state = CallState.PARKED
        elif any(leg.state is LegState.ANSWERED for leg in live):
            self.state = CallState.ACTIVE
        else:
            self.state = CallState.RINGING
        self.code = next((leg.code for leg in self.legs if leg.code), "")
        self.answered_at = self.legs[0].answered_at

    def close(self, at: float, cause: str, *, while_away: bool) -> None:
        """Its last leg ended ``at``, with ``cause``; ``while_away``: unseen."""
        self.ended_at = at
        self.hangup_cause = self.legs[0].hangup_cause or cause
        if while_away:
            self.disposition = Disposition.LOST
        elif self.answered_at is not None:
            self.disposition = Disposition.ANSWERED
        else:
            self.disposition = _UNANSWERED.get(self.hangup_cause, Disposition.FAILED)

    def retarget(self, leg: Leg, callee: str) -> None:
        """A leg is for another number now; with the first one it is the call that is. ``""`` changes nothing."""
        if callee:
            leg.callee = callee
            if self.legs[0] is leg:
                self.callee = callee


class CallChanged(msgspec.Struct, frozen=True, gc=False):
    """Published on the hub after every change of a call, with the call as it now stands.

    The call is the registry's own object: read it before returning to the loop, never keep it to read later.
    """

    call: Call


class AppMoved(msgspec.Struct, frozen=True, gc=False):
    """Published on the hub when nothing of a call has changed but its ``app_state``.

    It comes several times in every turn of a dialogue, for who shows it: nothing is stored for it. As with
    :class:`CallChanged`, read the call before returning to the loop.
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
