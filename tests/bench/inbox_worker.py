"""Parley's worker alone: deliveries that are stored already, and a handler that does nothing.

    python -m tests.bench.inbox_worker DATABASE_URL DELIVERIES

Prints the deliveries per second from the worker's start to the commit of the last one's attempt and end.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Final

import uvloop
from sqlalchemy import text
from uuid_utils import uuid7

from daemon.config import InboxConfig
from daemon.inbox.contract import Delivery
from daemon.inbox.counts import Counts
from daemon.inbox.handlers import Handlers, NamedHandler
from daemon.inbox.retries import Retries
from daemon.inbox.runs import Runner
from daemon.inbox.worker import Worker
from daemon.stores.database import Database
from daemon.stores.delivery_inserts import NewDelivery, add_deliveries
from daemon.stores.store_clock import StoreClock
from tests.bench.push import pushes

_AT_ONCE: Final = 500
_LOOK_AGAIN: Final = 0.002


async def nothing(delivery: Delivery) -> None:
    """The handler."""


async def measure(url: str, count: int) -> float:
    """Deliveries worked per second."""
    config = InboxConfig()
    retries = Retries(config.retries)
    database = Database.of(url)
    await database.upgrade()
    await _store(database, count, retries.attempts)
    handlers = Handlers([NamedHandler(name="nothing", handle=nothing, source="*")])
    clock = StoreClock(time.time, of_database=database.is_postgresql)
    runner = Runner(handlers, retries, clock)
    worker = Worker(database, runner, config, retries, Counts(()), holder=lambda: "bench", clock=clock)
    began = time.perf_counter()
    working = asyncio.create_task(worker.run())
    while worker.finished < count:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(_LOOK_AGAIN)
    spent = time.perf_counter() - began
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await _require_done(database, count)
    await database.close()
    return count / spent


async def _store(database: Database, count: int, attempts: int) -> None:
    now = time.time()
    bodies = pushes()
    for first in range(0, count, _AT_ONCE):
        rows = [
            NewDelivery(
                delivery_id=str(uuid7()),
                source="github",
                event="push",
                other_id=f"delivery-{number}",
                received_at=now,
                due_at=now,
                attempts_allowed=attempts,
                body=bodies[number % len(bodies)],
            )
            for number in range(first, min(count, first + _AT_ONCE))
        ]
        await add_deliveries(database, rows)


async def _require_done(database: Database, count: int) -> None:
    done = "SELECT count(*) FROM deliveries JOIN delivery_attempts USING (delivery_id) WHERE state = 'done'"
    async with database.read() as connection:
        found = await connection.scalar(text(done))
    if found != count:
        raise AssertionError(f"of {count} deliveries {found} were worked")


if __name__ == "__main__":
    print(uvloop.run(measure(sys.argv[1], int(sys.argv[2]))), flush=True)
