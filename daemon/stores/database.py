"""One database, SQLite or PostgreSQL: connections, transactions, migrations, and whose fault a failure is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from pathlib import Path
from sqlite3 import Error as SqliteError
from threading import Thread
from typing import Any
from weakref import WeakSet

import asyncpg  # type: ignore[import-untyped]
from alembic import command
from alembic.config import Config as AlembicConfig
from asyncpg import InterfaceError, PostgresError
from sqlalchemy import URL, Connection, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from daemon.stores.postgresql_engine import driver_arguments, postgresql_engine
from daemon.stores.sqlite_engine import PRAGMAS, sqlite_engine
from daemon.stores.sqlite_writer import SqliteStream, SqliteWriter, WriteTurn

MIGRATIONS = Path(__file__).parent / "migrations"

_UPGRADE_TIME = 3600.0
"""Seconds that an upgrade may take on PostgreSQL: it may have to go through every row, or wait for another process."""

_UPGRADE_LOCK = 0x7061726C6579
"""The PostgreSQL advisory lock that lets one process migrate at a time."""

_USES_END = 5.0
"""Seconds that closing waits for what is under way: a request whose asker has left, for one."""

_THREADS_END = 5.0
"""Seconds that closing waits for threads to end: only one that hangs on its disk takes so long."""

_ROW_FAULTS = ("22", "23", "54")
"""SQLSTATE classes that blame the values: data exception, integrity constraint violation, a limit exceeded (a value
too long for an index)."""


class DatabaseUrlError(ValueError):
    """The database's address cannot be used. The message says why, without the password."""


class DatabaseAwayError(Exception):
    """The database did not do what it was asked, and not because of the values: it is away, hung, full or not upgraded.

    Trying again later is right. Whether a transaction was committed is not known. The message is fit for a log.
    """


