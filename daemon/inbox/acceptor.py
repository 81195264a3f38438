"""Into the store before anybody is told yes, by group commit: all who wait share the next transaction.

On SQLite the thread that has stored a group takes the next one itself. The loop, which has much to do while many come,
hears of it later.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock
from typing import Final

import structlog

from daemon.inbox.contract import InboxFullError
from daemon.stores.database import Database, DatabaseAwayError, RowRefusedError
from daemon.stores.delivery_inserts import Accepted, Fate, NewDelivery, add_deliveries, sqlite_insert
from daemon.stores.sqlite_thread import Statement
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

    def __init__(self, database: Database, stored: Callable[[Sequence[NewDelivery], Sequence[Accepted]], None]) -> None:
        self._database = database
        self._stored = stored
        self._waiting: deque[_Waiting] = deque()
        self._storing: deque[Sequence[_Waiting]] = deque()
        """Groups that were taken and not told, oldest first."""
        self._taking = Lock()
        self._bytes = 0
        self._some = asyncio.Event()
        self._enough = asyncio.Event()
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
                if not self._waiting:
                    self._some.clear()
                    await self._some.wait()
                await self._gather()
                group = self._take()
                if not self._database.is_postgresql:
                    await self._stream_from(group)
                while self._storing:
                    await self._store(self._storing[0])
                    self._leave()
        finally:
            with self._taking:
                self._closed = True
                left = [one for group in (*self._storing, self._waiting) for one in group]
                self._storing.clear()
                self._waiting.clear()
                self._bytes = 0
            _fail(left, _stopped())

    def _take(self, least: int = 1, over: asyncio.Future[None] | None = None) -> Sequence[_Waiting]:
        """The next group, which is being stored from now on; empty where fewer wait than ``least``, or it is ``over``.

        It is called on SQLite's thread too.
        """
        with self._taking:
            count = min(len(self._waiting), _GROUP)
            if count < least or (over is not None and over.done()):
                return ()
            if self._last >= _MANY:
                # Half of all who are at it: they come again while the others are stored, and the halves stay alike.
                count = min(count, (self._last + count + 1) // 2)
            group = [self._waiting.popleft() for _ in range(count)]
            self._wanted, self._last = (self._last + count) // 4, count
            self._storing.append(group)
            return group

    def _leave(self) -> None:
        """The oldest group is not being stored any more."""
        self._bytes -= sum(len(delivery.body) for delivery, _ in self._storing.popleft())

    async def _stream_from(self, group: Sequence[_Waiting]) -> None:
        """Store a group on SQLite and, where enough have come meanwhile, the next in the moment in which it is stored,
        and so on. One that was not stored whole, which the store is to be asked about, is left in ``_storing``."""
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            async with self._database.stream() as self._stream:
                ended, following = partial(self._ended, over), partial(self._following, self._stream, over)
                self._stream.begin(_insert(group), ended, following)
                await over
        except DatabaseAwayError as error:
            while self._storing:
                self._fail_for_now(self._storing[0], error)
                self._leave()
        except Exception as error:
            # Whose fault it is shows when it is stored by halves.
            log.debug("deliveries_not_streamed", error=type(error).__name__)
        finally:
            over.cancel()  # whatever it was: no more is taken for it
            self._stream = None

    def _following(
        self, stream: SqliteStream, over: asyncio.Future[None], result: int | BaseException
    ) -> Statement | None:
        """The statement after one that has ended so. It is called on SQLite's thread."""
        if isinstance(result, BaseException) or result < self._last or stream.is_wanted:
            return None
        # Fewer will do than when nothing is stored meanwhile.
        group = self._take(max(1, self._wanted // 2), over)
        return _insert(group) if group else None

    def _ended(self, over: asyncio.Future[None], result: int | BaseException) -> None:
        if over.done():
            return  # it was given up: who waited for it was told that Parley stops
        if isinstance(result, BaseException):
            over.set_exception(result)
            return
        group = self._storing[0]
        if result < len(group):
            over.set_result(None)
        else:
            self._leave()
            if not self._storing:
                over.set_result(None)
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


def _insert(group: Sequence[_Waiting]) -> Statement:
    return sqlite_insert([delivery for delivery, _ in group])


def _stopped() -> DatabaseAwayError:
    return DatabaseAwayError("Parley stops")


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for _, safe in group:
        if not safe.done():
            safe.set_exception(error)
            # Who waited may be gone; that is then nobody's error.
            safe.exception()
