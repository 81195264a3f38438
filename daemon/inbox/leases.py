"""What a process works on is its own for a while; what one left behind is given to the others.

A lease is renewed for what is really worked on and for nothing else: a claim whose answer was lost on the way ends by
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import groupby
from typing import Final

import structlog

from daemon.inbox.retries import Retries
from daemon.inbox.runs import Worked, done_by_uncounted
from daemon.stores.database import Database
from daemon.stores.delivery_work import (
    ClaimedRow,
    DeliveryState,
    LostRow,
    RunOutcome,
    RunRow,
    WorkedRow,
    hand_back_deliveries,
    lost_deliveries,
    renew_leases,
)
from daemon.stores.store_clock import StoreClock

log = structlog.get_logger(__name__)

LOST: Final = "its process went away"


class Leases:
    """Of one process. ``lease`` is in seconds; ``running`` tells the ids of what it works on; ``wake`` is called when
    something can be worked on again."""

    def __init__(
        self,
        database: Database,
        retries: Retries,
        lease: float,
        *,
        running: Callable[[], Collection[str]],
        wake: Callable[[], None],
        clock: StoreClock,
    ) -> None:
        self._database = database
        self._retries = retries
        self._lease = lease
        self._running = running
        self._wake = wake
        self._clock = clock
        self.holder = ""

    async def renew(self) -> None:
        """Keep what is worked on."""
        running = list(self._running())
        if running:
            async with self._database.transaction() as connection:
                until = await self._clock.read(connection) + self._lease
                await renew_leases(connection, self.holder, running, until)

    async def take_back_own(self, *, was_tried: bool) -> None:
        """What is claimed in our name and not worked on: by an earlier life of this process, which ``was_tried``, or
        by a claim of which nobody was told, which was not."""
        await self._take_back(self.holder, was_tried=was_tried)

    async def take_back_lost(self) -> None:
        """What another process left behind."""
        await self._take_back(None, was_tried=True)

    async def _take_back(self, holder: str | None, *, was_tried: bool) -> None:
        """Let what was left behind be tried again, or die where that was its last attempt."""
        while True:
            async with self._database.transaction() as connection:
                now = await self._clock.read(connection)
                lost = await lost_deliveries(connection, now, holder=holder, apart_from=list(self._running()))
                for owner, rows in groupby(sorted(lost, key=lambda row: row.holder), key=lambda row: row.holder):
                    ended = [
                        self._set_apart(row)
                        if was_tried and row.waits
                        else self.given_up(row, LOST, RunOutcome.LOST, was_tried=was_tried)
                        for row in rows
                    ]
                    runs = [run for one in ended for run in one.runs]
                    await hand_back_deliveries(connection, owner, [one.row for one in ended], runs, now=now)
            if not lost:
                return
            log.warning("deliveries_taken_back", count=len(lost))
            self._wake()

    def given_up(self, row: ClaimedRow | LostRow, why: str, outcome: RunOutcome, *, was_tried: bool) -> Worked:
        """An attempt that no handler had an end in; one that was not tried does not count, and keeps its place."""
        now = self._clock()
        left = row.attempts_allowed - row.attempts
        lives = left > 0 or not was_tried
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
            state=DeliveryState.PENDING if lives else DeliveryState.DEAD,
            due_at=now + self._retries.delay(left) if lives and was_tried else None,
            failing_since=(row.failing_since or now) if was_tried else row.failing_since,
            finished_at=None if lives else now,
            error=why if was_tried else "",
            done_by=row.done_by if was_tried else done_by_uncounted(row.done_by),
            postponed=int(not was_tried),
        )
        return Worked(worked, [run] if was_tried else [])

    def _set_apart(self, row: LostRow) -> Worked:
        """One that was claimed behind another of its key: whether it was begun, nobody knows.

        So the attempt does not count. But it may be what its process died of: as one that fails, it is from now on
        tried alone, and then each attempt counts.
        """
        worked = WorkedRow(
            delivery_id=row.delivery_id,
            attempt=row.attempts,
            state=DeliveryState.PENDING,
            failing_since=row.failing_since or self._clock(),
            error=LOST,
            done_by=done_by_uncounted(row.done_by),
            postponed=1,
        )
        return Worked(worked, [])
