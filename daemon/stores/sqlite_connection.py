"""A connection to SQLite on which a statement is one way to its thread and back.

aiosqlite goes there for the cursor, the execution, the rows and the cursor's end, one after the other. While a writer
does so, all other writers wait.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import aiosqlite

_Description = tuple[tuple[str, None, None, None, None, None, None], ...]


class SqliteConnection(aiosqlite.Connection):
    """An aiosqlite connection with cursors of that kind. ``options`` are those of :func:`sqlite3.connect`.

    It is awaited once to open it, as aiosqlite's are.
    """

    def __init__(self, path: str, **options: Any) -> None:
        super().__init__(lambda: sqlite3.connect(path, **options), 64)

    def cursor(self) -> StatementCursor:  # type: ignore[override]
        """A cursor for one statement after the other, as SQLAlchemy's adapter uses it."""
        return StatementCursor(self)


class StatementCursor:
    """What a statement came to, all of it: the rows are here before they are asked for.

    ``description``, ``rowcount`` and ``lastrowid`` are those of PEP 249.
    """

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.arraysize = 1
        self.description: _Description | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Sequence[object] | dict[str, object] = ()) -> Self:
        """Execute a statement and fetch its rows. Raises :class:`sqlite3.Error`, ``ValueError`` when it is closed."""
        return await self._run(lambda cursor: cursor.execute(statement, parameters))

    async def executemany(self, statement: str, rows: Iterable[Sequence[object]]) -> Self:
        """Execute a statement for each of ``rows``. Raises as :meth:`execute`."""
        return await self._run(lambda cursor: cursor.executemany(statement, rows))

    async def fetchall(self) -> list[Any]:
        """The rows that were not fetched yet."""
        rows, self._rows = self._rows, []
        return rows

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next ``size`` of them, ``arraysize`` where it is not given."""
        most = self.arraysize if size is None else size
        rows, self._rows = self._rows[:most], self._rows[most:]
        return rows

    async def fetchone(self) -> Any:
        """The next one; ``None`` where there is none."""
        return next(iter(await self.fetchmany(1)), None)

    async def close(self) -> None:
        """Nothing is held open by it."""
        self._rows = []

    async def _run(self, execute: Callable[[sqlite3.Cursor], object]) -> Self:
        def work(connection: sqlite3.Connection) -> tuple[list[Any], _Description | None, int, int | None]:
            cursor = connection.cursor()
            try:
                execute(cursor)
                rows = cursor.fetchall()
                return rows, cursor.description, cursor.rowcount, cursor.lastrowid
            finally:
                cursor.close()

        done = await self._connection._execute(work, self._connection._conn)  # type: ignore[no-untyped-call]
        self._rows, self.description, self.rowcount, self.lastrowid = done
        return self
