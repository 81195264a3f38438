"""What time it is for all who share a store."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.database import Database

_NOW = text("SELECT extract(epoch FROM clock_timestamp())::float8")


class StoreClock:
    """Gives Unix seconds: PostgreSQL's where ``of_database``, since hosts that share one may have clocks that differ;
    else those of ``process``, as with SQLite, which has one host.

    What several processes compare goes by this clock: until when a lease lasts and whether it is over (by
    :meth:`read`, exactly), when a delivery is due, since when it fails and has been waited for (by a call, which goes
    on from the last reading). Then a process whose clock is ahead takes nobody's work, and what it stores is due for
    the others as soon as for itself. Their ids, which order what has a key, are still made by each host's own clock.
    """

    def __init__(self, process: Callable[[], float], *, of_database: bool) -> None:
        self._process = process
        self._of_database = of_database
        self._ahead: float | None = None
        """Seconds that PostgreSQL is ahead of this process' steady clock."""

    @property
    def is_known(self) -> bool:
        """Whether a call goes by what it should, and not by the process' own clock meanwhile."""
        return self._ahead is not None or not self._of_database

    def __call__(self) -> float:
        """Now, as far as is known without asking: by the process' own clock before the first :meth:`read`."""
        return self._process() if self._ahead is None else time.monotonic() + self._ahead

    async def read(self, connection: AsyncConnection) -> float:
        """Now."""
        if not self._of_database:
            return self._process()
        now = float(await connection.scalar(_NOW))
        self._ahead = now - time.monotonic()
        return now

    async def known(self, database: Database) -> float:
        """Now, asked for where that was never done. Raises ``DatabaseAwayError``."""
        if not self.is_known:
            async with database.read() as connection:
                return await self.read(connection)
        return self()
