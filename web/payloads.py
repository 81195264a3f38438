"""What browsers and programs are sent and may send: every REST and socket.io payload.

Times are Unix seconds, ``null`` where there is none; numbers and names are ``""`` where none is known.
:mod:`web.views` makes them.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from daemon.calls.call import AppState, CallState, Disposition, LegState
from daemon.calls.events import Direction
from daemon.calls.links import LinkState
from daemon.config import Role
from daemon.health import Condition
from daemon.transcripts.utterance import Speaker

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
    """One call with its legs, oldest first. ``merged_into`` names the older call it became part of.

    ``app`` leads it, or has led it; ``app_state`` is what it does at this moment, ``null`` where there is none.
    ``outcome`` is how it went: in the app's own word, else as ``app_ending``, which is why it leads the call no more:
    ``returned``, ``hung_up``, ``handed_on``, ``taken_over``, ``cut_off``, or, where it left its caller to the
    fall-back, ``given_up`` (by its own will), ``failed`` (it raised), ``late``, ``stopped``, ``lost``, ``refused``;
    ``""`` while it leads it.
    """

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
    app_state: AppState | None = None
    outcome: str = ""
    app_ending: str = ""


class FindingPayload(msgspec.Struct, frozen=True):
    """One thing that the analysis of a call was to find, in the agent's provider's words."""

    name: str
    type: str | None
    value: Any


class AgentPayload(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider of a voice agent says of a call; ``""`` and ``null`` are what it did not say.

    ``dynamic_variables`` and ``metadata`` are as they were given.
    """

    agent_id: str
    agent_version: str
    call_type: str
    recording_url: str
    summary: str
    sentiment: str
    analysis: list[FindingPayload]
    dynamic_variables: dict[str, Any] | None
    metadata: dict[str, Any] | None


class WholeCallPayload(CallPayload, frozen=True, kw_only=True, gc=False):
    """A call with all there is of it. ``agent`` is ``null`` for a call that no voice agent was on."""

    agent: AgentPayload | None


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
    """The state of one of our connections. ``gap``: the seconds before this of which nothing is known; ``round_trip``:
    the seconds of its last answer, where it is asked regularly."""

    link: str
    server: str
    state: LinkState
    since: Seconds
    last_event_at: Seconds | None
    detail: str
    gap: float | None
    round_trip: float | None = None


# socket.io, server to client


class CallEventPayload(msgspec.Struct, frozen=True, gc=False):
    """``call``: a call is new or changed."""

    call: CallPayload


class CallsEventPayload(msgspec.Struct, frozen=True, gc=False):
    """``calls``: all there is, on every connect. What does not fit follows as ``call`` events.

    An ended call is part of it for ``keep_ended`` seconds; nobody says when that time is over.
    """

    epoch: str
    now: Seconds
    keep_ended: float
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
    """Who is signed in, and whether they are shown whole phone numbers. ``extension`` is where calls reach them."""

    username: str
    role: Role
    full_numbers: bool
    extension: str = ""


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
