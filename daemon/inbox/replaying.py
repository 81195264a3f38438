"""What people do to deliveries: replay one, or many by what they share, and cancel. Each leaves an audit row."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec

from daemon.actor import Actor
from daemon.stores.audit import AuditRow, add_audit
from daemon.stores.database import Database
from daemon.stores.deliveries import (
    DeliveryFilter,
    cancel_delivery,
    find_deliveries,
    replay_deliveries,
)

MOST_AT_ONCE: Final = 10_000
"""Deliveries that one bulk replay takes at most."""
MOST_COUNTED: Final = 100_000
"""Deliveries that a count goes to at most."""
_REPLAYED_AT_ONCE: Final = 500
_COUNTED_AT_ONCE: Final = 5_000
_ROWS_READ: Final = 20_000
_BODIES_READ: Final = 2_000
"""Rows that are looked at in one reading: with bodies, it is these that take the time."""
_COUNTING: Final = 5.0
"""Seconds after which a count is given as far as it is."""


class Replayed(msgspec.Struct, frozen=True, gc=False):
    """``found`` have ended and match, or more than that where ``at_least``; ``replayed`` of them are pending again (0
    for a count)."""

    found: int
    replayed: int
    at_least: bool = False


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

    async def count(self, wanted: DeliveryFilter, *, most: int = MOST_COUNTED, seconds: float = _COUNTING) -> Replayed:
        """How many :meth:`replay_many` would find, beyond what it takes at once.

        It goes to ``most`` at most, and looks no further after ``seconds``.
        """
        found, end = 0, time.monotonic() + seconds
        async for ids in self._ended(wanted, _COUNTED_AT_ONCE):
            found += len(ids)
            if found >= most or time.monotonic() >= end:
                return Replayed(min(found, most), 0, at_least=True)
        return Replayed(found, 0)

    async def replay_many(self, wanted: DeliveryFilter, *, per_second: float, actor: Actor) -> Replayed:
        """Let those that have ended and match be worked on again, oldest first, so many in a second.

        :data:`MOST_AT_ONCE` of them at most.
        """
        began = self._clock()
        found, replayed = 0, 0
        async for ids in self._ended(wanted, _REPLAYED_AT_ONCE):
            taken = ids[: MOST_AT_ONCE - found]
            due = [(one, began + place / per_second) for place, one in enumerate(taken, found)]
            found += len(taken)
            replayed += await self._replay_some(wanted, due, per_second, actor)
            if found == MOST_AT_ONCE:
                break
        return Replayed(found, replayed)

    async def _ended(self, wanted: DeliveryFilter, limit: int) -> AsyncIterator[list[str]]:
        """The ids of those that have ended and match, oldest first, up to ``limit`` at a time.

        Whatever is looked at for them is read, a little at a time, while others write.
        """
        most = _BODIES_READ if wanted.body else _ROWS_READ
        after: str | None = ""
        while after is not None:
            async with self._database.read() as connection:
                found = await find_deliveries(connection, wanted, after=after, limit=limit, most_read=most)
            yield found.ids
            after = found.after

    async def _replay_some(
        self, wanted: DeliveryFilter, due: list[tuple[str, float]], per_second: float, actor: Actor
    ) -> int:
        """Let those (id, when it is due) be worked on again; how many of them still had ended."""
        if not due:
            return 0
        async with self._database.transaction() as connection:
            done = await replay_deliveries(connection, due, self._attempts)
            if done:
                detail = {name: str(value) for name, value in msgspec.structs.asdict(wanted).items() if value}
                detail |= {"count": str(done), "per_second": f"{per_second:g}"}
                await add_audit(connection, self._audit(actor, "deliveries_replayed", "", detail))
        self._wake()
        return done

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
