"""What people do to deliveries: replay one, or many by what they share, and cancel. Each leaves an audit row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from daemon.inbox.contract import Actor
from daemon.stores.audit import AuditRow, add_audit
from daemon.stores.database import Database
from daemon.stores.deliveries import (
    DeliveryFilter,
    cancel_delivery,
    count_deliveries,
    find_deliveries,
    replay_deliveries,
)

MOST_AT_ONCE: Final = 10_000
"""Deliveries that one bulk replay takes at most."""
_STEP: Final = 500


class Replayed(msgspec.Struct, frozen=True, gc=False):
    """``found`` have ended and match; ``replayed`` of them are pending again (0 for a count)."""

    found: int
    replayed: int


class Replaying:
    """``attempts`` are what a replay allows, ``wake`` tells the workers, ``clock`` gives Unix seconds."""

    def __init__(self, database: Database, attempts: int, wake: Callable[[], None], clock: Callable[[], float]) -> None:
        self._database = database
        self._attempts = attempts
        self._wake = wake
        self._clock = clock

    async def replay(self, delivery_id: str, *, actor: Actor) -> bool:
        """Let it be worked on again. False: there is none, or it has not ended."""
        now = self._clock()
        async with self._database.transaction() as connection:
            done = await replay_deliveries(connection, [(delivery_id, now)], self._attempts)
            if done:
                await add_audit(connection, self._audit(actor, "delivery_replayed", delivery_id))
        self._wake()
        return bool(done)

    async def cancel(self, delivery_id: str, *, actor: Actor) -> bool:
        """Let it not be worked on any more. False: there is none, or it has ended."""
        async with self._database.transaction() as connection:
            done = await cancel_delivery(connection, delivery_id, self._clock())
            if done:
                await add_audit(connection, self._audit(actor, "delivery_cancelled", delivery_id))
        return done

    async def count(self, wanted: DeliveryFilter) -> Replayed:
        """How many :meth:`replay_many` would find, beyond what it takes at once."""
        async with self._database.read() as connection:
            return Replayed(await count_deliveries(connection, wanted, ended=True), 0)

    async def replay_many(self, wanted: DeliveryFilter, *, per_second: float, actor: Actor) -> Replayed:
        """Let those that have ended and match be worked on again, oldest first, so many in a second.

        :data:`MOST_AT_ONCE` of them at most.
        """
        began = self._clock()
        after, replayed = "", 0
        while replayed < MOST_AT_ONCE:
            async with self._database.transaction() as connection:
                ids = await find_deliveries(connection, wanted, after=after, limit=min(_STEP, MOST_AT_ONCE - replayed))
                due = [(one, began + (replayed + place) / per_second) for place, one in enumerate(ids)]
                done = await replay_deliveries(connection, due, self._attempts)
                if done:
                    detail = {name: str(value) for name, value in msgspec.structs.asdict(wanted).items() if value}
                    detail |= {"count": str(done), "per_second": f"{per_second:g}"}
                    await add_audit(connection, self._audit(actor, "deliveries_replayed", "", detail))
            if not ids:
                break
            after = ids[-1]
            replayed += done
            self._wake()
        return Replayed(replayed, replayed)

    def _audit(self, actor: Actor, action: str, subject: str, detail: dict[str, str] | None = None) -> AuditRow:
        return AuditRow(
            at=self._clock(),
            actor=actor.name,
            via=actor.via,
            action=action,
            subject=subject,
            address=actor.address,
            detail=detail or {},
        )
