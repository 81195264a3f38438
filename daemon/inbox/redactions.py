"""What may not be kept any more is taken out of a call's deliveries, and of everything that was made of them.

The body of an event is in memory while its handlers run, and another event of its call may say meanwhile that nothing
is to be kept. So nobody works with what is in memory alone: who stores something of a delivery locks its row first and
takes what stands there, in one transaction, which the redaction waits for and then finds; who hands it on looks just
before, and again when the copy is stored.

That leaves what nobody can take back: what has been sent, or is just being sent, when people opt out, and what a
function of one's own was given for the attempt that it is at. Nor is anything found that was kept for a destination
which the configuration names no more, or that was made of a delivery which is deleted by now: who keeps deliveries for
less time than a call takes, to its last event, would keep what was made of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.inbox.contract import Delivery
from daemon.stores.database import Database
from daemon.stores.opt_outs import deliveries_of_call, redact_delivery, redacted_body, unredacted_copies
from protocols.webhooks.voxai_redaction import redact


class Redactions:
    """Of the deliveries of ``sources``, and of their copies for the sources ``copied_to``. No others are ever redacted.

    What raises here, raises ``DatabaseAwayError``.
    """

    def __init__(self, database: Database, sources: Collection[str] = (), copied_to: Sequence[str] = ()) -> None:
        self._database = database
        self._copied_to = copied_to
        self._concerned = frozenset((*sources, *copied_to)) if sources else frozenset()

    async def latest(self, delivery: Delivery) -> Delivery:
        """``delivery`` as it may be sent on in this moment."""
        if not self._may_change(delivery):
            return delivery
        async with self._database.read() as connection:
            return _as_it_is(delivery, await redacted_body(connection, delivery.delivery_id))

    async def locked(self, connection: AsyncConnection, delivery: Delivery) -> Delivery:
        """``delivery`` as it may be stored in this transaction."""
        if not self._may_change(delivery):
            return delivery
        return _as_it_is(delivery, await redacted_body(connection, delivery.delivery_id, lock=True))

    def _may_change(self, delivery: Delivery) -> bool:
        return not delivery.redacted and delivery.source in self._concerned

    async def redact_call(self, source: str, key: str) -> None:
        """Let nothing of what was said stay in the deliveries of a call and in what handlers made of them.

        Each in a transaction of its own: what was not reached is found again by whoever tries again.
        """
        async with self._database.read() as connection:
            originals = await deliveries_of_call(connection, source, key)
        for delivery_id, is_redacted in originals:
            if not is_redacted:
                await self.redact(delivery_id)
        # Only now: whoever hands on one of them from here on finds it redacted, and sees to the copy itself.
        async with self._database.read() as connection:
            copies = await unredacted_copies(connection, [delivery_id for delivery_id, _ in originals], self._copied_to)
        for delivery_id in copies:
            await self.redact(delivery_id)

    async def redact(self, delivery_id: str) -> None:
        """Let nothing of what was said stay in one delivery and in the events stored of it."""
        async with self._database.transaction() as connection:
            await redact_delivery(connection, delivery_id, lambda body: redact(body, opted_out=True)[0])


def _as_it_is(delivery: Delivery, redacted: bytes | None) -> Delivery:
    return delivery if redacted is None else msgspec.structs.replace(delivery, body=redacted, redacted=True)
