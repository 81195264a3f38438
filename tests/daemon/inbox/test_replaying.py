"""Many replays at once: what is looked at for them holds nobody up, and is counted only so far."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from daemon.actor import Actor
from daemon.inbox.replaying import Replayed, Replaying
from daemon.stores.audit import latest_audit
from daemon.stores.database import Database
from daemon.stores.deliveries import DeliveryFilter, cancel_delivery
from daemon.stores.delivery_inserts import NewDelivery, add_deliveries
from daemon.stores.delivery_work import DeliveryState
from daemon.stores.schema import deliveries
from tests.daemon.stores.counting import count_deliveries

ADMIN = Actor("admin", "rest")
NOW = 2000.0
CANCELLED = DeliveryFilter(state=DeliveryState.CANCELLED)


async def cancelled(database: Database, count: int) -> Replaying:
    """Replays on a store with so many that were cancelled."""
    rows = [
        NewDelivery(
            delivery_id=f"{number:05}",
            source="github",
            event="push",
            received_at=1000.0,
            due_at=1000.0,
            attempts_allowed=3,
            body=b"{}",
        )
        for number in range(count)
    ]
    await add_deliveries(database, rows)
    async with database.transaction() as connection:
        for row in rows:
            assert await cancel_delivery(connection, row.delivery_id, 1001.0)
    return Replaying(database, 3, lambda: None, lambda: NOW)


async def test_nobody_is_kept_from_writing_by_what_is_looked_at(database: Database) -> None:
    replaying = await cancelled(database, 3)
    async with database.transaction(), asyncio.timeout(30):
        # Somebody else writes all the while.
        for nothing in (DeliveryFilter(text="nothing"), DeliveryFilter(body="nothing", since=0.0, until=604_800.0)):
            assert await replaying.count(nothing) == Replayed(0, 0)
            assert await replaying.replay_many(nothing, per_second=10.0, actor=ADMIN) == Replayed(0, 0)
        assert await replaying.count(CANCELLED) == Replayed(3, 0)


async def test_it_is_counted_only_so_far(database: Database) -> None:
    replaying = await cancelled(database, 7)
    assert await replaying.count(CANCELLED) == Replayed(7, 0)
    assert await replaying.count(CANCELLED, most=3) == Replayed(3, 0, at_least=True)
    assert (await replaying.count(CANCELLED, seconds=0.0)).at_least


async def test_more_than_one_step_takes_are_replayed_each_at_its_time(database: Database) -> None:
    count = 1203
    replaying = await cancelled(database, count)
    assert await replaying.replay_many(CANCELLED, per_second=10.0, actor=ADMIN) == Replayed(count, count)
    async with database.read() as connection:
        assert await count_deliveries(connection, CANCELLED) == 0
        assert await count_deliveries(connection, DeliveryFilter(state=DeliveryState.PENDING)) == count
        due = list(await connection.scalars(select(deliveries.c.due_at).order_by(deliveries.c.delivery_id)))
        audit = await latest_audit(connection, 10)
    assert due == [NOW + place / 10.0 for place in range(count)]
    assert [row.detail["count"] for row in audit] == ["203", "500", "500"]
