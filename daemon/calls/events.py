"""What happens on calls, in words that know no switch.

A room that holds a link (``switch``, later ``pbx``) turns its wire's events into these; the registry and the
transcripts take them in, one after another, in the order of the link. ``at`` is always Unix time in seconds of *our*
clock: the link's room has already allowed for a switch whose clock is set otherwise.

``origin`` is the kind of the other side (``"freeswitch"``), ``server`` its name in the configuration, and ``leg_id``
the other side's own id of the leg (a FreeSWITCH ``Unique-ID``). The three together are unique and stay the same over
restarts of Parley.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Union

import msgspec

from protocols.stt.result import RecogniserError, RecognitionResult


class Direction(StrEnum):
    """Seen from the switch: inbound legs rang us, outbound legs were placed by the switch."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class LegEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every event of a leg carries."""

    origin: str
    server: str
    leg_id: str
    at: float


class LegAppeared(LegEvent, frozen=True, kw_only=True, gc=False):
    """A leg exists. Sent for a new leg, and for every leg that a snapshot found.

    ``call_key`` is the leg id of the leg whose call this one belongs to (its own, for the first leg of a call).
    ``caller`` and ``callee`` are numbers as the switch writes them, ``""`` where it gives none; ``did`` is the number
    first dialled from outside. A snapshot also gives what happened before we looked: ``answered_at``, ``peer_id``
    (the leg it is bridged to), ``parked`` and ``held``; and ``mark``, which a Parley has left on the leg
    (:meth:`daemon.calls.control.CallControl.mark`).
    """

    call_key: str
    direction: Direction
    caller: str = ""
    caller_name: str = ""
    callee: str = ""
    did: str = ""
    code: str = ""
    created_at: float
    answered_at: float | None = None
    early: bool = False
    parked: bool = False
    held: bool = False
    peer_id: str = ""
    mark: str = ""


class LegProgressed(LegEvent, frozen=True, kw_only=True, gc=False):
    """The leg rings (``early`` false) or already has early media (``early`` true)."""

    early: bool = False


class LegAnswered(LegEvent, frozen=True, kw_only=True, gc=False):
    """The leg was answered."""


class AnswererDetected(LegEvent, frozen=True, kw_only=True, gc=False):
    """A detector on the switch took whoever answered the leg for a ``machine``, or for a person."""

    machine: bool


class LegParked(LegEvent, frozen=True, kw_only=True, gc=False):
    """The dialplan parked the leg; ``code`` is the app code it gave, ``""`` for none."""

    code: str = ""


class LegUnparked(LegEvent, frozen=True, kw_only=True, gc=False):
    """The leg left the park; ``callee`` is where it goes now."""

    callee: str = ""


class LegHeld(LegEvent, frozen=True, kw_only=True, gc=False):
    """The leg was put on hold (``held`` true) or taken off it."""

    held: bool


class LegsBridged(LegEvent, frozen=True, kw_only=True, gc=False):
    """``leg_id`` and ``other_leg_id`` now hear each other. Their calls become one."""

    other_leg_id: str


class LegsUnbridged(LegEvent, frozen=True, kw_only=True, gc=False):
    """``leg_id`` and ``other_leg_id`` no longer hear each other."""

    other_leg_id: str


class LegChanged(LegEvent, frozen=True, kw_only=True, gc=False):
    """The leg's app code or destination changed (a dialplan set it, a transfer); ``""`` means unchanged."""

    code: str = ""
    callee: str = ""


class LegEnded(LegEvent, frozen=True, kw_only=True, gc=False):
    """The leg hung up. ``cause`` is the Q.850 hangup cause by its FreeSWITCH name, ``""`` where not known.

    ``while_away`` says that the leg ended while the link was down, so ``at`` is when we found out.
    """

    cause: str = ""
    while_away: bool = False


class DigitPressed(LegEvent, frozen=True, kw_only=True, gc=False):
    """A DTMF digit: one of ``0-9*#A-D``."""

    digit: str


class AppSpoke(LegEvent, frozen=True, kw_only=True, gc=False):
    """A program made the switch say something to this leg.

    ``text`` is the words of a synthesised prompt (``vendor`` ``"speak"``) or the bare file name of a recorded one
    (``vendor`` ``"playback"``). What Parley says itself, and knows the words of, ``said_id`` names until
    :class:`AppFellSilent`.
    """

    text: str
    vendor: str
    said_id: str = ""


class AppFellSilent(LegEvent, frozen=True, kw_only=True, gc=False):
    """What Parley said as ``said_id`` is over; ``broken_off``: it was told to stop before."""

    said_id: str
    broken_off: bool = False


class RecogniserStarted(LegEvent, frozen=True, kw_only=True, gc=False):
    """A media bug began: where it feeds a recogniser, the zero of its times.

    ``stream`` is the bug's name, ``""`` for none. A bug of any name may feed one: results that name it tell.
    """

    stream: str = ""


class RecogniserStopped(LegEvent, frozen=True, kw_only=True, gc=False):
    """The recogniser of ``vendor`` no longer listens."""

    vendor: str
    stream: str = ""


class SpeechBegan(LegEvent, frozen=True, kw_only=True, gc=False):
    """The recogniser noticed speech and has no words yet."""

    stream: str = ""


class SpeechRecognised(LegEvent, frozen=True, kw_only=True, gc=False):
    """The recogniser of ``vendor`` heard something. ``stream`` tells two recognisers of one leg apart."""

    result: RecognitionResult
    vendor: str
    stream: str = ""


class RecogniserFailed(LegEvent, frozen=True, kw_only=True, gc=False):
    """The recogniser of ``vendor`` reported an error."""

    error: RecogniserError
    vendor: str
    stream: str = ""


CallEvent = Union[
    LegAppeared,
    LegProgressed,
    LegAnswered,
    AnswererDetected,
    LegParked,
    LegUnparked,
    LegHeld,
    LegsBridged,
    LegsUnbridged,
    LegChanged,
    LegEnded,
    DigitPressed,
    AppSpoke,
    AppFellSilent,
    RecogniserStarted,
    RecogniserStopped,
    SpeechBegan,
    SpeechRecognised,
    RecogniserFailed,
]
