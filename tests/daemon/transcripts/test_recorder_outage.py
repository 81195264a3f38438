"""A real PostgreSQL that stops, hangs and comes back under load: all is stored, memory stays bounded, health says so.

The long form (``PARLEY_PROVE``) keeps it away for a minute under 100,000 utterances.
"""

from __future__ import annotations

import asyncio
import os
import time
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from daemon.health import Condition
from daemon.stores.database import Database, DatabaseAwayError
from tests.daemon.transcripts.recording import Recording, finals, recording
from tests.services.postgres import PostgresServer

PROVE = bool(os.environ.get("PARLEY_PROVE"))
UTTERANCES = 100_000 if PROVE else 6_000
AWAY = 60.0 if PROVE else 1.0
CALLS = 20


@pytest.fixture
async def own_database(postgres_server: PostgresServer) -> AsyncIterator[Database]:
    """On a server that the test stops. One second is long enough to say that it hangs."""
    database = Database.of(postgres_server.url(), timeout=1.0)
    await database.upgrade()
    yield database
    await database.close()


async def talk(made: Recording, first: int, last: int, during: float) -> None:
    """The finals ``first`` … ``last`` of every call, spread over ``during`` seconds."""
    begun = time.monotonic()
    for seq in range(first, last + 1):
        for number in range(CALLS):
            made.say(f"call-{number}", seq)
        due = begun + during * (seq - first + 1) / (last - first + 1)
        await asyncio.sleep(max(0.0, due - time.monotonic()))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("outage", ["stopped", "hung", "restarted again and again"])
async def test_nothing_is_lost_while_the_database_is_away(
    own_database: Database, postgres_server: PostgresServer, tmp_path: Path, outage: str
) -> None:
    each = UTTERANCES // CALLS
    third = each // 3
    async with recording(own_database, tmp_path) as made:
        for number in range(CALLS):
            made.call(f"call-{number}")
        await talk(made, 1, third, AWAY / 4)
        if outage == "restarted again and again":
            talking = asyncio.create_task(talk(made, third + 1, 2 * third, AWAY))
            while not talking.done():
                await asyncio.to_thread(postgres_server.stop)
                await asyncio.to_thread(postgres_server.start)
            await talking
        else:
            away, back = (
                (postgres_server.stop, postgres_server.start)
                if outage == "stopped"
                else (postgres_server.pause, postgres_server.resume)
            )
            await asyncio.to_thread(away)
            tracemalloc.start()
            await talk(made, third + 1, 2 * third, AWAY)
            await made.until_away()
            grown, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            part = made.recorder.condition()
            assert part.condition is Condition.DEGRADED
            assert part.numbers["waiting"] >= CALLS * third * 0.9
            assert part.numbers["waiting_seconds"] > 0
            assert "rows wait, the oldest for" in part.detail
            # The rows themselves would take ten times as much.
            assert grown < 4_000_000
            await asyncio.to_thread(back)
        await talk(made, 2 * third + 1, each, AWAY / 4)
        await made.settle()
        for number in range(CALLS):
            assert await made.stored(f"call-{number}") == finals(f"call-{number}", 1, each)
        part = made.recorder.condition()
        assert part.condition is Condition.OK
        assert [part.numbers[name] for name in ("waiting", "lost", "rejected", "resequenced")] == [0, 0, 0, 0]


async def test_health_notices_an_idle_database_that_left_and_that_it_is_back(
    own_database: Database, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.transcripts.recorder._PING_INTERVAL", 0.05)
    async with recording(own_database, tmp_path) as made:
        await made.settle()
        await asyncio.to_thread(postgres_server.stop)
        await made.until_away()
        assert made.recorder.condition().condition is Condition.DEGRADED
        assert made.number("waiting") == 0
        await asyncio.to_thread(postgres_server.start)
        await made.until(lambda: made.recorder.condition().condition is Condition.OK)


async def test_a_commit_whose_outcome_is_not_known_is_repeated_without_harm(
    own_database: Database, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """The server commits and its word is lost: every connection is cut just after each commit."""
    async with recording(own_database, tmp_path, batch_rows=10) as made:
        cut = True
        commit = made.recorder._committer.commit

        async def commit_and_be_cut(records: object) -> None:
            await commit(records)  # type: ignore[arg-type]
            if cut:
                raise DatabaseAwayError("cut after the commit")

        made.recorder._committer.commit = commit_and_be_cut  # type: ignore[method-assign]
        made.call("a")
        made.say("a", *range(1, 35))
        await made.until(lambda: made.number("stored") > 30)
        assert await made.stored("a") == finals("a", 1, 9)
        cut = False
        await made.settle()
        assert await made.stored("a") == finals("a", 1, 34)


async def test_a_lock_held_by_somebody_stalls_nobody(own_database: Database, tmp_path: Path) -> None:
    """A table locked for longer than a commit may take: rows wait in the spool and go in when it is free."""
    async with recording(own_database, tmp_path) as made:
        made.call("a")
        made.say("a", 1)
        await made.settle()
        async with own_database._engine.connect() as blocker:
            await blocker.execute(text("LOCK TABLE utterances IN ACCESS EXCLUSIVE MODE"))
            made.say("a", *range(2, 500))
            await made.until_away()
            assert "no answer within 1 s" in made.recorder.condition().detail
        await made.settle()
        assert await made.stored("a") == finals("a", 1, 499)
