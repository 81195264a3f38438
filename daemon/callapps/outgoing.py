"""Calls that Parley places into an app: what is asked for, what comes of it, and why it may not be done."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec


class OutgoingState(StrEnum):
    """How far a call is. All but the first three end it."""

    DIALLING = "dialling"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"
    """It was answered, and is over."""
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    """Whoever was called would not take it."""
    CANCELLED = "cancelled"
    """It was called off while it rang."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Nobody could see what became of it."""


OPEN: Final = frozenset({OutgoingState.DIALLING, OutgoingState.RINGING, OutgoingState.ANSWERED})


class OutgoingRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who is to be called, and by which app. ``variables`` are for the app alone: the switch is not told them."""

    to: str
    app: str
    variables: dict[str, str] = {}


class OutgoingCall(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A call and what came of it. Times are Unix seconds.

    ``call_id`` names it among all calls too, once the switch has made a leg for it. ``cause`` is why it did not come
    about or how it ended: a hangup cause (Q.850, by the switch's name), or words. ``machine``: one has answered, as far
    as the switch has found out.
    """

    call_id: str
    actor: str
    app: str
    number: str
    server: str
    state: OutgoingState
    cause: str
    machine: bool
    created_at: float
    answered_at: float | None
    ended_at: float | None


class OutgoingError(Exception):
    """Nothing was placed. The text is for people, and repeats no number."""


class OutgoingOffError(OutgoingError):
    """Parley places no calls: it is not configured to. The text says what to do about it."""


class NotPossibleError(OutgoingError):
    """What was asked for cannot be, or may not be, whenever it is asked."""


class NotNowError(OutgoingError):
    """People may not be called at this time; ``retry_after`` seconds from now they may."""

    def __init__(self, text: str, *, retry_after: float) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class TooManyOutgoingError(OutgoingError):
    """A limit is reached; ``retry_after`` is in seconds."""

    def __init__(self, text: str, *, retry_after: float) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class SwitchAwayError(OutgoingError):
    """No switch that could dial the number can be told to, or Parley itself is stopping."""
