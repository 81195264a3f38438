"""Tells the processes that share a PostgreSQL that there is something to do, without their asking all the time.

It is a help and no promise: who must not miss anything also looks by itself now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from daemon.backoff import Backoff
from daemon.stores.database import Database, DatabaseAwayError

_PAUSE: Final = 0.02
"""Seconds between two rings: what happens meanwhile is told by the next."""


class Bell:
    """``heard`` is called when a process rings, this one included. On SQLite there is no other, and nothing happens."""

    def __init__(self, database: Database, channel: str, heard: Callable[[], None]) -> None:
        self._database = database
        self._channel = channel
        self._heard = heard
        self._to_ring = asyncio.Event()
        self.listening = asyncio.Event()
        """Set while others are heard."""

    def ring(self) -> None:
        """Let everybody look, soon."""
        self._to_ring.set()

    async def run(self) -> None:
        """Listen, and ring, until cancelled."""
        if not self._database.is_postgresql:
            await asyncio.Event().wait()
        backoff = Backoff(0.25, 15.0)
        while True:
            try:
                async with self._database.own_connection() as connection:
                    await self._serve(connection, backoff)
            except (DatabaseAwayError, OSError):
                pass
            finally:
                self.listening.clear()
            await asyncio.sleep(backoff.next())

    async def _serve(self, connection: Any, backoff: Backoff) -> None:
        """Until the connection is lost."""
        lost = asyncio.Event()

        def end(_: Any) -> None:
            lost.set()
            self._to_ring.set()

        connection.add_termination_listener(end)
        await connection.add_listener(self._channel, lambda *_: self._heard())
        self.listening.set()
        backoff.reset()
        self._heard()  # what was missed until now
        while not lost.is_set():
            await self._to_ring.wait()
            self._to_ring.clear()
            if not lost.is_set():
                await connection.execute("SELECT pg_notify($1, '')", self._channel)
                await asyncio.sleep(_PAUSE)
