"""The memory that needs nothing but Parley: a table of the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.chatbot.contract import MemoryAwayError
from daemon.chatbot.leases import Leases, Turns
from daemon.health import Condition, Part
from daemon.stores.chat_memory import delete_memory, get_memory, set_memory, tidy_memory
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.locks import give_lock_back, take_lock
from daemon.stores.store_clock import StoreClock

log = structlog.get_logger(__name__)

_TIDY_INTERVAL: Final = 300.0
_LOCKS: Final = "chat/"
"""What the names of its locks begin with, among those of others."""


class StoreMemory:
    """Implements :class:`~daemon.chatbot.contract.Memory`. ``clock`` gives Unix seconds.

    A SQLite file is one Parley's, which holds the lock of its folder: there nobody else can be at it.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = StoreClock(clock, of_database=database.is_postgresql)
        self._leases = Leases(self._take, self._give_back)
        self._turns = Turns()

    async def run(self) -> None:
        """Remove what has expired, until cancelled."""
        while True:
            try:
                await self.tidy()
            except MemoryAwayError as error:
                log.warning("memory_not_tidied", error=str(error))
            await asyncio.sleep(_TIDY_INTERVAL)

    async def close(self) -> None:
        """There is nothing to close: the store is closed by whoever opened it."""

    async def get(self, key: str) -> bytes | None:
        """As the contract says."""
        async with self._reading() as (connection, now):
            return await get_memory(connection, key, now=now)

    async def set(self, key: str, value: bytes, *, expires_in: float | None = None) -> None:
        """As the contract says."""
        async with self._writing() as (connection, now):
            expires_at = None if expires_in is None else now + expires_in
            await set_memory(connection, key, value, expires_at=expires_at)

    async def delete(self, key: str) -> None:
        """As the contract says."""
        async with self._writing() as (connection, _):
            await delete_memory(connection, key)

    def lock(self, key: str, *, lease: float) -> AbstractAsyncContextManager[None]:
        """As the contract says."""
        return self._leases.held(key, lease) if self._database.is_postgresql else self._turns.held(key)

    async def tidy(self) -> int:
        """Remove what has expired; returns how much that was. Raises :class:`MemoryAwayError`."""
        async with self._writing() as (connection, now):
            return await tidy_memory(connection, now=now)

    def condition(self) -> Part:
        """The store has a health of its own."""
        return Part(Condition.OK, "in the database")

    async def _take(self, key: str, holder: str, lease: float) -> bool:
        async with self._writing() as (connection, now):
            return await take_lock(connection, _LOCKS + key, holder, now=now, until=now + lease)

    async def _give_back(self, key: str, holder: str) -> None:
        async with self._writing() as (connection, _):
            await give_lock_back(connection, _LOCKS + key, holder)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[tuple[AsyncConnection, float]]:
        try:
            now = await self._clock.known(self._database)
            async with self._database.read() as connection:
                yield connection, now
        except DatabaseAwayError as error:
            raise MemoryAwayError(str(error)) from error

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[tuple[AsyncConnection, float]]:
        try:
            async with self._database.transaction() as connection:
                yield connection, await self._clock.read(connection)
        except DatabaseAwayError as error:
            raise MemoryAwayError(str(error)) from error
