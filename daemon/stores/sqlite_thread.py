"""A connection to a SQLite file with a thread of its own, for statements that follow each other closely."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Final

import msgspec

_END: Final = 5.0
"""Seconds that closing waits for what is under way: only what hangs on its disk takes so long."""


class _Job(msgspec.Struct, frozen=True):
    statement: str
    parameters: Sequence[object]
    done: asyncio.Future[int]
    is_awaited: bool
    """Whether the loop stands still until the thread has begun."""


class SqliteThread:
    """Opened by its first statement, with ``pragmas`` set (``busy_timeout=5000``). To be used on one event loop."""

    def __init__(self, path: str, pragmas: Sequence[str]) -> None:
        self._path = path
        self._pragmas = pragmas
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._under_way = 0
        self._begun = Lock()
        self._begun.acquire()
        self._thread: Thread | None = None

    async def execute(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """Execute one statement, a transaction by itself; returns the number of rows it changed.

        Raises :class:`sqlite3.Error`. It goes on to its end when who asked is cancelled.
        """
        is_open = self._thread is not None
        if self._thread is None:
            self._thread = Thread(target=self._work, name="sqlite", daemon=True)
            self._thread.start()
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        is_awaited = is_open and not self._under_way
        self._under_way += 1
        self._jobs.put(_Job(statement, parameters, done, is_awaited))
        if is_awaited:
            # Whoever waits for Python's lock while the loop has much to do gets it late. It only takes some
            # microseconds to begin: then SQLite is at work, and the loop too.
            self._begun.acquire()
        return await done

    async def close(self) -> None:
        """Close it when what is under way has ended, or does not end."""
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join, _END)

    def _work(self) -> None:
        connection: sqlite3.Connection | None = None
        while (job := self._jobs.get()) is not None:
            if job.is_awaited:
                self._begun.release()
            result: int | BaseException
            try:
                if connection is None:
                    connection = self._connect()
                cursor = connection.execute(job.statement, job.parameters)
                cursor.fetchall()
                result = cursor.rowcount
            except BaseException as error:
                result = error
            self._tell(job.done, result)
        if connection is not None:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            for pragma in self._pragmas:
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _tell(self, done: asyncio.Future[int], result: int | BaseException) -> None:
        # A loop that is closed, which it may be any moment, has nobody left who could wait.
        with suppress(RuntimeError):
            done.get_loop().call_soon_threadsafe(self._ended, done, result)

    def _ended(self, done: asyncio.Future[int], result: int | BaseException) -> None:
        self._under_way -= 1
        if done.done():
            return
        if isinstance(result, BaseException):
            done.set_exception(result)
        else:
            done.set_result(result)
