"""Who shares a PostgreSQL hears that there is something to do, also after the server was away."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from daemon.stores.bell import Bell
from daemon.stores.database import Database
from tests.services.postgres import PostgresServer


class Ear:
    def __init__(self) -> None:
        self.heard = asyncio.Event()

    async def hears(self) -> None:
        async with asyncio.timeout(30):
            await self.heard.wait()
        self.heard.clear()


async def test_one_rings_and_all_hear(postgres_server: PostgresServer) -> None:
    ears = [Ear(), Ear()]
    databases = [Database.of(postgres_server.url(), timeout=5.0) for _ in ears]
    bells = [Bell(database, "test", ear.heard.set) for database, ear in zip(databases, ears, strict=True)]
    running = [asyncio.create_task(bell.run()) for bell in bells]
    for round_number in range(2):
        for bell, ear in zip(bells, ears, strict=True):
            await asyncio.wait_for(bell.listening.wait(), 30)
            await ear.hears()
        bells[0].ring()
        for ear in ears:
            await ear.hears()
        if round_number == 0:
            await asyncio.to_thread(postgres_server.stop)
            async with asyncio.timeout(30):
                while any(bell.listening.is_set() for bell in bells):  # noqa: ASYNC110 - nobody tells the end of it
                    await asyncio.sleep(0.005)
            await asyncio.to_thread(postgres_server.start)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    async with AsyncExitStack() as stack:
        for database in databases:
            stack.push_async_callback(database.close)


async def test_a_file_is_nobody_elses(database: Database) -> None:
    bell = Bell(database, "test", lambda: None)
    bell.ring()
    running = asyncio.create_task(bell.run())
    await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
