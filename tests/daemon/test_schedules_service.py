"""Schedules in the service: taken up where the last process left off, done by the inbox, told to whoever asks."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import aiohttp

from daemon.config import ScheduleConfig
from daemon.health import Condition
from daemon.stores.database import Database
from daemon.stores.deliveries import DeliveryFilter
from daemon.stores.delivery_work import DeliveryState
from daemon.stores.schedule_firings import take_up_schedule
from tests.daemon.running_service import RunningService

MINUTELY = ScheduleConfig(
    name="minutely", cron="* * * * *", use="tests.daemon.schedules.example_schedules:nothing", catch_up="all"
)


async def are_there(parley: RunningService, least: int, wanted: DeliveryFilter) -> bool:
    return len((await parley.rooms.inbox.page(wanted, before=None, limit=100)).rows) >= least


async def test_what_came_due_while_it_was_down_is_done_and_shown(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with database.transaction() as connection:
        await take_up_schedule(connection, "minutely", "* * * * * Asia/Seoul", now=time.time() - 600)
    off = ScheduleConfig(name="off", use=MINUTELY.use, enabled=False)
    async with RunningService(tmp_path, None, database=database_url, schedule=[MINUTELY, off]) as parley:
        firings = DeliveryFilter(source="parley:schedules", state=DeliveryState.DONE)
        async with asyncio.timeout(60):
            while not await are_there(parley, 10, firings):  # noqa: ASYNC110 - a store tells nobody
                await asyncio.sleep(0.02)
        part = parley.rooms.health.report().parts["schedules"]
        assert part.condition is Condition.OK
        assert part.numbers["late"] >= 8
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{parley.port}/metrics") as response,
        ):
            figures = (await response.text()).splitlines()
        assert "parley_schedules_failing 0.0" in figures
        assert any(line.startswith("parley_schedules_fired 1") for line in figures)


async def test_without_schedules_health_has_no_part_of_them(database_url: str, tmp_path: Path) -> None:
    async with RunningService(tmp_path, None, database=database_url) as parley:
        assert "schedules" not in parley.rooms.health.report().parts
