"""Into the store before anybody is told yes, by group commit: all who wait share the next transaction."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from daemon.inbox.contract import InboxFullError
from daemon.stores.database import Database, DatabaseAwayError, RowRefusedError
from daemon.stores.delivery_inserts import Accepted, NewDelivery, add_deliveries

log = structlog.get_logger(__name__)

_GROUP: Final = 256
"""Deliveries in one transaction at most."""
_MANY: Final = 8
"""Deliveries of a group from which on they come faster than they are stored one by one."""
_SOON: Final = 0.05
"""Seconds after such a group in which another one is expected."""
_PATIENCE: Final = 0.002
"""Seconds that a group waits at most for half of what the last two had on average."""
_MOST_WAITING: Final = 10_000
_MOST_BYTES: Final = 64 * 1024 * 1024

_Waiting = tuple[NewDelivery, "asyncio.Future[Accepted]"]


class Acceptor:
    """Stores deliveries in groups. ``stored`` is called after each with what became of its deliveries."""

    def __init__(self, database: Database, stored: Callable[[Sequence[NewDelivery], Sequence[Accepted]], None]) -> None:
        self._database = database
        self._stored = stored
        self._waiting: list[_Waiting] = []
        self._bytes = 0
        self._some = asyncio.Event()
        self._enough = asyncio.Event()
        self._wanted = 1
        self._many_at = -math.inf
        self._closed = False
        self.problem = ""
        """Why the last group could not be stored; ``""`` where it could."""

    @property
    def waiting(self) -> int:
        """How many wait for the next transaction."""
        return len(self._waiting)

    @property
    def pressed(self) -> bool:
        """Whether many are being stored just now, and whatever can wait should."""
        return asyncio.get_running_loop().time() - self._many_at < _SOON

    def accept(self, delivery: NewDelivery) -> asyncio.Future[Accepted]:
        """Store ``delivery``; what is returned says what became of it when that is safe.

        It raises :class:`DatabaseAwayError`, also after :meth:`run` has ended, or :class:`RowRefusedError`. Who asked
        may go away meanwhile: it is stored all the same. Raises :class:`InboxFullError`.
        """
        safe: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        if self._closed:
            _fail([(delivery, safe)], _stopped())
            return safe
        if len(self._waiting) >= _MOST_WAITING or self._bytes >= _MOST_BYTES:
            raise InboxFullError("too many deliveries wait to be stored")
        self._waiting.append((delivery, safe))
        self._bytes += len(delivery.body)
        self._some.set()
        if len(self._waiting) >= self._wanted:
            self._enough.set()
        return safe

    async def run(self) -> None:
        """Store what waits until cancelled; who still waits then is told that the store is away."""
        self._closed = False
        group: Sequence[_Waiting] = ()
        last = 1
        try:
            while True:
                await self._some.wait()
                await self._gather()
                group, self._waiting = self._waiting[:_GROUP], self._waiting[_GROUP:]
                self._bytes -= sum(len(delivery.body) for delivery, _ in group)
                if not self._waiting:
                    self._some.clear()
                self._wanted, last = (last + len(group)) // 4, len(group)
                await self._store(group)
                if len(group) >= _MANY:
                    self._many_at = asyncio.get_running_loop().time()
        finally:
            self._closed = True
            _fail([*group, *self._waiting], _stopped())
            self._waiting, self._bytes = [], 0
            self._some.clear()

    async def _gather(self) -> None:
        """Wait a moment for enough.

        Those who were answered together come again together. A group that began with the first of them would be a
        commit for one or two, and all the others would wait for it.
        """
        if len(self._waiting) >= self._wanted:
            return
        self._enough.clear()
        timer = asyncio.get_running_loop().call_later(_PATIENCE, self._enough.set)
        try:
            await self._enough.wait()
        finally:
            timer.cancel()

    async def _store(self, group: Sequence[_Waiting]) -> None:
        """Store a group; where the engine refuses a row, by halves, until the one is found that is to blame."""
        deliveries = [delivery for delivery, _ in group]
        try:
            accepted = await add_deliveries(self._database, deliveries)
        except RowRefusedError as error:
            if len(group) == 1:
                log.warning("delivery_refused_by_store", source=group[0][0].source, cause=error.cause)
                _fail(group, error)
                return
            middle = len(group) // 2
            await self._store(group[:middle])
            await self._store(group[middle:])
        except DatabaseAwayError as error:
            self.problem = str(error)
            _fail(group, error)
        except Exception:
            # Whoever waits in this group comes again; those who come later must find somebody at work.
            log.exception("deliveries_not_stored", count=len(group))
            _fail(group, DatabaseAwayError("something went wrong in Parley itself"))
        else:
            self.problem = ""
            for (_, safe), one in zip(group, accepted, strict=True):
                if not safe.done():
                    safe.set_result(one)
            self._stored(deliveries, accepted)


def _stopped() -> DatabaseAwayError:
    return DatabaseAwayError("Parley stops")


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for _, safe in group:
        if not safe.done():
            safe.set_exception(error)
            # Who waited may be gone; that is then nobody's error.
            safe.exception()
