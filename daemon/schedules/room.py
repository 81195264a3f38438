"""The room as a whole: looks at the clock, lets schedules fire, and says how that goes.

A firing is claimed and put into the inbox in one transaction: of several Parleys on one store one does it, and whoever
dies leaves either nothing, which the next look makes good, or a delivery that is worked on until it is done.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from daemon.backoff import Backoff
from daemon.config import ScheduleConfig
from daemon.health import Condition, Part
from daemon.inbox.contract import ClaimingInbox
from daemon.schedules.definition import define, used
from daemon.schedules.schedule import Schedule
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.schedule_firings import delete_old_firings, forget_schedules_but

log = structlog.get_logger(__name__)

_LOOK: Final = 2.0
"""Seconds at most until it looks at the clock again, which may have been set meanwhile."""
_TIDY: Final = 3_600.0
_KEPT: Final = 90 * 86_400.0
"""Seconds that firings are remembered."""


class Schedules:
    """Those of ``config`` that are used. ``clock`` gives Unix seconds: it is the machine's, and may be set.

    ``supplies`` are what functions of others may ask for. Raises ``PluginError`` for a function that cannot be used.
    """

    def __init__(
        self,
        config: Sequence[ScheduleConfig],
        inbox: ClaimingInbox,
        database: Database,
        supplies: Mapping[type, object],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._clock = clock
        self.all = [Schedule(define(one), inbox, database, supplies) for one in used(config)]
        self.problem = ""
        """Why it could not be looked last; ``""`` where it could."""

    async def run(self) -> None:
        """Let them fire, and tidy, until cancelled."""
        async with asyncio.TaskGroup() as group:
            if self.all:
                group.create_task(self._watch())
            group.create_task(self._tidy())

    async def look(self) -> float:
        """Fire what has come due; returns how many seconds it may be until the next look.

        Raises :class:`DatabaseAwayError`.
        """
        upcoming = [await schedule.look(self._clock()) for schedule in self.all]
        for schedule in self.all:
            await schedule.look_again()
        soonest = min((moment for moment in upcoming if moment is not None), default=None)
        return _LOOK if soonest is None else min(_LOOK, max(0.0, soonest - self._clock()))

    async def _watch(self) -> None:
        backoff = Backoff(0.1, _LOOK)
        while True:
            try:
                pause = await self.look()
            except DatabaseAwayError as error:
                if not self.problem:
                    log.warning("schedules_store_away", error=str(error))
                self.problem = str(error)
                pause = backoff.next()
            else:
                self.problem = ""
                backoff.reset()
            await asyncio.sleep(pause)

    async def _tidy(self) -> None:
        while True:
            try:
                await self.tidy()
            except DatabaseAwayError as error:
                log.info("schedules_not_tidied", error=str(error))
            await asyncio.sleep(_TIDY)

    async def tidy(self) -> None:
        """Delete firings of long ago, and forget schedules that are off or gone: they begin anew if they come back."""
        async with self._database.transaction() as connection:
            await delete_old_firings(connection, before=self._clock() - _KEPT)
            await forget_schedules_but(connection, [schedule.name for schedule in self.all])

    def condition(self) -> Part:
        """For health: whether schedules fire, and do what they are to do."""
        failing = [schedule.name for schedule in self.all if schedule.is_failing]
        numbers = {
            "fired": float(sum(schedule.fired for schedule in self.all)),
            "late": float(sum(schedule.late for schedule in self.all)),
            "missed": float(sum(schedule.missed for schedule in self.all)),
            "failing": float(len(failing)),
        }
        if self.problem:
            return Part(Condition.DEGRADED, "nothing fires: the database is away", numbers)
        if failing:
            detail = f"what these did last failed, see their deliveries in the inbox: {', '.join(failing)}"
            return Part(Condition.DEGRADED, detail, numbers)
        return Part(Condition.OK, "", numbers)
