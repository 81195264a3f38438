"""What browsers and programs are sent and may send: every REST and socket.io payload, and how it is made.

Times are Unix seconds, ``null`` where there is none; numbers and names are ``""`` where none is known. In the masked
view every number of a person is masked; the DID is one of our own and stays whole, and so do numbers that stand in
what was said.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from daemon.calls.call import Call, CallState, Disposition, Leg, LegState
from daemon.calls.events import Direction
from daemon.calls.links import LinkState, LinkStatus
from daemon.calls.numbers import mask_number, mask_numbers_in
from daemon.config import Role
from daemon.health import Condition, Report
from daemon.stores.calls import CallRow, LegRow
from daemon.stores.utterances import UtteranceRow
from daemon.transcripts.utterance import Speaker, Utterance
from web.views import View

Seconds = Annotated[float, Meta(description="Unix time in seconds.")]


class LegPayload(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One leg of a call: one channel of the switch."""

    leg_id: str
    direction: Direction
    caller: str
    caller_name: str
    callee: str
    code: str
    state: LegState
    created_at: Seconds
    answered_at: Seconds | None
    ended_at: Seconds | None
    hangup_cause: str
    parked: bool
    held: bool
    peer_id: str


class CallPayload(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One call with its legs, oldest first. ``merged_into`` names the older call it became part of."""

    call_id: str
    origin: str
    server: str
    state: CallState
    caller: str
    caller_name: str
    callee: str
    did: str
    code: str
    app: str
    created_at: Seconds
    answered_at: Seconds | None
    ended_at: Seconds | None
    hangup_cause: str
    disposition: Disposition | None
    merged_into: str | None
    sensitive: bool
    legs: list[LegPayload]


class UtterancePayload(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one speaker said in one stretch, as it stands now.

    An interim (``final`` false, ``seq`` 0) has the ``utterance_id`` of the final that takes its place; an interim
    without text takes back those before it. A dialogue stands in order of (``said_at``, ``seq``).
    """

    call_id: str
    utterance_id: str
    seq: int
    leg_id: str
    speaker: Speaker
    text: str
    start: float | None
    end: float | None
    said_at: Seconds
    final: bool
    confidence: float | None
    vendor: str


class LinkPayload(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The state of one of our connections. ``gap``: the seconds before this of which nothing is known."""

    link: str
    server: str
    state: LinkState
    since: Seconds
    last_event_at: Seconds | None
    detail: str
    gap: float | None


# socket.io, server to client


class CallEventPayload(msgspec.Struct, frozen=True, gc=False):
    """``call``: a call is new or changed."""

    call: CallPayload


class CallsEventPayload(msgspec.Struct, frozen=True, gc=False):
    """``calls``: all there is, on every connect. What does not fit follows as ``call`` events."""

    epoch: str
    now: Seconds
    calls: list[CallPayload]
    links: list[LinkPayload]


class ResetPayload(msgspec.Struct, frozen=True, gc=False):
    """``reset``: replaces what the client holds of ``call_id``, of all calls where that is ``*``.

    What does not fit follows as ``utterance`` events.
    """

    epoch: str
    call_id: str
    utterances: list[UtterancePayload]


# socket.io, client to server


class Watch(msgspec.Struct, frozen=True):
    """``watch``: tell me what is said on ``call_id`` (``*`` for all), from after the seqs I have.

    The seqs count only with the ``epoch`` they were given out in.
    """

    call_id: Annotated[str, Meta(min_length=1, max_length=200)]
    after: dict[str, Annotated[int, Meta(ge=0)]] = {}
    epoch: str | None = None


class Unwatch(msgspec.Struct, frozen=True):
    """``unwatch``: no more of ``call_id``."""

    call_id: Annotated[str, Meta(min_length=1, max_length=200)]


# REST


class SignIn(msgspec.Struct, frozen=True):
    """A user's name and password."""

    username: Annotated[str, Meta(min_length=1, max_length=200)]
    password: Annotated[str, Meta(min_length=1, max_length=1000)]


class SessionPayload(msgspec.Struct, frozen=True):
    """Who is signed in, and whether they are shown whole phone numbers."""

    username: str
    role: Role
    full_numbers: bool


class CallsPage(msgspec.Struct, frozen=True):
    """Calls, newest first. ``next`` is the cursor of the page after, ``null`` on the last."""

    calls: list[CallPayload]
    next: str | None


class TranscriptPayload(msgspec.Struct, frozen=True):
    """The finals of a call in order of their seq. ``epoch`` is the one their seqs belong to."""

    call_id: str
    epoch: str
    utterances: list[UtterancePayload]


class PartPayload(msgspec.Struct, frozen=True):
    """The condition of one part of Parley."""

    condition: Condition
    detail: str


class HealthPayload(msgspec.Struct, frozen=True):
    """``ok`` when all is well, ``degraded`` when a peer is away and Parley works on, ``down`` when it cannot work."""

    status: Condition
    version: str
    parts: dict[str, PartPayload]


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error (RFC 9457)."""

    title: str
    status: int
    detail: str = ""
    type: str = "about:blank"


# How they are made

_EXTENSION_DIGITS = 6
"""A caller with no more digits than this is one of our own extensions."""


def call_payload(call: Call | CallRow, view: View) -> CallPayload:
    """``call``, from memory or from the store, as ``view`` shows it."""
    whole = view is View.FULL
    number: Callable[[str], str] = str if whole else mask_number
    name: Callable[[str], str] = str if whole else mask_numbers_in
    return CallPayload(
        call_id=call.call_id,
        origin=call.origin,
        server=call.server,
        state=CallState(call.state),
        caller=number(call.caller),
        caller_name=name(call.caller_name),
        callee=number(call.callee),
        did=number(call.did) if _dialled_outside(call) else call.did,
        code=call.code,
        app=call.app,
        created_at=call.created_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        hangup_cause=call.hangup_cause,
        disposition=Disposition(call.disposition) if call.disposition else None,
        merged_into=call.merged_into or None,
        sensitive=isinstance(call, CallRow) and call.sensitive,
        legs=[_leg_payload(leg, number, name) for leg in call.legs],
    )


def _dialled_outside(call: Call | CallRow) -> bool:
    """Whether one of ours placed the call: what was dialled first is then somebody's number and no DID of ours."""
    return call.caller.isdigit() and len(call.caller) <= _EXTENSION_DIGITS


def _leg_payload(leg: Leg | LegRow, number: Callable[[str], str], name: Callable[[str], str]) -> LegPayload:
    return LegPayload(
        leg_id=leg.leg_id,
        direction=Direction(leg.direction),
        caller=number(leg.caller),
        caller_name=name(leg.caller_name),
        callee=number(leg.callee),
        code=leg.code,
        state=LegState(leg.state),
        created_at=leg.created_at,
        answered_at=leg.answered_at,
        ended_at=leg.ended_at,
        hangup_cause=leg.hangup_cause,
        parked=leg.parked,
        held=leg.held,
        peer_id=leg.peer_id,
    )


def utterance_payload(utterance: Utterance | UtteranceRow) -> UtterancePayload:
    """``utterance``, from memory or from the store (which holds finals only). It is the same in every view."""
    return UtterancePayload(
        call_id=utterance.call_id,
        utterance_id=utterance.utterance_id,
        seq=utterance.seq,
        leg_id=utterance.leg_id,
        speaker=Speaker(utterance.speaker),
        text=utterance.text,
        start=utterance.start,
        end=utterance.end,
        said_at=utterance.said_at,
        final=not isinstance(utterance, Utterance) or utterance.final,
        confidence=utterance.confidence,
        vendor=utterance.vendor,
    )


def link_payload(link: LinkStatus) -> LinkPayload:
    """``link`` as everybody is shown it."""
    return LinkPayload(
        link=link.link,
        server=link.server,
        state=link.state,
        since=link.since,
        last_event_at=link.last_event_at,
        detail=link.detail,
        gap=link.gap,
    )


def health_payload(report: Report, version: str, *, details: bool) -> HealthPayload:
    """``report`` without its figures, which are for ``/metrics``; without ``details`` also without words."""
    parts = {name: PartPayload(part.condition, part.detail if details else "") for name, part in report.parts.items()}
    return HealthPayload(report.condition, version if details else "", parts)
