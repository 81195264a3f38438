"""Stored calls that ended unseen end in the store, also where it was too slow to be asked at the time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from sqlalchemy import text

from daemon.calls.registry import Registry
from daemon.hub import Hub
from daemon.recall import Recall
from daemon.stores.calls import get_call, save_calls
from daemon.stores.database import Database
from daemon.transcripts.assembler import Transcripts
from tests.daemon.stores.rows import call_row
from tests.services.databases import PostgresDatabases

NOW = 1_795_199_377.0


@pytest.fixture
async def store(postgres_databases: PostgresDatabases) -> AsyncIterator[Database]:
    """One in which a table can be locked."""
    opened = Database.of(await asyncio.to_thread(postgres_databases.make))
    yield opened
    await opened.close()


async def test_of_two_switches_neither_is_forgotten_while_the_store_is_slow(store: Database) -> None:
    rows = [call_row(f"call-{server}", server=server, created_at=NOW - 100) for server in ("one", "two")]
    async with store.transaction() as connection:
        await save_calls(connection, rows)
    hub = Hub()
    registry = Registry(hub, clock=lambda: NOW, keep_ended=300.0)
    asked: list[None] = []
    settling = asyncio.Event()

    async def replayed() -> None:
        asked.append(None)
        if len(asked) == 2:
            settling.set()

    recall = Recall(store, registry, Transcripts(hub, registry, epoch="e"), replayed=replayed, clock=lambda: NOW)

    async def too_slow(server: str) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await recall("freeswitch", server, [])

    async with store.transaction() as busy:
        await busy.execute(text("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE"))
        await too_slow("one")
        running = asyncio.create_task(recall.run())
        await settling.wait()
        await too_slow("two")
    async with asyncio.timeout(30):
        while True:
            async with store.read() as connection:
                found = [await get_call(connection, row.call_id) for row in rows]
            if all(one is not None and one.state == "ended" for one in found):
                break
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
