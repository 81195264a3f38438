"""One schedule at work: its firings are put into the inbox, and come back from there to be done."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Final

import msgspec
import structlog

from daemon.inbox.contract import ClaimingInbox, Delivery, PermanentError, PostponedError, Work
from daemon.schedules.catching_up import LATE, due, first_late
from daemon.schedules.contract import Firing
from daemon.schedules.definition import FIRING, Definition, cron_of
from daemon.stores.database import Database, RowRefusedError
from daemon.stores.delivery_work import DeliveryState
from daemon.stores.schedule_firings import (
    FiringRow,
    claim_firing,
    has_fired,
    last_due_at,
    leave_off_schedule,
    states_of,
    take_up_schedule,
)

log = structlog.get_logger(__name__)

SOURCE: Final = "parley:schedules"
"""The source of deliveries that are firings; their event is the schedule."""
_AT_ONCE: Final = 100
"""Firings that are handed on at one look."""
_SETTLED: Final = (DeliveryState.DONE, DeliveryState.CANCELLED)


class Schedule:
    """Fires when its time has come, and does what is to be done then. Raises ``PluginError`` where it cannot be used.

    ``supplies`` are what its function may ask for.
    """

    def __init__(
        self, definition: Definition, inbox: ClaimingInbox, database: Database, supplies: Mapping[type, object]
    ) -> None:
        self._definition = definition
        self._inbox = inbox
        self._database = database
        config = definition.config
        self._cron = cron_of(config)
        self._function = definition.plugin.bind(supplies, taken={FIRING}, options=config.options)
        self.name = config.name
        self.deadline = config.deadline
        self.fired = 0
        """Firings that this process handed on; how many of them were late, and how often some were left out."""
        self.late = 0
        self.missed = 0
        self._failed: Firing | None = None
        self._since: float | None = None
        self._next: float | None = None

    @property
    def is_failing(self) -> bool:
        """Whether what it did last in this process failed, and no Parley has made it good since."""
        return self._failed is not None

    # Firing

    async def look(self, now: float) -> float | None:
        """Fire what has come due ``now``; returns when the next is, both in Unix seconds.

        Raises ``DatabaseAwayError``.
        """
        if self._since is None:
            self._move_to(await self._take_up(now))
        since = self._since
        assert since is not None  # noqa: S101 - it was taken up
        if now < since:
            # The clock was set back. What has fired is known by its moment and does not fire again.
            self._move_to(now)
        elif self._next is not None and self._next <= now:
            await self._fire(since, now)
        return self._next

    async def _take_up(self, now: float) -> float:
        async with self._database.transaction() as connection:
            return await take_up_schedule(connection, self.name, self._definition.times, now=now)

    async def _fire(self, since: float, now: float) -> None:
        """Hand on what is to fire; what is left of a long time is for the next look, so that no other schedule is late
        because of it."""
        config, cron = self._definition.config, self._cron
        moments = list(
            islice(due(cron, since, now, catch_up=config.catch_up, within=config.catch_up_within), _AT_ONCE + 1)
        )
        reached = now if len(moments) <= _AT_ONCE else moments[_AT_ONCE - 1]
        for due_at in moments[:_AT_ONCE]:
            if await self._hand_on(due_at, now):
                self.fired += 1
                self.late += now - due_at >= LATE
        first = first_late(cron, since, now)
        async with self._database.transaction() as connection:
            left_out = first is not None and not await has_fired(connection, self.name, first)
            await leave_off_schedule(connection, self.name, self._definition.times, at=reached)
        if left_out:
            self.missed += 1
            log.warning("schedule_missed", schedule=self.name, catch_up=config.catch_up)
        self._move_to(reached)

    async def _hand_on(self, due_at: float, now: float) -> bool:
        """Put a firing into the inbox, unless it was: by another process, or before the clock was set back."""
        firing = Firing(schedule=self.name, due_at=due_at, time_zone=self._definition.config.time_zone)
        row = FiringRow(schedule=self.name, due_at=due_at, fired_at=now)
        work = Work(source=SOURCE, event=self.name, body=msgspec.json.encode(firing), other_id=firing.key)
        try:
            fires = await self._inbox.put_claimed(work, lambda connection: claim_firing(connection, row))
        except RowRefusedError as error:
            log.error("firing_refused", schedule=self.name, cause=error.cause)
            self._failed = firing
            return False
        if fires:
            log.info("schedule_fired", schedule=self.name, due=f"{firing.due:%Y-%m-%dT%H:%M%z}")
        return fires

    def _move_to(self, moment: float) -> None:
        self._since = moment
        self._next = self._cron.after(moment)

    # Doing

    async def handle(self, delivery: Delivery) -> None:
        """Do what is to be done at a firing. Raises what its function raises."""
        try:
            firing = msgspec.json.decode(delivery.body, type=Firing)
        except msgspec.DecodeError as error:
            raise PermanentError("the body is no firing") from error
        failed: Firing | None = firing  # also where it is cancelled, since it took too long
        try:
            await self._function(**{FIRING: firing})
            failed = None
        except PostponedError:
            failed = self._failed
            raise
        finally:
            self._failed = failed

    async def look_again(self) -> None:
        """See whether what failed here was done since by another Parley, or is wanted no more, or the next was done.

        Raises ``DatabaseAwayError``.
        """
        failed = self._failed
        if failed is None:
            return
        async with self._database.read() as connection:
            last_due = await last_due_at(connection, self.name)
            last = msgspec.structs.replace(failed, due_at=max(failed.due_at, last_due or failed.due_at))
            states = await states_of(connection, SOURCE, {failed.key, last.key})
        is_settled = states.get(failed.key) in _SETTLED or states.get(last.key) == DeliveryState.DONE
        if is_settled and self._failed is failed:
            self._failed = None
