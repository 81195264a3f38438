"""Locks of the store on diversions, so that two Parleys, or two people, never mix their changes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec

from daemon.pbx.contract import Conflict
from daemon.stores.database import Database
from daemon.stores.locks import give_lock_back, take_lock

_LOCK_TIME: Final = 60.0
"""Seconds that a lock lasts if it is not renewed, which it is before each step: longer than any step may take."""
_PATIENCE: Final = 5.0
_PAUSE: Final = 0.1


class HeldLocks(msgspec.Struct, frozen=True):
    """Locks that are held. ``renew`` is awaited before each step; it raises :class:`Conflict` where one was lost."""

    renew: Callable[[], Awaitable[None]]


class DiversionLocks:
    """Those of one process. ``clock`` gives Unix seconds."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._process = uuid.uuid4().hex

    @asynccontextmanager
    async def held(self, tenant: str, numbers: Collection[str]) -> AsyncIterator[HeldLocks]:
        """Hold the locks of these numbers of a tenant, taken in one order by everybody.

        Raises :class:`Conflict` where somebody else has one for some seconds, and ``DatabaseAwayError``.
        """
        names = [f"diversions/{tenant}/{number}" for number in sorted(numbers)]
        holder = f"{self._process}/{uuid.uuid4().hex}"

        async def renew() -> None:
            for name in names:
                if not await self._take(name, holder):
                    raise Conflict("it took so long that somebody else has begun to change it; read it again")

        loop = asyncio.get_running_loop()
        give_up = loop.time() + _PATIENCE
        try:
            for name in names:
                while not await self._take(name, holder):
                    if loop.time() > give_up:
                        raise Conflict("somebody else is changing it in this moment; read it again")
                    await asyncio.sleep(_PAUSE)
            yield HeldLocks(renew)
        finally:
            with suppress(Exception):  # they end by themselves
                async with self._database.transaction() as connection:
                    for name in names:
                        await give_lock_back(connection, name, holder)

    async def _take(self, name: str, holder: str) -> bool:
        now = self._clock()
        async with self._database.transaction() as connection:
            return await take_lock(connection, name, holder, now=now, until=now + _LOCK_TIME)
