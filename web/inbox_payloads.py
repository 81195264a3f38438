"""What REST takes and gives about the inbox. Times are Unix seconds."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from daemon.stores.delivery_work import DeliveryState, RunOutcome

Words = Annotated[str, Meta(max_length=200)]
Moment = Annotated[float, Meta(ge=0, le=253_402_300_799)]
"""Unix seconds, of the years from 1970 to 9999."""


class AcceptedPayload(msgspec.Struct, frozen=True):
    """A delivery that is safe."""

    message: str
    delivery_id: str


class CallEventPayload(msgspec.Struct, frozen=True):
    """An event of a call that is safe; ``details`` is the id of its delivery."""

    status: str
    message: str
    details: str


class DeliveryPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery in a list. ``other_id`` is the provider's id of it, ``key`` what it stays in order with, both ``null``
    where there is none; ``size`` is the bytes of its body; ``error`` is of the last attempt that failed. ``attempts``
    and ``attempts_allowed`` both grow where it was taken up and not begun."""

    delivery_id: str
    source: str
    event: str
    other_id: str | None
    key: str | None
    state: DeliveryState
    received_at: float
    due_at: float
    attempts: int
    attempts_allowed: int
    replays: int
    finished_at: float | None
    error: str
    redacted: bool
    size: int


class DeliveriesPayload(msgspec.Struct, frozen=True):
    """Some deliveries, newest first. ``before`` goes on from here, ``null`` at the end.

    A page may be short, or empty, and not the last: ``looked_back_to`` says how far it was looked.
    """

    deliveries: list[DeliveryPayload]
    before: str | None
    looked_back_to: float | None


class HeaderPayload(msgspec.Struct, frozen=True):
    """A header as it came; a secret in it is ``***``."""

    name: str
    value: str


class RunPayload(msgspec.Struct, frozen=True):
    """One run of a handler, ``""`` where it is not known which."""

    attempt: int
    handler: str
    started_at: float
    finished_at: float
    outcome: RunOutcome
    error: str


class WholeDeliveryPayload(msgspec.Struct, frozen=True):
    """A delivery with all there is of it.

    ``body`` is text where the bytes are UTF-8 (``body_as`` is then ``text``), else base64.
    """

    delivery: DeliveryPayload
    address: str
    headers: list[HeaderPayload]
    body: str
    body_as: Literal["text", "base64"]
    runs: list[RunPayload]


class SourcePayload(msgspec.Struct, frozen=True, kw_only=True):
    """What a source delivered. ``accepted``, ``doubles`` and ``refused`` (by reason) are since Parley was started;
    the others are what stands in the store. ``oldest_pending_at`` is when the oldest of these was received."""

    source: str
    pending: int
    working: int
    dead: int
    cancelled: int
    oldest_pending_at: float | None
    accepted: int
    doubles: int
    refused: dict[str, int]


class InboxPayload(msgspec.Struct, frozen=True, kw_only=True):
    """The inbox as a whole. ``counted_at`` is when the store was counted; ``problem`` why nothing can be stored, ``""``
    where it can. ``attempts``, ``finished`` and ``died`` are since Parley was started."""

    sources: list[SourcePayload]
    waiting: int
    running: int
    attempts: int
    finished: int
    died: int
    counted_at: float | None
    problem: str


class DeliveryChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which deliveries: every member that is given must be true of one."""

    source: Annotated[Words | None, Meta(description="Its source.")] = None
    event: Annotated[Words | None, Meta(description="Its event.")] = None
    state: Annotated[DeliveryState | None, Meta(description="Its state.")] = None
    since: Annotated[Moment | None, Meta(description="Received then or later.")] = None
    until: Annotated[Moment | None, Meta(description="Received before that.")] = None
    text: Annotated[
        Words | None, Meta(description="Its id, the provider's, or its key, whole; or part of its event or error.")
    ] = None
    body: Annotated[
        Words | None, Meta(description="Part of its body. Needs `since` and `until`, at most a week apart.")
    ] = None


class DeliveriesQuery(DeliveryChoice, frozen=True, forbid_unknown_fields=True):
    """A page of them."""

    before: Annotated[Words | None, Meta(description="Where the page before ended.")] = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class ReplaysWish(DeliveryChoice, frozen=True, forbid_unknown_fields=True):
    """Many replays at once: of those that have ended, oldest first, 10,000 at most.

    ``dry_run`` counts them and does nothing.
    """

    dry_run: bool = True
    per_second: Annotated[float, Meta(gt=0, le=1000)] = 10.0


class ReplaysPayload(msgspec.Struct, frozen=True):
    """``found`` have ended and match; ``replayed`` of them are pending again, 0 in a dry run.

    ``at_least``: there may be more than ``found``; a dry run counts to 100,000, and for some seconds, at most.
    """

    found: int
    replayed: int
    at_least: bool = False
