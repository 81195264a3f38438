"""Schedules and an inbox on one store, with a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from daemon.config import InboxConfig, ScheduleConfig
from daemon.cron import zone_of
from daemon.inbox.handlers import NamedHandler
from daemon.inbox.room import InboxRoom
from daemon.schedules.room import Schedules
from daemon.schedules.schedule import SOURCE
from daemon.secrets import Secrets
from daemon.stores.database import Database
from tests.daemon.schedules.example_schedules import Notes

SEOUL: Final = zone_of("Asia/Seoul")
NOTE: Final = "tests.daemon.schedules.example_schedules:note"


def seoul(*moment: int) -> float:
    return datetime(*moment, tzinfo=SEOUL).timestamp()  # type: ignore[arg-type, misc]


def shown(moments: Sequence[float]) -> list[str]:
    return [f"{datetime.fromtimestamp(moment, SEOUL):%d %H:%M}" for moment in moments]


class Clock:
    """Stands still until it is set."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Timekeeping:
    """One Parley's schedules, which note what they do."""

    def __init__(self, database: Database, clock: Clock, *schedules: ScheduleConfig, holder: str = "one") -> None:
        self.database = database
        self.clock = clock
        self.notes = Notes()
        config = InboxConfig(retries=[0.01, 0.01])
        self.inbox = InboxRoom(config, Secrets({}), database, holder=lambda: holder)
        self.schedules = Schedules(schedules, self.inbox, database, {Notes: self.notes}, clock=clock)
        for one in self.schedules.all:
            self.inbox.handlers.add(
                NamedHandler(
                    name=f"{one.name}.fire", handle=one.handle, source=SOURCE, event=one.name, deadline=one.deadline
                )
            )

    async def look_at(self, *moment: int) -> None:
        """Set the clock to a moment in Seoul, and look."""
        self.clock.now = seoul(*moment)
        await self.schedules.look()

    async def fired(self) -> list[float]:
        """The moments for which anything fired, which are those of the deliveries."""
        async with self.database.read() as connection:
            fired = list(await connection.scalars(text("SELECT due_at FROM schedule_firings ORDER BY due_at")))
            ids = text("SELECT other_id FROM deliveries WHERE source = 'parley:schedules' ORDER BY other_id")
            handed_on = [str(one).partition(":")[2] for one in await connection.scalars(ids)]
        assert sorted(handed_on) == [
            f"{datetime.fromtimestamp(one, zone_of('UTC')):%Y-%m-%dT%H:%M:%SZ}" for one in fired
        ]
        return fired

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """With the inbox that does what fires."""
        running = asyncio.create_task(self.inbox.run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def noting(cron: str, **fields: Any) -> ScheduleConfig:
    """A schedule that notes its firings."""
    return ScheduleConfig(**({"name": "noted", "cron": cron, "use": NOTE} | fields))