class RowRefusedError(Exception):
    """The database is well and refused the values (a constraint, a type). Trying again is of no use.

    ``cause`` is the exception's kind and constraint, without the values.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Database:
    """A pool of connections. Make it by :meth:`of`; nothing connects before the first use.

    Every function of :mod:`daemon.stores` takes a connection of :meth:`read` or :meth:`transaction`.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        timeout: float,
        threads: WeakSet[Thread] | None = None,
        *,
        urgent: AsyncEngine | None = None,
    ) -> None:
        self._engine = engine
        self._urgent = engine if urgent is None else urgent
        self._threads = WeakSet() if threads is None else threads
        self._writer = engine.execution_options(parley_writes=True)
        self._urgent_writer = self._urgent.execution_options(parley_writes=True)
        self._timeout = timeout
        self._turn: WriteTurn | None = None
        self._sqlite: SqliteWriter | None = None
        if not self.is_postgresql:
            # SQLite has one writer at a time, and lets another sleep for some milliseconds before it looks again.
            self._turn = WriteTurn()
            self._sqlite = SqliteWriter(engine.url.database or "", PRAGMAS, self._turn)
        self._uses = 0
        self._unused = asyncio.Event()
        self._closed = False

    @classmethod
    def of(cls, url: str, *, password: str | None = None, pool_size: int = 5, timeout: float = 10.0) -> Database:
        """The database at ``sqlite:///path`` or ``postgresql://user@host:port/name``.

        ``timeout`` is how many seconds a PostgreSQL server may take for one transaction, so that one that hangs is
        noticed; SQLite has nobody to wait for but its own disk. Raises :class:`DatabaseUrlError`.
        """
        parsed = _parse(url)
        if parsed.get_backend_name() == "sqlite":
            threads: WeakSet[Thread] = WeakSet()
            return cls(sqlite_engine(parsed, pool_size, threads), timeout, threads)
        engine, urgent = (postgresql_engine(parsed, password, size, timeout) for size in (pool_size, 1))
        return cls(engine, timeout, urgent=urgent)

    @property
    def is_postgresql(self) -> bool:
        """Whether this is PostgreSQL; else it is SQLite."""
        return self._engine.dialect.name == "postgresql"

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading; what it reads is one state of the database on SQLite.

        Raises :class:`DatabaseAwayError`.
        """
        async with self._guarded(), self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self, *, urgent: bool = False) -> AsyncIterator[AsyncConnection]:
        """A connection for writing, committed at the end of the block, rolled back when it raises.

        An ``urgent`` one is not held up by those of others: of the acceptor alone, for whom all providers wait. Raises
        :class:`DatabaseAwayError` (then the commit may or may not have happened) or :class:`RowRefusedError`.
        """
        writer = self._urgent_writer if urgent else self._writer
        async with self._guarded(), self._my_turn(urgent=urgent), writer.begin() as connection, self._noted(connection):
            yield connection

    def _my_turn(self, *, urgent: bool = False) -> AbstractAsyncContextManager[object]:
        if self._turn is None:
            return nullcontext()
        return self._turn.urgent() if urgent else self._turn

    @asynccontextmanager
    async def _noted(self, connection: AsyncConnection) -> AsyncIterator[None]:
        """Let SQLite's writer know how much ``connection`` writes meanwhile."""
        if self._sqlite is None:
            yield
            return
        driver: Any = (await connection.get_raw_connection()).driver_connection
        before: int = driver.total_changes
        yield
        self._sqlite.note_rows(driver.total_changes - before)

    async def write(self, statement: str, parameters: Sequence[object]) -> int:
        """Execute one statement in SQLite's own words, a transaction by itself; returns the rows it changed.

        For the few that are too frequent for anything between them and the engine; :meth:`driver` is the same on
        PostgreSQL. Raises as :meth:`transaction`.
        """
        if self._sqlite is None:
            raise TypeError("PostgreSQL is spoken to by its driver")
        async with self._guarded():
            return await self._sqlite.write(statement, parameters)

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[SqliteStream]:
        """SQLite's writer for as long as the block lasts, for statements as those of :meth:`write`, one right after the
        other. What they raise is told to who begins them; this raises :class:`DatabaseAwayError`.
        """
        if self._sqlite is None:
            raise TypeError("PostgreSQL is spoken to by its driver")
        async with self._guarded(), self._sqlite.stream() as stream:
            yield stream

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[Any]:
        """The connection of PostgreSQL's driver, on which each statement is a transaction by itself.

        It is of a pool of its own, so that nobody else's transactions hold it up. Raises as :meth:`transaction`.
        """
        async with self._guarded(), self._urgent.connect() as connection:
            try:
                yield (await connection.get_raw_connection()).driver_connection
            except BaseException as error:
                # What the server said no to is over; after all else, asyncpg's connection may still be at it.
                if not isinstance(error, PostgresError):
                    await connection.invalidate()
                raise

    @asynccontextmanager
    async def _guarded(self, within: float | None = None) -> AsyncIterator[None]:
        if self._closed:
            raise DatabaseAwayError("it is closed")
        self._uses += 1
        try:
            async with asyncio.timeout((within or self._timeout) if self.is_postgresql else None):
                yield
        except (DatabaseAwayError, RowRefusedError):
            raise
        except DBAPIError as error:
            raise _translated(error.orig) from error
        except (SqliteError, PostgresError, InterfaceError) as error:
            raise _translated(error) from error
        except (UnicodeError, OverflowError) as error:
            raise RowRefusedError(type(error).__name__) from error
        except PoolTimeoutError as error:
            raise DatabaseAwayError("all connections are busy") from error
        except TimeoutError as error:
            raise DatabaseAwayError(f"no answer within {within or self._timeout:g} s") from error
        except OSError as error:
            raise DatabaseAwayError(_first_line(error)) from error
        finally:
            self._uses -= 1
            if not self._uses:
                self._unused.set()

    @asynccontextmanager
    async def own_connection(self) -> AsyncIterator[Any]:
        """A connection of PostgreSQL's driver, outside the pool and its time limits: for who listens.

        Raises :class:`DatabaseAwayError`, also where the server ends it later.
        """
        async with self._guarded():
            connection = await asyncpg.connect(**driver_arguments(self._engine, self._timeout))
        try:
            yield connection
        except (PostgresError, InterfaceError) as error:
            raise _translated(error) from error
        finally:
            connection.terminate()

    async def ping(self) -> None:
        """Raises :class:`DatabaseAwayError` where the database does not answer."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def upgrade(self) -> None:
        """Bring the schema up to date. Safe to run twice and from several processes at once.

        Raises :class:`DatabaseAwayError`.
        """
        async with self._guarded(_UPGRADE_TIME), self._my_turn(), self._writer.begin() as connection:
            if self.is_postgresql:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
            await connection.run_sync(_upgrade)

    async def close(self) -> None:
        """Let what is under way come to its end, refuse what begins now, and close every connection.

        Returns when none is at work any more, or does not end.
        """
        self._closed = True
        if self._uses:
            # A connection that is given back after its pool is gone would never be closed.
            self._unused.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_USES_END):
                    await self._unused.wait()
        await self._engine.dispose()
        if self._urgent is not self._engine:
            await self._urgent.dispose()
        if self._sqlite is not None:
            await self._sqlite.close()
        loop = asyncio.get_running_loop()
        end = loop.time() + _THREADS_END
        for thread in list(self._threads):
            await asyncio.to_thread(thread.join, max(0.0, end - loop.time()))


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseUrlError("not a database address: write sqlite:///path or postgresql://user@host/name") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise DatabaseUrlError("SQLite needs a file: write sqlite:///path (four slashes for an absolute path)")
        return parsed.set(drivername="sqlite+aiosqlite")
    if backend in ("postgresql", "postgres"):
        if not parsed.database:
            raise DatabaseUrlError("PostgreSQL needs a database: write postgresql://user@host:5432/name")
        return parsed.set(drivername="postgresql+asyncpg")
    raise DatabaseUrlError(f"{backend} is not supported: use sqlite:///path or postgresql://user@host/name")


def _upgrade(connection: Connection, revision: str = "head") -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _translated(cause: BaseException | None) -> DatabaseAwayError | RowRefusedError:
    """Whose fault it is: by SQLSTATE on PostgreSQL, by class on SQLite. No value of a row gets into the message."""
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate is not None:
        if str(sqlstate)[:2] in _ROW_FAULTS:
            # Between the driver's error and us there may be SQLAlchemy's, which knows less.
            origin = getattr(cause, "__cause__", None) or cause
            constraint = getattr(origin, "constraint_name", None) or ""
            return RowRefusedError(f"{type(origin).__name__} {sqlstate} {constraint}".rstrip())
        return DatabaseAwayError(_first_line(cause))
    if type(cause).__name__ in ("IntegrityError", "DataError"):
        return RowRefusedError(_first_line(cause))
    return DatabaseAwayError(_first_line(cause))


def _first_line(error: BaseException | None) -> str:
    """The kind and the first line of an error; PostgreSQL puts values only into the lines that follow."""
    lines = str(error).splitlines()
    name = type(error).__name__
    return f"{name}: {lines[0]}" if lines and lines[0] else name
