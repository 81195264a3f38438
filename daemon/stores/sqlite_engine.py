"""SQLAlchemy's engine for a file of SQLite: how its connections are opened, begun and given back."""

from __future__ import annotations

import asyncio
from sqlite3 import OperationalError
from threading import Thread
from typing import Any, Final
from weakref import WeakSet

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import PoolResetState
from sqlalchemy.util import await_only

from daemon.stores.sqlite_connection import SqliteConnection

PRAGMAS: Final = (
    # Of a new file. A delivery of some KB takes few of these, each of which is written to the log and then to the file.
    "page_size=8192",
    "busy_timeout=5000",
    # FULL: what was committed survives a loss of power, since the spool's copy is deleted after the commit.
    "synchronous=FULL",
    "foreign_keys=ON",
    # In pages. The log is brought into the file beside the commits, long before it is so long: see sqlite_writer.
    "wal_autocheckpoint=32000",
)
"""Set on each connection to SQLite."""

_JOURNAL_TRIES: Final = 100
_JOURNAL_PAUSE: Final = 0.05
"""Seconds between two tries to turn on SQLite's write-ahead log."""


def sqlite_engine(url: URL, pool_size: int, threads: WeakSet[Thread]) -> AsyncEngine:
    """An engine whose threads, one for each connection, are noted in ``threads``.

    One whose asker is cancelled, in the middle of connecting too, goes on to the end of what it does, and must not find
    the loop closed that it tells then.
    """

    def connect(path: str, **options: Any) -> SqliteConnection:
        connection = SqliteConnection(path, **options)
        connection._thread.daemon = True
        threads.add(connection._thread)
        return connection

    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
        # A rollback of nothing would be a way to the thread and back each time: see the listener below.
        pool_reset_on_return=None,
        pool_use_lifo=True,
        # Transactions are begun by the listener below, not by the driver's guesses.
        connect_args={"isolation_level": None, "async_creator_fn": connect},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        _write_ahead(cursor)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes SQLite's lock at the start: a transaction that has read first could not get it later.
        writes = connection.get_execution_options().get("parley_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    @event.listens_for(engine.sync_engine, "reset")
    def end_transaction(connection: Any, record: Any, state: PoolResetState) -> None:
        # A commit that fails may leave its transaction open. Whoever came next would write into that, see all go well,
        # and nothing of it would ever be stored.
        if state.asyncio_safe and record.driver_connection.in_transaction:
            connection.rollback()

    return engine


def _write_ahead(cursor: Any) -> None:
    """Let the file keep a write-ahead log.

    Whoever opens a new file first turns it on for good. SQLite does not wait for a lock here but says at once that
    the file is locked, when another process is at it in that very moment.
    """
    for attempt in range(_JOURNAL_TRIES):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except OperationalError:
            if attempt == _JOURNAL_TRIES - 1:
                raise
            await_only(asyncio.sleep(_JOURNAL_PAUSE))
        else:
            return
