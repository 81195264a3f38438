"""Bringing the database's tables up to date at every start, however long the database stays away."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from daemon.backoff import Backoff
from daemon.health import Condition, Part
from daemon.stores.database import Database, DatabaseAwayError

log = structlog.get_logger(__name__)


class Upgrading:
    """Tries until it is done. Meanwhile Parley runs, and what it would store is spooled."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tried = asyncio.Event()
        self._problem: str | None = "not tried yet"

    async def run(self) -> None:
        """Returns when the tables are up to date."""
        backoff = Backoff(1.0, 30.0)
        while not await self._upgrade():
            self._tried.set()
            await asyncio.sleep(backoff.next())
        self._tried.set()
        log.info("database_upgraded")

    async def first_try(self, patience: float) -> None:
        """Returns when the first try has succeeded or failed, at most ``patience`` seconds from now."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._tried.wait()

    def condition(self) -> Part:
        """Whether the tables are up to date."""
        if self._problem is None:
            return Part(Condition.OK)
        return Part(Condition.DEGRADED, f"its tables are not up to date: {self._problem}")

    async def _upgrade(self) -> bool:
        try:
            await self._database.upgrade()
        except DatabaseAwayError as error:
            self._problem = str(error)
            log.warning("database_not_upgraded", error=str(error))
            return False
        except Exception as error:  # a migration that fails must not keep anybody from the live view
            self._problem = type(error).__name__
            log.exception("database_not_upgraded")
            return False
        self._problem = None
        return True
