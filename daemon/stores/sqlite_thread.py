"""A connection to a SQLite file with a thread of its own, for statements that follow each other closely."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Final

Statement = tuple[str, Sequence[object]]
"""With its values. It is a transaction by itself."""
Ended = Callable[[int | BaseException], None]
"""Told on the loop of a statement's end: by the number of rows that it changed, or what it raised."""
Next = Callable[[int | BaseException], Statement | None]
"""Asked on the thread, as soon as a statement has ended so, for the one that follows it at once."""

_END: Final = 5.0
"""Seconds that closing waits for what is under way: only what hangs on its disk takes so long."""


class Execution:
    """A statement under way, and those that follow it. It tells of the end of each when the loop comes to that, or at
    :meth:`look`."""

    __slots__ = ("_ended", "_ends", "_loop", "_next", "_over", "is_awaited", "statement")

    def __init__(
        self, statement: Statement, ended: Ended, following: Next | None, over: Callable[[], None], *, is_awaited: bool
    ) -> None:
        self.statement = statement
        self.is_awaited = is_awaited
        """Whether the loop stands still until the thread has begun."""
        self._loop = asyncio.get_running_loop()
        self._ended = ended
        self._next = following
        self._over = over
        self._ends: deque[tuple[int | BaseException, bool]] = deque()
        """Of what was not told yet, and whether it was the last."""

    def look(self) -> None:
        """Tell of what has ended and was not told."""
        while self._ends:
            result, is_last = self._ends.popleft()
            if is_last:
                self._over()
            self._ended(result)

    def end(self, result: int | BaseException) -> Statement | None:
        """Called on the thread, which goes on with what it returns."""
        following: Statement | None = None
        try:
            if self._next is not None:
                following = self._next(result)
        except BaseException as error:
            # It is the end of the one that was to follow.
            self._ends.extend([(result, False), (error, True)])
        else:
            self._ends.append((result, following is None))
        # A loop that is closed, which it may be any moment, has nobody left who could wait.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.look)
        return following


class SqliteThread:
    """Opened by its first statement, with ``pragmas`` set (``busy_timeout=5000``). To be used on one event loop."""

    def __init__(self, path: str, pragmas: Sequence[str]) -> None:
        self._path = path
        self._pragmas = pragmas
        self._jobs: SimpleQueue[Execution | None] = SimpleQueue()
        self._under_way = 0
        self._begun = Lock()
        self._begun.acquire()
        self._thread: Thread | None = None

    async def execute(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """Execute one statement, a transaction by itself; returns the number of rows it changed.

        Raises :class:`sqlite3.Error`. It goes on to its end when who asked is cancelled.
        """
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def ended(result: int | BaseException) -> None:
            if done.done():
                return
            if isinstance(result, BaseException):
                done.set_exception(result)
            else:
                done.set_result(result)

        self.begin((statement, parameters), ended)
        return await done

    def begin(self, statement: Statement, ended: Ended, following: Next | None = None) -> Execution:
        """Execute a statement and what ``following`` gives, one after the other until that is ``None``. ``ended`` is
        called of each."""
        is_awaited = self._thread is not None and not self._under_way
        if self._thread is None:
            self._thread = Thread(target=self._work, name="sqlite", daemon=True)
            self._thread.start()

        execution = Execution(statement, ended, following, self._over, is_awaited=is_awaited)
        self._under_way += 1
        self._jobs.put(execution)
        if is_awaited:
            # Whoever waits for Python's lock while the loop has much to do gets it late. It only takes some
            # microseconds to begin: then SQLite is at work, and the loop too.
            self._begun.acquire()
        return execution

    async def close(self) -> None:
        """Close it when what is under way has ended, or does not end."""
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join, _END)

    def _over(self) -> None:
        self._under_way -= 1

    def _work(self) -> None:
        connection: sqlite3.Connection | None = None
        while (job := self._jobs.get()) is not None:
            if job.is_awaited:
                self._begun.release()
            statement: Statement | None = job.statement
            while statement is not None:
                result: int | BaseException
                try:
                    if connection is None:
                        connection = self._connect()
                    cursor = connection.execute(*statement)
                    cursor.fetchall()
                    result = cursor.rowcount
                except BaseException as error:
                    result = error
                statement = job.end(result)
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
