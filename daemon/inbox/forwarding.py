"""The handlers that come with Parley: keep what was delivered as a row of its own, and send it on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from daemon.inbox.contract import JSON, Delivery, Inbox, PermanentError, Work
from daemon.inbox.redactions import Redactions
from daemon.stores.database import Database
from daemon.stores.stored_events import StoredEventRow, add_stored_event
from protocols.webhooks.voxai import make_com_body


class StoringHandler:
    """``store``: keeps the event in the table ``stored_events``, for good and for whoever reads the database."""

    def __init__(self, database: Database, redactions: Redactions, clock: Callable[[], float]) -> None:
        self._database = database
        self._redactions = redactions
        self._clock = clock

    async def handle(self, delivery: Delivery) -> None:
        """A second time for the same intent changes nothing."""
        async with self._database.transaction() as connection:
            await add_stored_event(connection, self._row(await self._redactions.locked(connection, delivery)))

    def _row(self, delivery: Delivery) -> StoredEventRow:
        try:
            body = delivery.body.decode()
        except UnicodeDecodeError as error:
            raise PermanentError("the body is no text") from error
        return StoredEventRow(
            event_key=delivery.idempotency_key,
            delivery_id=delivery.delivery_id,
            source=delivery.source,
            event=delivery.event,
            received_at=delivery.received_at,
            stored_at=self._clock(),
            body=body.replace("\0", "\\u0000"),
        )


class ForwardingHandler:
    """Hands what was delivered to the destination whose source is ``to``, which sends and retries it by itself.

    ``change`` makes the body that is sent, or ``None`` where there is nothing to send. ``content_type`` is that of what
    it makes; ``None``: that of what came.
    """

    def __init__(
        self,
        inbox: Inbox,
        redactions: Redactions,
        to: str,
        change: Callable[[bytes], bytes | None],
        *,
        content_type: str | None = None,
    ) -> None:
        self._inbox = inbox
        self._redactions = redactions
        self._to = to
        self._change = change
        self._content_type = content_type

    async def handle(self, delivery: Delivery) -> None:
        """A second time for the same intent sends nothing more."""
        now = await self._redactions.latest(delivery)
        body = self._change(now.body)
        if body is None:
            return
        work = Work(
            source=self._to,
            event=delivery.event,
            body=body,
            content_type=self._content_type or delivery.headers.get("content-type", JSON),
            other_id=delivery.idempotency_key,
            key=delivery.key or None,
            redacted=now.redacted,
        )
        copy = await self._inbox.put(work)
        # What was said meanwhile, or before a try whose end nobody knew, did not reach the copy.
        if (await self._redactions.latest(now)).redacted:
            await self._redactions.redact(copy)


def as_it_is(body: bytes) -> bytes:
    """The whole body."""
    return body


def for_make_com(body: bytes) -> bytes | None:
    """What the Make.com forwarder sends: a few fields, when a Vox.ai call has ended."""
    fields: dict[str, Any] | None = make_com_body(body)
    return None if fields is None else msgspec.json.encode(fields)
