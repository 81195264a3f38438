"""Schedules on both engines: each moment once, whatever becomes of processes and clocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Literal

import pytest
from sqlalchemy import text

from daemon.actor import Actor
from daemon.config import ScheduleConfig
from daemon.health import Condition
from daemon.plugins import PluginError
from daemon.stores.database import Database
from daemon.stores.deliveries import DeliveryFilter
from daemon.stores.delivery_work import DeliveryState
from tests.daemon.schedules.timekeeping import SEOUL, Clock, Timekeeping, noting, seoul, shown
from tests.services.postgres import PostgresServer

BY = Actor(name="admin", via="session")
MORNING = seoul(2026, 11, 30, 8, 30)


def keep(database: Database, *schedules: ScheduleConfig, now: float = MORNING) -> Timekeeping:
    return Timekeeping(database, Clock(now), *schedules)


async def test_what_is_due_is_done_once_with_what_it_was_due_for(database: Database) -> None:
    keeping = keep(database, noting("0 9 * * *"))
    async with keeping.at_work():
        await keeping.schedules.look()
        await keeping.look_at(2026, 11, 30, 8, 59)
        assert await keeping.fired() == []
        await keeping.look_at(2026, 11, 30, 9, 0)
        await keeping.look_at(2026, 11, 30, 9, 0)
        await keeping.look_at(2026, 11, 30, 9, 1)
        [firing] = await keeping.notes.some(1)
        assert (firing.schedule, firing.due_at, firing.time_zone) == ("noted", seoul(2026, 11, 30, 9), "Asia/Seoul")
        assert f"{firing.due:%Y-%m-%d %H:%M %Z}" == "2026-11-30 09:00 KST"
        assert firing.key == "noted:2026-11-30T00:00:00Z"
        await keeping.look_at(2026, 12, 1, 9, 0)
        assert shown([one.due_at for one in await keeping.notes.some(2)]) == ["30 09:00", "01 09:00"]
    assert keeping.schedules.condition().numbers == {"fired": 2, "late": 0, "missed": 0, "failing": 0}


async def test_a_new_schedule_has_no_past(database: Database) -> None:
    keeping = keep(database, noting("0 * * * *", catch_up="all"))
    await keeping.schedules.look()
    assert await keeping.fired() == []


@pytest.mark.parametrize(
    ("catch_up", "expected", "late", "missed"),
    [("skip", [], 0, 1), ("latest", ["30 11:00"], 1, 1), ("all", ["30 09:00", "30 10:00", "30 11:00"], 3, 0)],
)
async def test_what_came_while_parley_was_down(
    database: Database, catch_up: Literal["skip", "latest", "all"], expected: list[str], late: int, missed: int
) -> None:
    schedule = noting("0 * * * *", catch_up=catch_up)
    await keep(database, schedule).schedules.look()
    after = keep(database, schedule, now=seoul(2026, 11, 30, 11, 30))
    await after.schedules.look()
    assert shown(await after.fired()) == expected
    numbers = after.schedules.condition().numbers
    assert (numbers["late"], numbers["missed"]) == (late, missed)
    await keep(database, schedule, now=seoul(2026, 11, 30, 11, 40)).schedules.look()
    assert shown(await after.fired()) == expected


async def test_a_long_time_is_made_up_for_step_by_step_and_holds_up_no_other(database: Database) -> None:
    schedules = noting("* * * * *", catch_up="all"), noting("30 11 30 11 *", name="other", catch_up="skip")
    await keep(database, *schedules).schedules.look()
    after = keep(database, *schedules, now=seoul(2026, 11, 30, 13, 30))
    await after.schedules.look()
    first = await after.fired()
    assert 0 < len(first) < 300
    assert after.schedules.condition().numbers["missed"] == 1, "the other, which is not made up for"
    resumed = keep(database, *schedules, now=seoul(2026, 11, 30, 13, 30))
    while await resumed.schedules.look() == 0:
        pass
    assert await resumed.fired() == [MORNING + 60 * minute for minute in range(1, 301)]
    numbers = resumed.schedules.condition().numbers
    assert (numbers["fired"], numbers["missed"]) == (300 - len(first), 0)


async def test_a_restart_over_the_moment_leaves_nothing_out(database: Database) -> None:
    schedule = noting("0 9 * * *", catch_up="skip")
    await keep(database, schedule).schedules.look()
    after = keep(database, schedule, now=seoul(2026, 11, 30, 9) + 45)
    await after.schedules.look()
    assert shown(await after.fired()) == ["30 09:00"]
    assert after.schedules.condition().numbers["late"] == 0


async def test_other_times_have_no_past_either(database: Database) -> None:
    await keep(database, noting("0 9 * * *")).schedules.look()
    changed = keep(database, noting("0 10 * * *"), now=seoul(2026, 11, 30, 10, 30))
    await changed.schedules.look()
    assert await changed.fired() == []
    await changed.look_at(2026, 12, 1, 10, 0)
    assert shown(await changed.fired()) == ["01 10:00"]


async def test_two_configurations_on_one_store_do_not_disturb_each_other(database: Database) -> None:
    old, new = keep(database, noting("0 9 * * *")), keep(database, noting("0 9,10 * * *"))
    for one in (old, new, old):
        await one.schedules.look()
    for hour in (9, 10):
        for one in (new, old):
            await one.look_at(2026, 11, 30, hour, 0)
    assert shown(await old.fired()) == ["30 09:00", "30 10:00"]


@pytest.mark.parametrize(
    "without",
    [
        [noting("0 9 3 * *", enabled=False)],
        [noting("0 9 3 * *", use="")],
        [noting("0 9 3 * *", name="another")],
        [],
    ],
    ids=["off", "without use", "renamed", "taken out"],
)
async def test_what_fell_into_a_time_without_the_schedule_is_not_made_up_for(
    database: Database, without: list[ScheduleConfig]
) -> None:
    schedule = noting("0 9 3 * *", catch_up="all", catch_up_within=2_678_400.0)
    await keep(database, schedule).schedules.look()
    await keep(database, *without, now=seoul(2026, 11, 30, 8, 45)).schedules.tidy()
    again = keep(database, schedule, now=seoul(2026, 12, 28, 9, 30))
    await again.schedules.look()
    assert await again.fired() == []
    await again.look_at(2027, 1, 3, 9, 0)
    assert shown(await again.fired()) == ["03 09:00"]


async def test_a_parley_that_does_not_know_a_schedule_yet_takes_nothing_from_those_that_do(database: Database) -> None:
    schedule = noting("0 9 * * *")
    knowing = keep(database, schedule)
    await knowing.schedules.look()
    await keep(database).schedules.tidy()
    await knowing.look_at(2026, 11, 30, 9, 0)
    restarted = keep(database, schedule, now=seoul(2026, 12, 1, 9, 30))
    await restarted.schedules.look()
    assert shown(await restarted.fired()) == ["30 09:00", "01 09:00"]


async def test_of_several_one_fires(database: Database) -> None:
    clock = Clock(MORNING)
    parleys = [Timekeeping(database, clock, noting("* * * * *"), holder=name) for name in "abcd"]
    for one in parleys:
        await one.schedules.look()
    for minute in range(31, 36):
        clock.now = seoul(2026, 11, 30, 8, minute)
        await asyncio.gather(*(one.schedules.look() for one in parleys))
    assert shown(await parleys[0].fired()) == [f"30 08:{minute}" for minute in range(31, 36)]
    assert sum(one.schedules.condition().numbers["fired"] for one in parleys) == 5


async def test_one_that_slept_missed_nothing_that_others_fired(database: Database) -> None:
    schedule = noting("0 * * * *", catch_up="latest")
    awake, asleep = keep(database, schedule), keep(database, schedule)
    for one in (awake, asleep):
        await one.schedules.look()
    for hour in (9, 10, 11):
        await awake.look_at(2026, 11, 30, hour, 0)
    await asleep.look_at(2026, 11, 30, 11, 30)
    assert asleep.schedules.condition().numbers == {"fired": 0, "late": 0, "missed": 0, "failing": 0}


async def test_a_clock_that_is_set_back_fires_nothing_twice(database: Database) -> None:
    keeping = keep(database, noting("0 * * * *", catch_up="all"))
    await keeping.schedules.look()
    for moment in ((9, 0), (10, 0), (8, 40), (9, 0), (9, 30), (10, 0), (11, 0)):
        await keeping.look_at(2026, 11, 30, *moment)
    assert shown(await keeping.fired()) == ["30 09:00", "30 10:00", "30 11:00"]
    assert keeping.schedules.condition().numbers["fired"] == 3
    restarted = keep(database, noting("0 * * * *", catch_up="all"), now=seoul(2026, 11, 30, 9, 30))
    for moment in ((9, 30), (11, 0), (12, 0)):
        await restarted.look_at(2026, 11, 30, *moment)
    assert shown(await keeping.fired()) == ["30 09:00", "30 10:00", "30 11:00", "30 12:00"]


async def test_a_clock_that_was_wrong_for_years_and_is_right_again_goes_on(database: Database) -> None:
    keeping = keep(database, noting("0 9 * * *", catch_up="skip"))
    await keeping.schedules.look()
    await keeping.look_at(2031, 1, 1, 12, 0)
    for restarted in (keeping, keep(database, noting("0 9 * * *", catch_up="skip"))):
        await restarted.look_at(2026, 11, 30, 8, 30)
    await keeping.look_at(2026, 11, 30, 9, 0)
    assert shown(await keeping.fired()) == ["30 09:00"]


async def test_midnight(database: Database) -> None:
    keeping = keep(database, noting("0 0 1 * *"))
    await keeping.schedules.look()
    for moment in ((2026, 11, 30, 23, 59), (2026, 12, 1, 0, 0), (2026, 12, 1, 0, 1)):
        await keeping.look_at(*moment)
    assert shown(await keeping.fired()) == ["01 00:00"]


async def test_the_clock_is_watched_also_where_it_is_set(database: Database) -> None:
    keeping = keep(database, noting("0 9 * * *"))
    async with keeping.at_work():
        await keeping.schedules.look()
        running = asyncio.create_task(keeping.schedules.run())
        keeping.clock.now = seoul(2026, 11, 30, 9)
        await keeping.notes.some(1)
        keeping.clock.now = seoul(2026, 12, 5, 9)
        assert shown([one.due_at for one in await keeping.notes.some(2)]) == ["30 09:00", "05 09:00"]
        running.cancel()
        assert isinstance((await asyncio.gather(running, return_exceptions=True))[0], asyncio.CancelledError)


async def test_what_fails_is_tried_again_and_shown_until_it_works(database: Database) -> None:
    keeping = keep(database, noting("0 9 * * *"), noting("0 9 * * *", name="other"))
    keeping.notes.fail = lambda firing: firing.schedule == "noted" and firing.due_at < seoul(2026, 12, 1)
    async with keeping.at_work():
        await keeping.schedules.look()
        await keeping.look_at(2026, 11, 30, 9, 0)
        await keeping.notes.some(2)
        await ended(keeping, "noted", DeliveryState.DEAD)
        part = keeping.schedules.condition()
        assert (part.condition, part.numbers["failing"]) == (Condition.DEGRADED, 1)
        assert part.detail.endswith(": noted")
        await keeping.look_at(2026, 12, 1, 9, 0)
        await ended(keeping, "noted", DeliveryState.DONE)
        assert keeping.schedules.condition().condition is Condition.OK


async def test_what_takes_too_long_fails(database: Database) -> None:
    endless = noting("0 9 * * *", use="tests.daemon.schedules.example_schedules:never_end", deadline=0.02)
    keeping = keep(database, endless)
    async with keeping.at_work():
        await keeping.schedules.look()
        await keeping.look_at(2026, 11, 30, 9, 0)
        await ended(keeping, "noted", DeliveryState.DEAD)
    assert keeping.schedules.condition().numbers["failing"] == 1


@pytest.fixture
async def failing(database: Database) -> tuple[Timekeeping, Timekeeping, str]:
    """Two Parleys, of which the first failed at a firing, and that one's delivery."""
    clock = Clock(MORNING)
    one, other = (Timekeeping(database, clock, noting("0 9 * * *"), holder=name) for name in ("one", "other"))
    one.notes.fail = lambda _: True
    for keeping in (one, other):
        await keeping.schedules.look()
    await one.look_at(2026, 11, 30, 9, 0)
    async with one.at_work():
        await ended(one, "noted", DeliveryState.DEAD)
    await one.schedules.look()
    assert one.schedules.condition().numbers["failing"] == 1
    page = await one.inbox.page(DeliveryFilter(event="noted"), before=None, limit=1)
    return one, other, page.rows[0].delivery_id


