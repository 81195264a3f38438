"""An acceptor and workers on one store, with a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from uuid_utils import uuid7

from daemon.config import InboxConfig
from daemon.inbox.acceptor import Acceptor
from daemon.inbox.contract import Delivery
from daemon.inbox.counts import Counts
from daemon.inbox.handlers import Handlers, NamedHandler
from daemon.inbox.retries import Retries
from daemon.inbox.runs import Runner
from daemon.inbox.worker import Worker
from daemon.stores.database import Database
from daemon.stores.deliveries import DeliveryFilter, DeliveryRow, WholeDelivery, get_delivery, page_of_deliveries
from daemon.stores.delivery_inserts import Accepted, NewDelivery
from daemon.stores.delivery_work import DeliveryState
from daemon.stores.store_clock import StoreClock


class Workshop:
    """``now`` is what its clock says."""

    def __init__(self, database: Database, **config: Any) -> None:
        self.database = database
        self.now = 1_000_000.0
        self.config = InboxConfig(**config)
        self.retries = Retries(self.config.retries)
        self.handlers = Handlers()
        self.workers: list[Worker] = []
        self.acceptor = Acceptor(database, lambda *_: self.wake())

    def clock(self) -> float:
        return self.now

    def wake(self) -> None:
        for worker in self.workers:
            worker.wake()

    def handle(self, handle: Callable[[Delivery], Coroutine[Any, Any, None]], **fields: Any) -> None:
        """Let ``handle`` be a handler, of every source unless ``fields`` say otherwise."""
        given: dict[str, Any] = {"name": handle.__name__, "source": "*", "handle": handle}
        self.handlers.add(NamedHandler(**(given | fields)))

    def worker(
        self, holder: str = "one", *, pressed: bool = False, clock: StoreClock | None = None, **more: Any
    ) -> Worker:
        """One that goes by the clock of the test, where it is not given another."""
        clock = clock or StoreClock(self.clock, of_database=False)
        runner = Runner(self.handlers, self.retries, clock)
        worker = Worker(
            self.database,
            runner,
            self.config,
            self.retries,
            Counts(()),
            holder=lambda: holder,
            clock=clock,
            pressed=lambda: pressed,
            **more,
        )
        self.workers.append(worker)
        return worker

    async def accept(self, source: str = "github", event: str = "push", **fields: Any) -> Accepted:
        return await self.acceptor.accept(self.delivery(source, event, **fields))

    def delivery(self, source: str = "github", event: str = "push", **fields: Any) -> NewDelivery:
        """One that has just come."""
        given: dict[str, Any] = {
            "delivery_id": str(uuid7()),
            "source": source,
            "event": event,
            "received_at": self.now,
            "due_at": self.now,
            "attempts_allowed": self.retries.attempts,
            "body": b"{}",
        }
        return NewDelivery(**(given | fields))

    async def get(self, accepted: Accepted) -> WholeDelivery:
        async with self.database.read() as connection:
            whole = await get_delivery(connection, accepted.delivery_id)
        assert whole is not None
        return whole

    async def until(self, accepted: Accepted, holds: Callable[[DeliveryRow], bool]) -> WholeDelivery:
        """Wait until something is so of a delivery, and get it."""
        async with asyncio.timeout(30):
            while not holds((whole := await self.get(accepted)).row):  # noqa: ASYNC110 - a store tells nobody
                await asyncio.sleep(0.005)
        return whole

    async def is_in(self, accepted: Accepted, *states: DeliveryState) -> WholeDelivery:
        """Wait until it is in one of the states."""
        return await self.until(accepted, lambda row: row.state in states)

    async def failed(self, accepted: Accepted, attempts: int) -> WholeDelivery:
        """Wait until so many attempts at it were made and noted."""
        return await self.until(
            accepted, lambda row: row.attempts >= attempts and row.state is not DeliveryState.WORKING
        )

    async def all(self) -> list[DeliveryState]:
        async with self.database.read() as connection:
            page = await page_of_deliveries(connection, DeliveryFilter(), before=None, limit=100_000)
        return [row.state for row in page.rows]


@asynccontextmanager
async def at_work(*rooms: Acceptor | Worker) -> AsyncIterator[None]:
    """Run them; then cancel them, as a stop does."""
    tasks = [asyncio.create_task(room.run()) for room in rooms]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
