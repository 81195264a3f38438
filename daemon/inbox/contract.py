"""What the inbox is to others: to a handler a :class:`Delivery`, to rooms that hand work to it an :class:`Inbox`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

OWN: Final = "parley"
"""The source of Parley's own events."""
JSON: Final = "application/json"
"""The content type of what says no other."""


class PermanentError(Exception):
    """Raised by a handler: another try would be of no use. The delivery dies with this text."""


class RetryLaterError(Exception):
    """Raised by a handler: try again, ``after`` seconds where the other side said so.

    Any other exception means the same without saying when.
    """

    def __init__(self, text: str, *, after: float | None = None) -> None:
        super().__init__(text)
        self.after = after


class PostponedError(Exception):
    """Raised by a handler: it was not tried, and is to be ``after`` seconds from now. That is no attempt.

    ``counts_in_the_end``: for longer than failures are tried again it is one, for what it waits for may never come.
    """

    def __init__(self, text: str, *, after: float, counts_in_the_end: bool = False) -> None:
        super().__init__(text)
        self.after = after
        self.counts_in_the_end = counts_in_the_end


class Delivery(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A webhook, or work of a room of ours, as a handler sees it.

    ``other_id`` is the provider's id of it, ``key`` what it stays in order with (``""``: nothing). ``headers`` have
    lower-case names and no secrets; of a name that stood twice the last value. ``received_at`` is in Unix seconds.
    ``attempt`` grows from 1, over all replays; numbers are left out where it was claimed and not begun. ``redacted``:
    what must not be stored was taken out of ``body``.

    A delivery may be handed to a handler more than once: its process may die between the doing and the noting. What
    must happen once is marked by ``idempotency_key``, which is the same each time, and another after a replay.
    """

    delivery_id: str
    source: str
    event: str
    other_id: str | None
    key: str
    received_at: float
    attempt: int
    idempotency_key: str
    address: str
    redacted: bool
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises :class:`PermanentError` where it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise PermanentError("the body is no JSON") from error


Handler = Callable[[Delivery], Awaitable[None]]


class Work(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something for the inbox to see done: ``source`` is the room that hands it in.

    With ``other_id`` it is taken once for good, with ``key`` in order, with ``due_at`` (Unix seconds) not before.
    ``content_type`` is that of ``body``: a destination is told of it. ``redacted``: what must not be stored was taken
    out of it.
    """

    source: str
    event: str
    body: bytes
    content_type: str = JSON
    other_id: str | None = None
    key: str | None = None
    due_at: float | None = None
    redacted: bool = False


class InboxFullError(Exception):
    """So much waits to be stored that no more is taken. Trying again later is right."""


class Inbox(Protocol):
    """Takes work of rooms."""

    async def put(self, work: Work) -> str:
        """Store ``work``; returns its delivery id when it is safe.

        Raises :class:`InboxFullError`, and ``DatabaseAwayError`` and ``RowRefusedError`` of the store.
        """


Claim = Callable[[AsyncConnection], Awaitable[bool]]
"""Writes by a connection that it is being done, and says whether nobody had before."""


class ClaimingInbox(Inbox, Protocol):
    """One that takes work together with the claim to it, so that the two do not come apart."""

    async def put_claimed(self, work: Work, claim: Claim) -> bool:
        """Store ``work``, which has no ``key``, in one transaction with what ``claim`` writes: both or nothing.

        Returns what ``claim`` does; where that is False, no work is stored. Work whose ``other_id`` is there already
        stays as it is.

        Raises ``DatabaseAwayError``, after which it may have been stored, and ``RowRefusedError``.
        """
