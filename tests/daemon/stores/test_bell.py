"""Who shares a PostgreSQL hears that there is something to do, also after the server was away."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from sqlalchemy import text

from daemon.stores.bell import Bell
from daemon.stores.database import Database
from tests.services.databases import administer
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


# Found before PostgreSQL's own, it takes its time.
SLOW = (
    "CREATE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(3600)'",
    "ALTER DATABASE postgres SET search_path = public, pg_catalog",
)
RINGING = "FROM pg_stat_activity WHERE application_name = 'parley' AND wait_event = 'PgSleep'"


async def rings(database: Database) -> bool:
    async with database.read() as connection:
        return bool(await connection.scalar(text(f"SELECT count(*) {RINGING}")))


async def test_one_whose_connection_is_ended_while_it_rings_goes_on(postgres_server: PostgresServer) -> None:
    await administer(postgres_server.url(), *SLOW)
    ear, database = Ear(), Database.of(postgres_server.url(), timeout=5.0)
    bell = Bell(database, "test", ear.heard.set)
    running = asyncio.create_task(bell.run())
    await ear.hears()
    bell.ring()
    async with asyncio.timeout(30):
        while not await rings(database):  # noqa: ASYNC110 - only the server knows
            await asyncio.sleep(0.005)
    await administer(
        postgres_server.url(),
        "DROP FUNCTION public.pg_notify(text, text)",
        f"SELECT pg_terminate_backend(pid) {RINGING}",
    )
    hearing = asyncio.create_task(ear.hears())
    await asyncio.wait({running, hearing}, return_when=asyncio.FIRST_COMPLETED)
    assert not running.done()
    await hearing
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await database.close()


async def test_a_file_is_nobody_elses(database: Database) -> None:
    bell = Bell(database, "test", lambda: None)
    bell.ring()
    running = asyncio.create_task(bell.run())
    await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
