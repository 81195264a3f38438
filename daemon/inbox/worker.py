"""Works on what is due: claims it for a while, lets the handlers run, and hands it back with what became of it.

Several Parleys may work on one store. Each holds what it has claimed by a lease that it renews; what a process left
behind when it died is found when its lease is over, and counts as an attempt that failed. An orderly stop leaves
nothing behind: what is not finished in time is handed back as if it had not been begun.

The first of a key is claimed together with those right behind it, as a series that one task works one after another.
Their ends are noted in their order, so what is done again after a crash is done again in order. Where one fails, or the
series takes long, the rest is handed back as not begun.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.backoff import Backoff
from daemon.config import InboxConfig
from daemon.inbox.counts import Counts
from daemon.inbox.leases import Leases
from daemon.inbox.retries import Retries
from daemon.inbox.runs import Runner, Worked
from daemon.inbox.series import LONGEST, Series, SlowSources, is_untried, series_of
from daemon.stores.database import Database, DatabaseAwayError, RowRefusedError
from daemon.stores.delivery_order import OrderKey, any_fresh, line_up, release_next, waiting_keys
from daemon.stores.delivery_work import (
    ClaimedRow,
    DeliveryState,
    RunOutcome,
    claim_deliveries,
    claim_following,
    hand_back_deliveries,
    next_due,
)
from daemon.stores.store_clock import StoreClock

log = structlog.get_logger(__name__)

_IDLE: Final = 1.0
"""Seconds at most until it is looked again for what is due: another process may have stored or given it back."""
_LINED_UP_AT_ONCE: Final = 1_000
"""Deliveries in one transaction, while which nobody else writes."""
_KEYS_AT_ONCE: Final = 500
"""Keys of which one waits that are looked at in one of these seconds, in case that nobody tells it to go on."""
_GIVEN_WAY: Final = 60.0
_MOST_GIVEN_WAY: Final = 1.0
_CLAIMED_MEANWHILE: Final = 64
"""While it gives way, it waits before each claim so many times as long as the last one took, but no more seconds than
these, and claims no more than these: some work goes on whatever comes in, and keeps nobody waiting long."""
_LAST_WORD: Final = 2.0
"""Seconds for the store to take what is handed back at a stop."""

_Key = tuple[str, int]
"""A delivery's id and the attempt: one may be cancelled, replayed and claimed again while it still runs."""


