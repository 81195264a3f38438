"""Works on what is due: claims it for a while, lets the handlers run, and hands it back with what became of it.

Several Parleys may work on one store. Each holds what it has claimed by a lease that it renews; what a process left
behind when it died is found when its lease is over, and counts as an attempt that failed. An orderly stop leaves
nothing behind: what is not finished in time is handed back as if it had not been begun.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import structlog

from daemon.backoff import Backoff
from daemon.config import InboxConfig
from daemon.inbox.counts import Counts
from daemon.inbox.leases import Leases
from daemon.inbox.retries import Retries
from daemon.inbox.runs import Runner, Worked
from daemon.stores.database import Database, DatabaseAwayError, RowRefusedError
from daemon.stores.delivery_work import (
    ClaimedRow,
    DeliveryState,
    RunOutcome,
    claim_deliveries,
    hand_back_deliveries,
    next_due,
)

log = structlog.get_logger(__name__)

_IDLE: Final = 1.0
"""Seconds at most until it is looked again for what is due: another process may have stored or given it back."""
_GIVEN_WAY: Final = 0.05
_CLAIMED_MEANWHILE: Final = 32
"""While it gives way, the seconds before each claim, and the deliveries of one: some work goes on whatever comes in,
and keeps nobody waiting long."""
_LAST_WORD: Final = 2.0
"""Seconds for the store to take what is handed back at a stop."""

_Key = tuple[str, int]
"""A delivery's id and the attempt: one may be cancelled, replayed and claimed again while it still runs."""


class Worker:
    """Does the work of one process, which ``holder`` names. ``clock`` gives Unix seconds.

    While ``pressed`` says so, it claims less often: a provider waits some seconds for an answer, work can wait longer.
    No source has more than half of the places, so that one whose handlers hang leaves the others theirs.
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
        clock: Callable[[], float],
        pressed: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database = database
        self._runner = runner
        self._config = config
        self._counts = counts
        self._name = holder
        self._clock = clock
        self._pressed = pressed
        self._running: dict[_Key, ClaimedRow] = {}
        self._tasks: dict[_Key, asyncio.Task[None]] = {}
        self._worked: list[Worked] = []
        self._some_worked = asyncio.Event()
        self._handed_back = asyncio.Event()
        self._wake = asyncio.Event()
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
        """How many are worked on now, or wait to be handed back."""
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
        for task in self._tasks.values():
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORD):
                await self._none_running()

    async def _none_running(self) -> None:
        while self._running:
            self._handed_back.clear()
            await self._handed_back.wait()

    # Claiming

    async def _claim_all(self, group: asyncio.TaskGroup) -> None:
        backoff = Backoff(0.1, 5.0)
        while not self._closes():
            while len(self._running) >= self._config.concurrency:
                self._handed_back.clear()
                await self._handed_back.wait()
            most, full = self._share()
            if self._pressed():
                await asyncio.sleep(_GIVEN_WAY)
                most = min(most, _CLAIMED_MEANWHILE)
            self._wake.clear()
            if self._closes():
                return
            try:
                claimed, until_next = await self._claim(most, full)
            except DatabaseAwayError:
                await asyncio.sleep(backoff.next())
                # It may have been claimed all the same.
                await self._patiently(lambda: self._leases.take_back_own(was_tried=False))
                continue
            backoff.reset()
            for row in claimed:
                key = (row.delivery_id, row.attempts)
                self._running[key] = row
                self._tasks[key] = group.create_task(self._work(row))
            if len(claimed) < most and until_next > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(until_next):
                        await self._wake.wait()

    def _share(self) -> tuple[int, list[str]]:
        """How many may be claimed so that no source has more than half of the places, and the sources that do."""
        half = max(1, self._config.concurrency // 2)
        by_source = Counter(row.source for row in self._running.values())
        full = [source for source, count in by_source.items() if count >= half]
        most_of_others = max((count for count in by_source.values() if count < half), default=0)
        return min(half - most_of_others, self._config.concurrency - len(self._running)), full

    async def _claim(self, most: int, full: list[str]) -> tuple[list[ClaimedRow], float]:
        """What is due of the sources that are not ``full``, and the seconds until it is worth looking again."""
        now = self._clock()
        async with self._database.transaction() as connection:
            claimed = await claim_deliveries(
                connection,
                self._leases.holder,
                now=now,
                until=now + self._config.lease,
                most=most,
                patience=self._config.order_wait,
                full=full,
            )
            due = await next_due(connection)
        # What is due and was not claimed waits for another with its key or source, or is locked by somebody.
        wait = _IDLE if due is None or due <= now else due - now
        return claimed, min(wait, _IDLE)

    async def _work(self, claimed: ClaimedRow) -> None:
        try:
            worked = await self._runner.work(claimed)
        except asyncio.CancelledError:
            if not self._closes():
                raise
            worked = self._leases.given_up(claimed, "", RunOutcome.LOST, was_tried=False)
        except Exception:
            # One delivery must not end the work on all others.
            log.exception("delivery_not_worked", delivery=claimed.delivery_id)
            why = "something went wrong in Parley itself"
            worked = self._leases.given_up(claimed, why, RunOutcome.FAILED, was_tried=True)
        self._worked.append(worked)
        self._some_worked.set()

    # Handing back

    async def _hand_back_all(self) -> None:
        while True:
            await self._some_worked.wait()
            self._some_worked.clear()
            batch, self._worked = self._worked, []
            await self._patiently(lambda batch=batch: self._hand_back(batch))  # type: ignore[misc]
            for worked in batch:
                self._running.pop(worked.key, None)
                self._tasks.pop(worked.key, None)
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
