"""Parley's own events: what happened just before a stop is told all the same."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from sqlalchemy import text

from daemon.calls.events import Direction, LegAppeared, LegEnded
from daemon.config import HandlerConfig, InboxConfig
from daemon.health import Condition
from daemon.inbox.own_events import OwnEvents
from daemon.inbox.room import InboxRoom
from daemon.secrets import Secrets
from daemon.stores.database import Database
from daemon.transcripts.assembler import Transcripts
from tests.daemon.calls.story import Story
from tests.daemon.running_service import RunningService

KEEP = InboxConfig(handler=[HandlerConfig(name="keep", use="store", source="parley")])


async def events(database: Database) -> list[str]:
    async with database.read() as connection:
        found = await connection.execute(text("SELECT event FROM deliveries ORDER BY delivery_id"))
        return list(found.scalars())


async def test_when_they_are_closed_ends_are_told_at_once_and_once(database: Database) -> None:
    story = Story()
    transcripts = Transcripts(story.hub, story.registry, epoch="e")
    room = InboxRoom(KEEP, Secrets({}), database, holder=lambda: "here")
    room.add_configured({Database: database})
    own = OwnEvents(story.hub, transcripts, room, room.handlers, time.time, counts=room.counts, settle=3600.0)
    running = [asyncio.create_task(one) for one in (room.run(), own.run())]
    for leg in ("a", "b"):
        story.appear(leg)
        story.end(leg)
    async with asyncio.timeout(30):
        await own.close()
        await own.close()
    assert sorted(await events(database)) == ["call.ended"] * 2 + ["call.started"] * 2
    for one in running:
        one.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_one_that_cannot_be_held_any_more_is_counted_and_shown_for_an_hour(database: Database) -> None:
    now = 1_000_000.0
    story = Story()
    transcripts = Transcripts(story.hub, story.registry, epoch="e")
    room = InboxRoom(KEEP, Secrets({}), database, holder=lambda: "here", clock=lambda: now)
    room.add_configured({Database: database})
    own = OwnEvents(
        story.hub, transcripts, room, room.handlers, lambda: now, counts=room.counts, settle=3600.0, most_waiting=2
    )
    for leg in ("a", "b"):
        story.appear(leg)
    assert room.condition().condition is Condition.OK
    for leg in ("c", "d", "e"):
        story.appear(leg)
    part = room.condition()
    assert (part.condition, part.numbers["own_events_lost"]) == (Condition.DEGRADED, 3.0)
    assert "own were lost" in part.detail
    now += 3600.0
    part = room.condition()
    assert (part.condition, part.numbers["own_events_lost"]) == (Condition.OK, 3.0)
    running = [asyncio.create_task(one) for one in (room.run(), own.run())]
    async with asyncio.timeout(30):
        await own.close()
    assert await events(database) == ["call.started"] * 2
    for one in running:
        one.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_a_stop_loses_no_end_of_a_call(tmp_path: Path) -> None:
    async with RunningService(tmp_path, None, inbox=KEEP) as running:
        now = time.time()
        appeared = LegAppeared(
            origin="freeswitch",
            server="main",
            leg_id="a",
            at=now,
            call_key="a",
            direction=Direction.INBOUND,
            created_at=now,
            caller="1001",
            callee="1002",
        )
        running.rooms.registry.apply(appeared)
        ended = LegEnded(origin="freeswitch", server="main", leg_id="a", at=now, cause="NORMAL_CLEARING")
        running.rooms.registry.apply(ended)
    database = Database.of(running.database_url)
    assert await events(database) == ["call.started", "call.ended"]
    await database.close()