async def is_well_once_done(one: Timekeeping, other: Timekeeping) -> None:
    await one.schedules.look()
    assert one.schedules.condition().numbers["failing"] == 1, "it has not been done yet"
    async with other.at_work():
        await ended(other, "noted", DeliveryState.DONE)
    await one.schedules.look()
    assert one.schedules.condition().condition is Condition.OK


async def test_what_another_parley_made_good_is_not_shown_as_failing(
    failing: tuple[Timekeeping, Timekeeping, str],
) -> None:
    one, other, delivery_id = failing
    await other.inbox.replaying.replay(delivery_id, actor=BY)
    await is_well_once_done(one, other)


async def test_what_another_parley_did_the_next_time_is_not_shown_as_failing(
    failing: tuple[Timekeeping, Timekeeping, str],
) -> None:
    one, other, _ = failing
    await other.look_at(2026, 12, 1, 9, 0)
    await is_well_once_done(one, other)


async def test_what_nobody_wants_any_more_is_not_shown_as_failing(
    failing: tuple[Timekeeping, Timekeeping, str],
) -> None:
    one, other, delivery_id = failing
    await other.inbox.replaying.replay(delivery_id, actor=BY)
    await other.inbox.replaying.cancel(delivery_id, actor=BY)
    await one.schedules.look()
    assert one.schedules.condition().condition is Condition.OK


