"""Works on what is due: claims it for a while, lets the handlers run, and hands it back with what became of it.

Several Parleys may work on one store. Each holds what it has claimed by a lease that it renews; what a process left
behind when it died is found when its lease is over, and counts as an attempt that failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import groupby
from typing import Final

import structlog

from daemon.backoff import Backoff
from daemon.config import InboxConfig
from daemon.inbox.counts import Counts
from daemon.inbox.retries import Retries
from daemon.inbox.runs import Runner, Worked
from daemon.stores.database import Database, DatabaseAwayError, RowRefusedError
from daemon.stores.delivery_work import (
    ClaimedRow,
    DeliveryState,
    LostRow,
    RunOutcome,
    RunRow,
    WorkedRow,
    claim_deliveries,
    hand_back_deliveries,
    lost_deliveries,
    next_due,
    renew_leases,
)

log = structlog.get_logger(__name__)

LOST = "its process went away"
_IDLE = 1.0
"""Seconds at most until it is looked again for what is due: another process may have stored or given it back."""


_GIVEN_WAY: Final = 0.05
_CLAIMED_MEANWHILE: Final = 32
"""While it gives way, the seconds before each claim, and the deliveries of one: some work goes on whatever comes in,
and keeps nobody waiting long."""


class Worker:
    """Does the work of one process, which ``holder`` names. ``clock`` gives Unix seconds.

    While ``pressed`` says so, it claims less often: a provider waits some seconds for an answer, work can wait longer.
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
        self._retries = retries
        self._counts = counts
        self._name = holder
        self._holder = ""
        self._clock = clock
        self._pressed = pressed
        self._running: dict[str, str] = {}  # delivery id → source
        self._worked: list[Worked] = []
        self._some_worked = asyncio.Event()
        self._free = asyncio.Event()
        self._wake = asyncio.Event()
        self.attempts = 0
        self.died = 0
        self.finished = 0
        self.not_ours = 0
        """Deliveries that were somebody else's when they were handed back."""

    @property
    def running(self) -> int:
        """How many are worked on now, or wait to be handed back."""
        return len(self._running)

    def wake(self) -> None:
        """There may be something to work on."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled. What runs then is cut off, and found again by its lease."""
        self._holder = self._name()
        await self._patiently(self._take_back_own)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._claim_all(group))
            group.create_task(self._hand_back_all())
            group.create_task(self._regularly(self._config.lease / 3, self._renew))
            group.create_task(self._regularly(self._config.lease / 4, self._take_back_lost))

    # Claiming

    async def _claim_all(self, group: asyncio.TaskGroup) -> None:
        backoff = Backoff(0.1, 5.0)
        while True:
            while len(self._running) > self._config.concurrency // 2:
                self._free.clear()
                await self._free.wait()
            most = self._config.concurrency - len(self._running)
            if self._pressed():
                await asyncio.sleep(_GIVEN_WAY)
                most = min(most, _CLAIMED_MEANWHILE)
            self._wake.clear()
            try:
                claimed, until_next = await self._claim(most)
            except DatabaseAwayError:
                await asyncio.sleep(backoff.next())
                continue
            backoff.reset()
            for row in claimed:
                self._running[row.delivery_id] = row.source
                group.create_task(self._work(row))
            if len(claimed) < most and until_next > 0:
                try:
                    async with asyncio.timeout(until_next):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    async def _claim(self, most: int) -> tuple[list[ClaimedRow], float]:
        """What is due, and the seconds until it is worth looking again."""
        now = self._clock()
        async with self._database.transaction() as connection:
            claimed = await claim_deliveries(
                connection,
                self._holder,
                now=now,
                until=now + self._config.lease,
                most=most,
                patience=self._config.order_wait,
            )
            due = await next_due(connection)
        # What is due and was not claimed waits for another with its key, or is locked by somebody.
        wait = _IDLE if due is None or due <= now else due - now
        return claimed, min(wait, _IDLE)

    async def _work(self, claimed: ClaimedRow) -> None:
        try:
            worked = await self._runner.work(claimed)
        except Exception:
            # One delivery must not end the work on all others.
            log.exception("delivery_not_worked", delivery=claimed.delivery_id)
            worked = self._given_up(claimed, "something went wrong in Parley itself", RunOutcome.FAILED)
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
                del self._running[worked.row.delivery_id]
            self._free.set()
            self._wake.set()

    async def _hand_back(self, batch: list[Worked]) -> None:
        rows = [worked.row for worked in batch]
        runs = [run for worked in batch for run in worked.runs]
        try:
            async with self._database.transaction() as connection:
                kept = await hand_back_deliveries(connection, self._holder, rows, runs)
        except RowRefusedError:
            if len(batch) == 1:
                log.error("delivery_not_handed_back", delivery=rows[0].delivery_id)
                return
            middle = len(batch) // 2
            await self._hand_back(batch[:middle])
            await self._hand_back(batch[middle:])
            return
        self.not_ours += len(rows) - len(kept)
        died = 0
        for worked in batch:
            row = worked.row
            if row.delivery_id in kept:
                is_dead = row.state is DeliveryState.DEAD
                died += is_dead
                self.finished += row.state is not DeliveryState.PENDING
                self._counts.worked(self._running[row.delivery_id], len(worked.runs), died=is_dead)
        self.attempts += len(runs)
        self.died += died
        if died:
            log.warning("deliveries_died", count=died)

    # Leases

    async def _renew(self) -> None:
        if self._running:
            async with self._database.transaction() as connection:
                await renew_leases(connection, self._holder, self._clock() + self._config.lease)

    async def _take_back_own(self) -> None:
        """What an earlier life of this process had claimed: nobody works on it any more."""
        await self._take_back(self._holder)

    async def _take_back_lost(self) -> None:
        await self._take_back(None)

    async def _take_back(self, holder: str | None) -> None:
        """Let what was left behind be tried again, or die where that was its last attempt."""
        while True:
            async with self._database.transaction() as connection:
                found = await lost_deliveries(connection, self._clock(), holder=holder)
                # A store that was away may have kept us from renewing what we still work on.
                lost = sorted(
                    (row for row in found if row.delivery_id not in self._running), key=lambda row: row.holder
                )
                for owner, rows in groupby(lost, key=lambda row: row.holder):
                    ended = [self._given_up(row, LOST, RunOutcome.LOST) for row in rows]
                    await hand_back_deliveries(
                        connection, owner, [one.row for one in ended], [run for one in ended for run in one.runs]
                    )
            if lost:
                log.warning("deliveries_taken_back", count=len(lost))
                self.wake()
            if len(lost) == 0:
                return

    def _given_up(self, row: ClaimedRow | LostRow, why: str, outcome: RunOutcome) -> Worked:
        """An attempt that no handler had an end in."""
        now = self._clock()
        left = row.attempts_allowed - row.attempts
        run = RunRow(
            delivery_id=row.delivery_id,
            attempt=row.attempts,
            handler="",
            started_at=now,
            finished_at=now,
            outcome=outcome,
            error=why,
        )
        worked = WorkedRow(
            delivery_id=row.delivery_id,
            attempt=row.attempts,
            state=DeliveryState.PENDING if left > 0 else DeliveryState.DEAD,
            due_at=now + self._retries.delay(left) if left > 0 else None,
            failing_since=row.failing_since or now,
            finished_at=None if left > 0 else now,
            error=why,
            done_by=row.done_by,
        )
        return Worked(worked, [run])

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
