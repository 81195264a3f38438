"""What the PBX does for others: call forwarding and click-to-call. Every method names who asks.

A tenant is always named by its alias of the configuration; its id at the vendor never leaves the room. Numbers are
whole here; whoever shows them to people masks them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec

from daemon.actor import Actor
from protocols.dcmiws.diversions import DiversionKind


class PbxError(Exception):
    """A request to the PBX that did not do what was asked. The text is for people, without a tenant's id."""


class PbxUnavailable(PbxError):  # noqa: N818 - these are the names that people meet
    """The gateway or the server is away; ``sent`` says whether the request may have reached it."""

    def __init__(self, text: str, *, sent: bool = False) -> None:
        super().__init__(text)
        self.sent = sent


class PbxTimeout(PbxError):  # noqa: N818
    """The request was sent and nothing came back in time: it may or may not have happened."""


class PbxRefused(PbxError):  # noqa: N818
    """The server answered that it will not."""


class EntryNotFound(PbxError):  # noqa: N818
    """The database of the server has no such entry."""


class UsageError(PbxError):
    """What was asked for cannot be asked: wrong by itself, nothing was sent."""


class UnknownTenant(UsageError):  # noqa: N818
    """No tenant has this alias, or none or several have this extension."""


class Conflict(PbxError):  # noqa: N818
    """The diversion is no longer what the caller last saw; read it again."""


class TooManyCalls(PbxError):  # noqa: N818
    """A limit on click-to-calls is reached; ``retry_after`` is in seconds."""

    def __init__(self, text: str, *, retry_after: float) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class ServerDiversion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A diversion as one server stores it.

    ``enabled`` is ``True`` where the entry is absent (the vendor's default), ``destination`` ``""``. ``error`` is why
    the server could not be read, ``""`` where it could; the other fields are then the defaults.
    """

    server: str
    enabled: bool = True
    destination: str = ""
    error: str = ""

    @property
    def in_effect(self) -> bool:
        """Whether that server forwards calls by it, be it to a destination of another program's making."""
        return self.enabled and bool(self.destination)


class Diversion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One kind of forwarding of one extension.

    ``enabled`` and ``destination`` are those of the first server that could be read; ``agreed`` says whether every
    server could be read and says the same. ``in_effect`` is true only with ``enabled`` and a ``destination``;
    ``summary`` says it in words. ``version`` changes with what any server stores: a change must name it.
    """

    kind: DiversionKind
    enabled: bool
    destination: str
    in_effect: bool
    agreed: bool
    summary: str
    version: str
    servers: list[ServerDiversion]


def in_words(*, enabled: bool, destination: str) -> str:
    """What a diversion does. ``destination`` may be masked."""
    if enabled:
        return f"forwards to {destination}" if destination else "enabled, but without a destination: not in effect"
    return f"disabled; enabled, it would forward to {destination}" if destination else "disabled"


class ExtensionDiversions(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The diversions of an extension, in the order of :class:`DiversionKind`; ``version`` is that of all together."""

    tenant: str
    extension: str
    version: str
    diversions: list[Diversion]


class Diversions(Protocol):
    """Reads and sets call forwarding. Every method raises a :class:`PbxError`, and ``DatabaseAwayError`` where a
    change cannot be locked and audited.

    ``tenant`` may be left out where the extension's pattern names exactly one.
    """

    async def read(
        self, extension: str, *, tenant: str | None = None, server: str | None = None
    ) -> ExtensionDiversions:
        """All four kinds, from every server of the tenant, or from ``server`` alone."""

    async def change(
        self,
        extension: str,
        kind: DiversionKind,
        *,
        actor: Actor,
        version: str,
        tenant: str | None = None,
        enabled: bool | None = None,
        destination: str | None = None,
    ) -> ExtensionDiversions:
        """Set what is given on every server, read back and return what is really stored.

        ``destination`` ``""`` removes it. ``version`` is that of the kind, or ``"*"`` for whatever it is.
        """

    async def clear(
        self,
        extension: str,
        kind: DiversionKind | None,
        *,
        actor: Actor,
        version: str,
        tenant: str | None = None,
    ) -> ExtensionDiversions:
        """Back to the defaults: no destination, nothing stored; of all kinds where ``kind`` is ``None``."""


class CallStep(StrEnum):
    """How far a click-to-call is. The last five end it."""

    REQUESTED = "requested"
    QUEUED = "queued"
    CALLER_RINGING = "caller_ringing"
    FORWARDED = "forwarded"
    CALLER_ANSWERED = "caller_answered"
    CALLEE_RINGING = "callee_ringing"
    CALLEE_ANSWERED = "callee_answered"
    ENDED = "ended"
    CALLER_UNREACHED = "caller_unreached"
    CALLEE_UNREACHED = "callee_unreached"
    FAILED = "failed"
    OUTCOME_UNKNOWN = "outcome_unknown"


class StepTaken(msgspec.Struct, frozen=True, gc=False):
    """``step`` was reached ``at`` (Unix seconds); ``detail`` says more in words, ``""`` where there is no more."""

    step: CallStep
    at: float
    detail: str = ""


class ClickToCallRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who is to be called from which extension; the names are the vendor's. What is ``None`` is the tenant's."""

    caller: str
    callee: str
    tenant: str | None = None
    cos_id: str | None = None
    cid_name: str | None = None
    cid_number: str | None = None
    variables: dict[str, str] = {}


class Forward(msgspec.Struct, frozen=True, gc=False):
    """A diversion that is in effect."""

    kind: DiversionKind
    destination: str


class PlacedCall(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A click-to-call and what became of it. Times are Unix seconds.

    ``way`` is how it was asked for, ``""`` before. ``forwards`` are the caller's diversions in effect when it was
    placed, whose numbers ring first or instead: ``IMMEDIATE`` alone where that was one of them. ``forwards_unread``:
    they could not be read. ``call_id`` names the call in the live view once it is tied, ``""`` before.
    """

    click_to_call_id: str
    tenant: str
    caller: str
    callee: str
    actor: str
    way: str
    forwards: list[Forward]
    forwards_unread: bool
    created_at: float
    ended_at: float | None
    call_id: str
    steps: list[StepTaken]

    @property
    def notice(self) -> str:
        """What the caller's diversions will do, in words; ``""`` where nothing."""
        if self.forwards_unread:
            return f"whether {self.caller} is forwarded could not be read"
        return "; ".join(self._forwarded(forward) for forward in self.forwards)

    def _forwarded(self, forward: Forward) -> str:
        said = f"{self.caller} forwards to {forward.destination}"
        if forward.kind is DiversionKind.IMMEDIATE:
            return f"{said}: that phone rings first"
        return f"{said} on {forward.kind.lower().replace('_', ' ')}"


class ClickToCall(Protocol):
    """Calls an extension, and from it a number. Raises a :class:`PbxError` where nothing was placed."""

    async def place(self, request: ClickToCallRequest, *, actor: Actor, key: str) -> PlacedCall:
        """Place the call, and return when it is queued or has failed; a ``key`` used within a day by the same actor
        places no second one and returns what became of the first. ``UsageError`` where the key was used for another
        request."""

    async def progress(self, click_to_call_id: str) -> PlacedCall | None:
        """How far it is; ``None`` for an id that is not known."""
