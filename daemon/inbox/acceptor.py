"""Into the store before anybody is told yes, by group commit: all who wait share the next transaction."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog

from daemon.inbox.contract import InboxFullError
from daemon.stores.database import Database, DatabaseAwayError, RowRefusedError
from daemon.stores.delivery_inserts import Accepted, Fate, NewDelivery, add_deliveries, sqlite_insert
from daemon.stores.sqlite_writer import SqliteStream

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

    _left: asyncio.Future[Sequence[_Waiting]]

    def __init__(self, database: Database, stored: Callable[[Sequence[NewDelivery], Sequence[Accepted]], None]) -> None:
        self._database = database
        self._stored = stored
        self._waiting: list[_Waiting] = []
        self._bytes = 0
        self._some = asyncio.Event()
        self._enough = asyncio.Event()
        self._group: Sequence[_Waiting] = ()
        """What is being stored."""
        self._last = 1
        self._wanted = 1
        self._stream: SqliteStream | None = None
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
        if self._stream is not None:
            self._stream.look()
        elif len(self._waiting) >= self._wanted:
            self._enough.set()
        return safe

    async def run(self) -> None:
        """Store what waits until cancelled; who still waits then is told that the store is away."""
        self._closed = False
        try:
            while True:
                await self._some.wait()
                await self._gather()
                group = self._next()
                if not self._database.is_postgresql:
                    group = await self._stored_on(group)
                if group:
                    await self._store(group)
        finally:
            self._closed = True
            _fail([*self._group, *self._waiting], _stopped())
            self._group, self._waiting, self._bytes = (), [], 0
            self._some.clear()

    def _next(self) -> Sequence[_Waiting]:
        """The next group."""
        group, self._waiting = self._waiting[:_GROUP], self._waiting[_GROUP:]
        self._bytes -= sum(len(delivery.body) for delivery, _ in group)
        if not self._waiting:
            self._some.clear()
        self._wanted, self._last = (self._last + len(group)) // 4, len(group)
        self._group = group
        return group

    async def _stored_on(self, group: Sequence[_Waiting]) -> Sequence[_Waiting]:
        """Store a group on SQLite and, where enough have come meanwhile, the next in the moment in which it is stored,
        and so on. Returns the one that was not stored whole, and the store is to be asked about; empty: all were."""
        self._left = asyncio.get_running_loop().create_future()
        try:
            async with self._database.stream() as self._stream:
                self._begin(group)
                return await self._left
        except DatabaseAwayError as error:
            self._fail_for_now(self._group, error)
            return ()
        except Exception:
            return self._group  # whose fault it is shows when it is stored by halves
        finally:
            self._stream = None

    def _begin(self, group: Sequence[_Waiting]) -> None:
        assert self._stream is not None  # noqa: S101 - only what runs on a stream begins
        self._stream.begin(*sqlite_insert([delivery for delivery, _ in group]), partial(self._ended, group))

    def _ended(self, group: Sequence[_Waiting], result: int | BaseException) -> None:
        if self._stream is None or group is not self._group or self._left.done():
            return  # it was given up: who waited for it was told that Parley stops
        if isinstance(result, BaseException):
            self._left.set_exception(result)
            return
        if result < len(group):
            self._left.set_result(group)
            return
        # Before anybody is told: those who are told come again at once. Fewer will do than when nothing is stored
        # meanwhile.
        if self._waiting and len(self._waiting) >= self._wanted // 2 and not self._stream.is_wanted:
            self._begin(self._next())
        else:
            self._left.set_result(())
        self._tell(group, [Accepted(delivery.delivery_id, Fate.STORED) for delivery, _ in group])

    def _tell(self, group: Sequence[_Waiting], accepted: Sequence[Accepted]) -> None:
        """Tell those who wait what became of theirs."""
        self.problem = ""
        if len(group) >= _MANY:
            self._many_at = asyncio.get_running_loop().time()
        for (_, safe), one in zip(group, accepted, strict=True):
            if not safe.done():
                safe.set_result(one)
        self._stored([delivery for delivery, _ in group], accepted)

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
            self._fail_for_now(group, error)
        except Exception:
            # Whoever waits in this group comes again; those who come later must find somebody at work.
            log.exception("deliveries_not_stored", count=len(group))
            _fail(group, DatabaseAwayError("something went wrong in Parley itself"))
        else:
            self._tell(group, accepted)

    def _fail_for_now(self, group: Sequence[_Waiting], error: DatabaseAwayError) -> None:
        self.problem = str(error)
        _fail(group, error)


def _stopped() -> DatabaseAwayError:
    return DatabaseAwayError("Parley stops")


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for _, safe in group:
        if not safe.done():
            safe.set_exception(error)
            # Who waited may be gone; that is then nobody's error.
            safe.exception()