async def ended(keeping: Timekeeping, event: str, state: DeliveryState) -> None:
    """Wait until the latest delivery of a schedule has come to that."""
    async with asyncio.timeout(30):
        while True:
            page = await keeping.inbox.page(DeliveryFilter(event=event), before=None, limit=1)
            if page.rows and page.rows[0].state is state:
                return
            await asyncio.sleep(0.01)


async def test_while_the_store_is_away_nothing_fires_and_health_says_so(postgres_server: PostgresServer) -> None:
    database = Database.of(postgres_server.url())
    await database.upgrade()
    keeping = keep(database, noting("0 9 * * *"))
    await keeping.schedules.look()
    running = asyncio.create_task(keeping.schedules.run())
    postgres_server.stop()
    keeping.clock.now = seoul(2026, 11, 30, 9)
    await until(lambda: keeping.schedules.condition().condition is Condition.DEGRADED)
    assert "the database is away" in keeping.schedules.condition().detail
    postgres_server.start()
    await until(lambda: keeping.schedules.condition().condition is Condition.OK)
    assert shown(await keeping.fired()) == ["30 09:00"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await database.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


async def test_a_schedule_that_cannot_be_used(database: Database) -> None:
    with pytest.raises(PluginError, match="no built-in schedule"):
        keep(database, noting("0 9 * * *", use="ask-everybody"))
    with pytest.raises(PluginError, match="needs reminders: Reminders, which is not there"):
        keep(database, noting("0 9 * * *", use="ask-tgday"))


async def test_firings_of_long_ago_are_forgotten_but_the_last(database: Database) -> None:
    keeping = keep(database, noting("0 9 1 * *"), now=seoul(2026, 1, 15))
    await keeping.schedules.look()
    for month in range(2, 7):
        await keeping.look_at(2026, month, 1, 9, 0)
    await keeping.schedules.tidy()
    assert [f"{one:%m}" for one in map(_month, await remembered(database))] == ["04", "05", "06"]
    keeping.clock.now = seoul(2027, 6, 1)
    await keeping.schedules.tidy()
    assert [f"{one:%m}" for one in map(_month, await remembered(database))] == ["06"]


def _month(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, SEOUL)


async def remembered(database: Database) -> list[float]:
    async with database.read() as connection:
        return list(await connection.scalars(text("SELECT due_at FROM schedule_firings ORDER BY due_at")))
