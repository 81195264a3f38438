"""Empty, migrated databases for tests, made in milliseconds from a template that was migrated once."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from daemon.stores.database import Database


async def administer(url: str, *statements: str) -> None:
    """Run statements that take no transaction (``CREATE DATABASE``) on a PostgreSQL server."""
    address = make_url(url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(address, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


async def migrate(url: str) -> None:
    """Make an empty database the newest schema."""
    database = Database.of(url)
    await database.upgrade()
    await database.close()


class PostgresDatabases:
    """Databases on one server; those it made are dropped at ``close``."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._prefix = f"parley_test_{os.getpid()}"
        self._made: list[str] = []
        self._numbers = itertools.count(1)
        self._template = ""

    def make(self, *, migrated: bool = True) -> str:
        """A new database's address. Not to be called while a loop runs in this thread."""
        if not migrated:
            return self._create("template0")
        if not self._template:
            url = self._create("template0")
            asyncio.run(migrate(url))
            self._template = self._made[-1]
        return self._create(self._template)

    def _create(self, template: str) -> str:
        name = f"{self._prefix}_{next(self._numbers)}"
        asyncio.run(administer(self._server_url, f"CREATE DATABASE {name} TEMPLATE {template}"))
        self._made.append(name)
        return make_url(self._server_url).set(database=name).render_as_string(hide_password=False)

    def close(self) -> None:
        """Drop what was made, connected or not."""
        statements = [f"DROP DATABASE {name} WITH (FORCE)" for name in self._made]
        asyncio.run(administer(self._server_url, *statements))


class SqliteDatabases:
    """Database files in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._template: Path | None = None

    def make(self, *, migrated: bool = True) -> str:
        """A new database's address. Not to be called while a loop runs in this thread."""
        path = self._folder / f"parley_{next(self._numbers)}.db"
        if migrated:
            if self._template is None:
                self._template = self._folder / "template.db"
                asyncio.run(migrate(f"sqlite:///{self._template}"))
            shutil.copy(self._template, path)
        return f"sqlite:///{path}"
