"""SQLite's connection under SQLAlchemy: a statement is one way to its thread and back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from daemon.stores.database import Database
from daemon.stores.sqlite_connection import SqliteConnection


class CountedWays:
    """The way to the thread, counted."""

    def __init__(self, way: Any) -> None:
        self._way = way
        self.count = 0

    def put_nowait(self, job: Any) -> None:
        self.count += 1
        self._way.put_nowait(job)


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[SqliteConnection]:
    opened = SqliteConnection(str(tmp_path / "parts.db"), isolation_level=None)
    opened._thread.daemon = True
    await opened
    await opened.cursor().execute("CREATE TABLE parts (number INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    yield opened
    await opened.close()


async def test_a_statement_is_one_way_rows_and_all(connection: SqliteConnection) -> None:
    ways = connection._tx = CountedWays(connection._tx)  # type: ignore[assignment]
    cursor = await connection.cursor().__aenter__()
    await cursor.execute("INSERT INTO parts VALUES (?, ?), (?, ?) RETURNING number", (7, "일곱", 8, "여덟"))
    assert cursor.description is not None
    assert [name for name, *_ in cursor.description] == ["number"]
    assert (await cursor.fetchall(), await cursor.fetchall()) == ([(7,), (8,)], [])
    await cursor.close()
    assert ways.count == 1


async def test_it_tells_what_was_changed(connection: SqliteConnection) -> None:
    cursor = connection.cursor()
    await cursor.execute("INSERT INTO parts VALUES (:number, :name)", {"number": 3, "name": "셋"})
    assert (cursor.rowcount, cursor.lastrowid, cursor.description) == (1, 3, None)
    await cursor.executemany("INSERT INTO parts VALUES (?, ?)", [(4, "넷"), (5, "다섯")])
    assert cursor.rowcount == 2
    await cursor.execute("UPDATE parts SET name = 'x' RETURNING name")
    assert (cursor.rowcount, len(await cursor.fetchall())) == (3, 3)


async def test_what_cannot_be_done_is_raised_and_the_next_is_done(connection: SqliteConnection) -> None:
    cursor = connection.cursor()
    with pytest.raises(sqlite3.IntegrityError):
        await cursor.execute("INSERT INTO parts VALUES (1, NULL)")
    with pytest.raises(sqlite3.OperationalError):
        await cursor.execute("SELECT * FROM nowhere")
    await cursor.execute("SELECT count(*) FROM parts")
    assert await cursor.fetchall() == [(0,)]


async def test_what_was_begun_goes_on_when_who_asked_is_gone(connection: SqliteConnection) -> None:
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) "
    task = asyncio.create_task(connection.cursor().execute(f"INSERT INTO parts {slow} SELECT i, 'x' FROM n"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    cursor = await connection.cursor().execute("SELECT count(*) FROM parts")
    assert await cursor.fetchall() == [(200_000,)]


async def test_a_closed_one_says_so(tmp_path: Path) -> None:
    opened = SqliteConnection(str(tmp_path / "parts.db"))
    await opened
    await opened.close()
    with pytest.raises(ValueError, match=r"no active connection|Connection closed"):
        await opened.cursor().execute("SELECT 1")


async def test_rows_are_handed_out_some_at_a_time(connection: SqliteConnection) -> None:
    cursor = await connection.cursor().execute("WITH n(i) AS (VALUES (1), (2), (3), (4), (5)) SELECT i FROM n")
    assert await cursor.fetchone() == (1,)
    assert await cursor.fetchmany(3) == [(2,), (3,), (4,)]
    assert (await cursor.fetchmany(), await cursor.fetchmany(), await cursor.fetchone()) == ([(5,)], [], None)


async def test_the_database_uses_it(tmp_path: Path) -> None:
    database = Database.of(f"sqlite:///{tmp_path}/parley.db")
    async with database.read() as connection:
        assert isinstance((await connection.get_raw_connection()).driver_connection, SqliteConnection)
        rows = await connection.stream(text("WITH n(i) AS (VALUES (1), (2)) SELECT i FROM n"))
        assert [row.i async for row in rows] == [1, 2]
    await database.close()
