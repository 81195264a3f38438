"""Statements that come too often for anything between them and SQLite, and the write-ahead log that grows by them."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from sqlite3 import Error, OperationalError
from typing import Final

import structlog

from daemon.stores.sqlite_thread import Ended, Execution, Next, SqliteThread, Statement

log = structlog.get_logger(__name__)

CHECKPOINT_AFTER: Final = 32 * 1024 * 1024
"""Bytes that are written before the log is brought into the file. What is committed meanwhile waits for the same disk,
and pages that are written again and again, those of indexes, are brought there once each time."""
_ROW: Final = 16 * 1024
"""Bytes that the change of a row is taken for where more is not known: a page of its own and one of an index."""


class WriteTurn:
    """Whose turn it is to write: SQLite has one writer at a time. Entered when it is one's own.

    The first of those who come by :meth:`urgent` waits for one of the others at most, however many these are; the
    others have every second turn at least.
    """

    def __init__(self) -> None:
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self._waiting = 0
        self._taken = False
        self._was_urgent = False

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for it. Asked by other threads too."""
        return self._waiting > 0

    @asynccontextmanager
    async def urgent(self) -> AsyncIterator[None]:
        """The turn, for what somebody outside waits for."""
        await self._take(self._urgent)
        try:
            yield
        finally:
            self._pass_on()

    async def __aenter__(self) -> None:
        await self._take(self._others)

    async def __aexit__(self, *_: object) -> None:
        self._pass_on()

    async def _take(self, queue: deque[asyncio.Future[None]]) -> None:
        if not self._taken:
            self._taken = True
            self._was_urgent = queue is self._urgent
            return
        mine = asyncio.get_running_loop().create_future()
        queue.append(mine)
        self._waiting += 1
        try:
            await mine
        except asyncio.CancelledError:
            if not mine.cancelled():
                # It had been given to us in the same moment.
                self._pass_on()
            raise
        finally:
            self._waiting -= 1

    def _pass_on(self) -> None:
        self._taken = False
        queues = (self._others, self._urgent) if self._was_urgent else (self._urgent, self._others)
        for queue in queues:
            while queue:
                following = queue.popleft()
                if not following.done():
                    self._taken = True
                    self._was_urgent = queue is self._urgent
                    following.set_result(None)
                    return


class SqliteWriter:
    """Writes into the file at ``path``, with ``pragmas`` set, in ``turn`` with the other writers of this process.

    SQLite brings its log into the file in the middle of a commit, for which everybody waits. Here most of that is done
    beside the commits, also those of others (:meth:`note_rows`), and only the rest between two of them, after which the
    log begins anew.
    """

    def __init__(self, path: str, pragmas: Sequence[str], turn: WriteTurn) -> None:
        self._path = path
        self._turn = turn
        self._statements = SqliteThread(path, pragmas)
        # Whoever reads for long, and whoever else writes, is not waited for: it is tried again after as much more.
        self._checkpoints = SqliteThread(path, [*pragmas, "busy_timeout=0"])
        self._written = 0
        self._checkpointing: asyncio.Task[None] | None = None

    async def write(self, statement: str, parameters: Sequence[object]) -> int:
        """Execute one statement, a transaction by itself; returns the number of rows it changed.

        Raises :class:`sqlite3.Error`. When who asked is cancelled, it may be carried out all the same.
        """
        try:
            async with self._turn.urgent():
                changed = await self._statements.execute(statement, parameters)
        except OperationalError as error:
            self._note(error, 0)
            raise
        self._note(changed, _size((statement, parameters)))
        return changed

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[SqliteStream]:
        """The turn to write, and a way to use it for statements that follow each other at once."""
        async with self._turn.urgent():
            yield SqliteStream(self._statements, self._turn, self._note)

    def note_rows(self, changed: int) -> None:
        """Others have changed so many rows, and the log has grown by them."""
        self._grow(changed * _ROW)

    async def close(self) -> None:
        """Close it when what is under way has ended."""
        if self._checkpointing is not None:
            await asyncio.wait([self._checkpointing])
        await self._statements.close()
        await self._checkpoints.close()

    def _note(self, result: int | BaseException, size: int) -> None:
        """How a statement of so many bytes has ended."""
        if isinstance(result, BaseException):
            if isinstance(result, OperationalError):
                # The disk may be full by the log.
                self._begin_checkpoint()
            return
        self._grow(size)

    def _grow(self, by: int) -> None:
        self._written += by
        if self._written >= CHECKPOINT_AFTER:
            self._begin_checkpoint()

    def _begin_checkpoint(self) -> None:
        if self._checkpointing is None or self._checkpointing.done():
            self._written = 0
            self._checkpointing = asyncio.create_task(self._checkpoint())

    async def _checkpoint(self) -> None:
        try:
            # The second time brings over what was written meanwhile, so that little is left for the end, and the disk
            # has it before others wait for that.
            for _ in range(2):
                await self._checkpoints.execute("PRAGMA wal_checkpoint(PASSIVE)")
                await asyncio.to_thread(_sync, self._path)
            async with self._turn:
                await self._checkpoints.execute("PRAGMA wal_checkpoint(RESTART)")
        except Error as error:
            # The commits do it themselves when the log has grown too long. A full disk is told of by those who write,
            # and would be told of here with each of them.
            log.debug("checkpoint_failed", error=str(error))


class SqliteStream:
    """Statements of one who has the turn to write until the stream is left.

    Between the end of one and the beginning of the next there is no way through the loop, which is long just then.
    """

    def __init__(self, thread: SqliteThread, turn: WriteTurn, note: Callable[[int | BaseException, int], None]) -> None:
        self._thread = thread
        self._turn = turn
        self._note = note
        self._sizes: deque[int] = deque()
        """In bytes, of the statements whose end was not told."""
        self._execution: Execution | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether somebody else waits to write. May be asked on any thread."""
        return self._turn.is_wanted

    def begin(self, statement: Statement, ended: Ended, following: Next) -> None:
        """Execute a statement and what ``following`` gives, one after the other until that is ``None``.

        ``following`` is called on SQLite's thread, in the moment in which a statement has ended; then ``ended`` of that
        one when the loop comes to it, or by :meth:`look`. When the last has ended, another may begin.
        """

        def sized(statement: Statement | None) -> Statement | None:
            if statement is not None:
                self._sizes.append(_size(statement))
            return statement

        def noted(result: int | BaseException) -> None:
            self._note(result, self._sizes.popleft() if self._sizes else 0)
            ended(result)

        sized(statement)
        self._execution = self._thread.begin(statement, noted, lambda result: sized(following(result)))

    def look(self) -> None:
        """Call ``ended`` now of those that have ended."""
        if self._execution is not None:
            self._execution.look()


def _size(statement: Statement) -> int:
    """The bytes that it writes, about."""
    return sum(len(value) for value in statement[1] if isinstance(value, bytes))


def _sync(path: str) -> None:
    """Let the disk have what was written into the file.

    By a descriptor that SQLite has: to close one of ours would give up the locks that this process holds (fcntl(2)).
    SQLite may close it meanwhile, which is no harm: the checkpoint does by itself what was not done here.
    """
    with suppress(OSError, ValueError):
        there = os.stat(path)
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            with suppress(OSError):
                if os.path.samestat(os.fstat(descriptor), there):
                    os.fdatasync(descriptor)
                    return