class Worker:
    """Does the work of one process, which ``holder`` names.

    While ``pressed`` says so, it claims less often, and no series: a provider waits some seconds for an answer, work
    can wait longer. A series has one place; what is of a source in ``alone`` is in none, for its bodies may be changed
    until the moment in which they are worked on. No source has more than half of the places, so that one whose handlers
    hang leaves the others theirs.
    """

    def __init__(
        self,
        database: Database,
        runner: Runner,
        config: InboxConfig,
        retries: Retries,
        counts: Counts,
        *,
        holder: Callable[[], str],
        clock: StoreClock,
        pressed: Callable[[], bool] = lambda: False,
        alone: Collection[str] = (),
    ) -> None:
        self._database = database
        self._runner = runner
        self._config = config
        self._counts = counts
        self._name = holder
        self._clock = clock
        self._pressed = pressed
        self._alone = frozenset(alone)
        self._running: dict[_Key, Series] = {}
        self._places: dict[Series, asyncio.Task[None]] = {}
        self._slow = SlowSources()
        self._claiming = asyncio.Lock()
        self._looked_at: OrderKey = ("", "")
        self._worked: list[Worked] = []
        self._some_worked = asyncio.Event()
        self._handed_back = asyncio.Event()
        self._wake = asyncio.Event()
        self._last_took = 0.0
        self._closing = False
        self._cutting_off = False
        runner.is_stopping = lambda: self._cutting_off
        self._leases = Leases(
            database,
            retries,
            config.lease,
            running=lambda: {delivery_id for delivery_id, _ in self._running},
            wake=self.wake,
            clock=clock,
        )
        self.attempts = 0
        self.died = 0
        self.finished = 0
        self.not_ours = 0
        """Deliveries that were somebody else's when they were handed back."""

    @property
    def running(self) -> int:
        """How many are worked on now, wait for one before them, or wait to be handed back."""
        return len(self._running)

    def _closes(self) -> bool:
        """Whether nothing new is begun."""
        return self._closing

    def wake(self) -> None:
        """There may be something to work on."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled. What runs then, without :meth:`close` before it, is found again by its lease."""
        self._leases.holder = self._name()
        await self._patiently(lambda: self._leases.take_back_own(was_tried=True))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._claim_all(group))
            group.create_task(self._hand_back_all())
            group.create_task(self._regularly(self._config.lease / 3, self._leases.renew))
            group.create_task(self._regularly(self._config.lease / 4, self._leases.take_back_lost))
            group.create_task(self._regularly(_IDLE, self._line_up))
            group.create_task(self._regularly(_IDLE, self._release_forgotten))
            try:
                await asyncio.Event().wait()
            finally:
                self._cutting_off = True

    async def close(self, grace: float) -> None:
        """Claim no more, let what runs end within ``grace`` seconds, and hand the rest back as if it was not begun."""
        self._closing = True
        self.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._none_running()
        self._cutting_off = True
        for series, task in self._places.items():
            self._cut_off(series, task)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORD):
                await self._none_running()

    async def _none_running(self) -> None:
        async with self._claiming:
            pass  # what is being claimed runs from then on
        while self._running:
            self._handed_back.clear()
            await self._handed_back.wait()

    # Claiming

    async def _claim_all(self, group: asyncio.TaskGroup) -> None:
        backoff = Backoff(0.1, 5.0)
        while not self._closes():
            while len(self._places) >= self._config.concurrency:
                self._handed_back.clear()
                await self._handed_back.wait()
            most, full = self._share()
            if self._pressed():
                await asyncio.sleep(min(_MOST_GIVEN_WAY, self._last_took * _GIVEN_WAY))
                most = min(most, _CLAIMED_MEANWHILE)
            self._wake.clear()
            try:
                async with self._claiming:
                    if self._closes():
                        return
                    claimed, until_next = await self._claim(most, full)
                    self._begin(claimed, group)
            except DatabaseAwayError:
                await asyncio.sleep(backoff.next())
                # It may have been claimed all the same.
                await self._patiently(lambda: self._leases.take_back_own(was_tried=False))
                continue
            backoff.reset()
            if len(claimed) < most and until_next > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(until_next):
                        await self._wake.wait()

    def _share(self) -> tuple[int, list[str]]:
        """How many may be claimed so that no source has more than half of the places, and the sources that do."""
        half = max(1, self._config.concurrency // 2)
        by_source = Counter(series.source for series in self._places)
        full = [source for source, count in by_source.items() if count >= half]
        most_of_others = max((count for count in by_source.values() if count < half), default=0)
        return min(half - most_of_others, self._config.concurrency - len(self._places)), full

    async def _claim(self, most: int, full: list[str]) -> tuple[list[Series], float]:
        """What is due of the sources that are not ``full``, and the seconds until it is worth looking again."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with self._database.transaction() as connection:
            now = await self._clock.read(connection)
            until, patience, holder = now + self._config.lease, self._config.order_wait, self._leases.holder
            firsts = await claim_deliveries(
                connection, holder, now=now, until=until, most=most, patience=patience, full=full
            )
            before_others = [row for row in firsts if self._may_have_followers(row)]
            following = await claim_following(
                connection,
                holder,
                before_others,
                now=now,
                until=until,
                most=self._room_behind(len(before_others)),
                patience=patience,
            )
            # Where all places were taken, it is looked again as soon as one is free.
            wait = await self._until_next(connection, now) if len(firsts) < most else _IDLE
        self._last_took = loop.time() - began
        return series_of(firsts, following, loop.time()), wait

    async def _until_next(self, connection: AsyncConnection, now: float) -> float:
        """Seconds until it is worth looking again, where nothing more can be claimed now."""
        if await any_fresh(connection):
            return 0.0
        due = await next_due(connection)
        # What is due and was not claimed waits for another with its key or source, or is locked by somebody.
        return _IDLE if due is None or due <= now else min(due - now, _IDLE)

    def _may_have_followers(self, row: ClaimedRow) -> bool:
        if self._pressed() or row.source in self._alone or not is_untried(row):
            return False
        return not self._slow.has(row.source, asyncio.get_running_loop().time())

    def _room_behind(self, count: int) -> int:
        """How many may be claimed behind each of ``count``: a quarter of the places for all, since they have bodies,
        and whoever comes meanwhile waits for what is claimed at once."""
        room = self._config.concurrency // 4 - (len(self._running) - len(self._places))
        return min(LONGEST - 1, max(0, room) // max(1, count))

    def _begin(self, claimed: Iterable[Series], group: asyncio.TaskGroup) -> None:
        for series in claimed:
            self._running.update(dict.fromkeys(map(_key, series.left), series))
            task = self._places[series] = group.create_task(self._work_all(series))
            if self._cutting_off:
                self._cut_off(series, task)

    async def _line_up(self) -> None:
        """Line up those that no claim comes to, for all places are taken: few are to be fresh, once no more come."""
        while not (self._database.is_postgresql or self._pressed()):
            async with self._database.read() as connection:
                if not await any_fresh(connection):
                    return
            async with self._database.transaction() as connection:
                await line_up(connection, await self._clock.read(connection), most=_LINED_UP_AT_ONCE)

    async def _release_forgotten(self) -> None:
        """Look whether one waits that nobody told to go on."""
        async with self._database.read() as connection:
            keys = await waiting_keys(connection, after=self._looked_at, most=_KEYS_AT_ONCE)
        self._looked_at = keys[-1] if len(keys) == _KEYS_AT_ONCE else ("", "")
        if keys:
            async with self._database.transaction() as connection:
                released = await release_next(connection, keys, await self._clock.read(connection))
            if released:
                self.wake()

    # Working

    async def _work_all(self, series: Series) -> None:
        loop = asyncio.get_running_loop()
        while True:
            worked = await self._work(series.left[0])
            series.left.popleft()
            self._note(worked)
            if not series.left:
                return
            # One that is to be tried again may block the next: that is for the store to say.
            series.broken |= worked.row.state is DeliveryState.PENDING
            if not series.goes_on(loop.time()):
                break
        self._slow.note(series, loop.time())
        self._leave(series)

    def _cut_off(self, series: Series, task: asyncio.Task[None]) -> None:
        task.cancel()
        # By itself it could not do so where it is cancelled before its first step.
        task.add_done_callback(lambda _: self._leave(series))

    def _leave(self, series: Series) -> None:
        """Hand back what is left of it as not begun."""
        while series.left:
            row = series.left.popleft()
            self._note(self._leases.given_up(row, "", RunOutcome.LOST, was_tried=False))

    def _note(self, worked: Worked) -> None:
        self._worked.append(worked)
        self._some_worked.set()

    async def _work(self, claimed: ClaimedRow) -> Worked:
        try:
            return await self._runner.work(claimed)
        except Exception:
            # One delivery must not end the work on all others.
            log.exception("delivery_not_worked", delivery=claimed.delivery_id)
            why = "something went wrong in Parley itself"
            return self._leases.given_up(claimed, why, RunOutcome.FAILED, was_tried=True)

    # Handing back

    async def _hand_back_all(self) -> None:
        while True:
            await self._some_worked.wait()
            self._some_worked.clear()
            batch, self._worked = self._worked, []
            await self._patiently(lambda batch=batch: self._hand_back(batch))  # type: ignore[misc]
            for worked in batch:
                series = self._running.pop(worked.key)
                series.open -= 1
                if not series.open:
                    del self._places[series]
            self._handed_back.set()
            self._wake.set()

    async def _hand_back(self, batch: list[Worked]) -> None:
        rows = [worked.row for worked in batch]
        runs = [run for worked in batch for run in worked.runs]
        try:
            async with self._database.transaction() as connection:
                kept = await hand_back_deliveries(connection, self._leases.holder, rows, runs, now=self._clock())
        except RowRefusedError:
            if len(batch) == 1:
                # Its lease is over before long, and then it is tried again.
                log.error("delivery_not_handed_back", delivery=rows[0].delivery_id)
                return
            middle = len(batch) // 2
            await self._hand_back(batch[:middle])
            await self._hand_back(batch[middle:])
            return
        for worked in batch:
            if worked.key not in kept:
                # Somebody else may be at the next of the key.
                self._running[worked.key].broken = True
        self._count([worked for worked in batch if worked.key in kept])
        self.not_ours += len(rows) - len(kept)

    def _count(self, kept: list[Worked]) -> None:
        died = 0
        for worked in kept:
            is_dead = worked.row.state is DeliveryState.DEAD
            died += is_dead
            self.finished += worked.row.state is not DeliveryState.PENDING
            self.attempts += len(worked.runs)
            self._counts.worked(self._running[worked.key].source, len(worked.runs), died=is_dead)
        self.died += died
        if died:
            log.warning("deliveries_died", count=died)

    # Again and again

    async def _regularly(self, interval: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(interval)
            try:
                await work()
            except DatabaseAwayError as error:
                log.info("inbox_store_away", error=str(error))

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it as soon as the store is there."""
        backoff = Backoff(0.1, 5.0)
        while True:
            try:
                await work()
            except DatabaseAwayError:
                await asyncio.sleep(backoff.next())
            else:
                return


def _key(row: ClaimedRow) -> _Key:
    return row.delivery_id, row.attempts
