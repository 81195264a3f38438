"""SQLite's own writer: one statement after another, and a log that stays short."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import threading
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from daemon.stores.database import Database
from daemon.stores.sqlite_engine import PRAGMAS
from daemon.stores.sqlite_thread import SqliteThread, Statement
from daemon.stores.sqlite_writer import CHECKPOINT_AFTER, SqliteWriter, WriteTurn

INSERT = "INSERT INTO parts VALUES (?, ?) ON CONFLICT DO NOTHING"
MEGABYTE = 1024 * 1024


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "parts.db")


@pytest.fixture
def other(path: str) -> Iterator[sqlite3.Connection]:
    """Another process at the same file."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE parts (number INTEGER PRIMARY KEY, content BLOB NOT NULL)")
    yield connection
    connection.close()


@pytest.fixture
async def thread(path: str, other: sqlite3.Connection) -> AsyncIterator[SqliteThread]:
    opened = SqliteThread(path, ["busy_timeout=20000"])
    yield opened
    await opened.close()


@pytest.fixture
async def writer(path: str, other: sqlite3.Connection) -> AsyncIterator[SqliteWriter]:
    opened = SqliteWriter(path, [*PRAGMAS, "busy_timeout=20000"], WriteTurn())
    yield opened
    await opened.close()


def count(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("SELECT count(*) FROM parts").fetchone()
    return int(number)


async def test_it_says_how_many_rows_changed(thread: SqliteThread, other: sqlite3.Connection) -> None:
    assert await thread.execute("INSERT INTO parts VALUES (1, ''), (2, '')") == 2
    assert await thread.execute(INSERT, (2, b"")) == 0
    assert await thread.execute(INSERT, (3, b"")) == 1
    assert count(other) == 3


async def test_what_cannot_be_done_is_raised_and_it_goes_on(thread: SqliteThread) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await thread.execute(INSERT, (1, None))
    with pytest.raises(sqlite3.OperationalError):
        await thread.execute("INSERT INTO nowhere VALUES (1)")
    assert await thread.execute(INSERT, (1, b"")) == 1


async def test_a_file_that_cannot_be_opened_is_tried_again(tmp_path: Path) -> None:
    thread = SqliteThread(str(tmp_path / "folder" / "parts.db"), [])
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError):
            await thread.execute("CREATE TABLE parts (number INTEGER)")
    (tmp_path / "folder").mkdir()
    await thread.execute("CREATE TABLE parts (number INTEGER)")
    await thread.close()


async def test_the_loop_does_not_stand_still_while_one_waits(thread: SqliteThread, other: sqlite3.Connection) -> None:
    await thread.execute(INSERT, (1, b""))
    other.execute("BEGIN IMMEDIATE")
    first = asyncio.create_task(thread.execute(INSERT, (2, b"")))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    # Whoever asked is gone, and the thread is still at it: the next one must not wait for it here.
    second = asyncio.create_task(thread.execute(INSERT, (3, b"")))
    await asyncio.sleep(0)
    assert not second.done()
    other.execute("COMMIT")
    assert await second == 1
    assert count(other) == 3


async def test_its_thread_ends(thread: SqliteThread) -> None:
    before = set(threading.enumerate())
    await thread.execute(INSERT, (1, b""))
    (begun,) = set(threading.enumerate()) - before
    await thread.close()
    assert not begun.is_alive()


async def test_the_log_stays_short(writer: SqliteWriter, path: str) -> None:
    pieces = 5 * CHECKPOINT_AFTER // MEGABYTE
    for number in range(pieces):
        await writer.write(INSERT, (number, bytes(MEGABYTE)))
    assert os.stat(f"{path}-wal").st_size < 3 * CHECKPOINT_AFTER
    await writer.close()
    # What was written before the last checkpoint is in the file itself.
    with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as alone:
        assert count(alone) > pieces - 2 * CHECKPOINT_AFTER // MEGABYTE
    alone.close()


async def test_who_reads_for_long_holds_nobody_up(writer: SqliteWriter, other: sqlite3.Connection) -> None:
    await writer.write(INSERT, (0, b""))
    other.execute("BEGIN")
    assert count(other) == 1
    for number in range(1, 2 * CHECKPOINT_AFTER // MEGABYTE):
        await writer.write(INSERT, (number, bytes(MEGABYTE)))
    assert count(other) == 1
    other.execute("COMMIT")
    assert count(other) == 2 * CHECKPOINT_AFTER // MEGABYTE


async def test_who_asked_and_left_is_served_all_the_same(writer: SqliteWriter, other: sqlite3.Connection) -> None:
    await writer.write(INSERT, (0, b""))
    leaving = [asyncio.create_task(writer.write(INSERT, (1, b"")))]
    await asyncio.sleep(0)
    leaving[0].cancel()
    await asyncio.wait(leaving)
    await writer.close()
    assert count(other) == 2


async def test_a_checkpoint_leaves_sqlite_its_locks(writer: SqliteWriter, path: str) -> None:
    await writer.write(INSERT, (0, b""))
    for number in range(1, CHECKPOINT_AFTER // MEGABYTE + 2):
        await writer.write(INSERT, (number, b"." * MEGABYTE))
    assert writer._checkpointing is not None
    await writer._checkpointing
    # Only whoever has the file to himself may take its log away. A process knows nothing of its own locks.
    alone = (
        f"import sqlite3; print(sqlite3.connect({path!r}, timeout=0).execute('PRAGMA journal_mode=DELETE').fetchone())"
    )
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", alone, stdout=PIPE, stderr=PIPE)
    _, said = await other.communicate()
    assert b"database is locked" in said


async def test_statements_of_a_stream_follow_each_other_at_once(
    writer: SqliteWriter, other: sqlite3.Connection
) -> None:
    ends: list[int | BaseException] = []
    over = asyncio.get_running_loop().create_future()
    to_come: list[Statement] = [("INSERT INTO nowhere VALUES (1)", ()), (INSERT, (2, b"")), (INSERT, (1, b""))]
    asked_on = set()

    def following(result: int | BaseException) -> Statement | None:
        asked_on.add(threading.current_thread())
        return None if isinstance(result, BaseException) else to_come.pop()

    def ended(result: int | BaseException) -> None:
        ends.append(result)
        if isinstance(result, BaseException):
            over.set_result(None)

    async with writer.stream() as stream:
        stream.begin((INSERT, (0, b"")), ended, following)
        # One after the other, and they are told, without the loop having a turn.
        deadline = time.monotonic() + 30
        while len(ends) < 4 and time.monotonic() < deadline:
            stream.look()
        await over
    assert ends[:3] == [1, 1, 1]
    assert isinstance(ends[3], sqlite3.OperationalError)
    assert len(ends) == 4
    assert count(other) == 3
    assert len(asked_on) == 1
    assert threading.current_thread() not in asked_on


async def test_what_should_follow_and_cannot_be_told_ends_the_stream(
    writer: SqliteWriter, other: sqlite3.Connection
) -> None:
    ends: asyncio.Queue[int | BaseException] = asyncio.Queue()

    def following(_: int | BaseException) -> None:
        raise LookupError("nobody knows what follows")

    async with writer.stream() as stream:
        for number in range(2):
            stream.begin((INSERT, (number, b"")), ends.put_nowait, following)
            assert await ends.get() == 1
            assert isinstance(await ends.get(), LookupError)
    assert await writer.write(INSERT, (2, b"")) == 1
    assert count(other) == 3


async def test_who_waits_for_a_stream_to_end_is_known(writer: SqliteWriter) -> None:
    async with writer.stream() as stream:

        def is_wanted() -> bool:
            return stream.is_wanted

        assert not is_wanted()
        writing = asyncio.create_task(writer.write(INSERT, (1, b"")))
        leaving = asyncio.create_task(writer.write(INSERT, (2, b"")))
        await asyncio.sleep(0)
        assert is_wanted()
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        assert is_wanted()
    assert await writing == 1
    async with writer.stream() as stream:
        assert not is_wanted()


async def test_what_streams_write_makes_the_log_long_too(writer: SqliteWriter, path: str) -> None:
    async def write(number: int) -> None:
        done = asyncio.get_running_loop().create_future()
        stream.begin((INSERT, (number, bytes(MEGABYTE))), done.set_result, lambda _: None)
        assert await done == 1

    first = CHECKPOINT_AFTER // MEGABYTE + 1
    async with writer.stream() as stream:
        for number in range(first):
            await write(number)
        async with asyncio.timeout(30):
            while not stream.is_wanted:  # noqa: ASYNC110 - by who brings the log into the file, and tells nobody
                await asyncio.sleep(0.005)
    for number in range(first, 5 * CHECKPOINT_AFTER // MEGABYTE):
        async with writer.stream() as stream:
            await write(number)
    assert os.stat(f"{path}-wal").st_size < 3 * CHECKPOINT_AFTER


async def test_what_transactions_write_is_brought_into_the_file_beside_them(path: str) -> None:
    database = Database.of(f"sqlite:///{path}")
    insert = text("INSERT INTO parts (content) VALUES (:content)")
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE parts (number INTEGER PRIMARY KEY, content BLOB NOT NULL)"))
    empty = os.stat(path).st_size
    async with database.transaction() as connection:
        await connection.execute(insert, [{"content": bytes(8_000)}] * 1_000)
    # No commit has to wait for it.
    assert os.stat(path).st_size == empty
    written = 0
    while written < 4 * CHECKPOINT_AFTER:
        async with database.transaction() as connection:
            await connection.execute(insert, [{"content": bytes(8_000)}] * 100)
        written += 100 * 8_000
    assert os.stat(f"{path}-wal").st_size < 3 * CHECKPOINT_AFTER
    await database.close()
