"""Several Parleys on one store, killed while they fire and remind: each moment once, each reminder once."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import text

from daemon.config import ScheduleConfig
from daemon.schedules.contract import Firing
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, save_people
from daemon.stores.schedule_firings import take_up_schedule
from tests.daemon.schedules.parley_program import Program
from tests.daemon.schedules.timekeeping import seoul

PROVE = os.environ.get("PARLEY_PROVE") == "1"
ROOT: Final = Path(__file__).resolve().parents[3]
PEOPLE: Final = 20
MINUTE: Final = 60.0


class Parley:
    """One process, through any number of lives."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns when it has looked at the clock."""
        told = msgspec.json.encode(self.program).decode()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.daemon.schedules.parley_program", told),
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            assert await self._process.stdout.readline() == b"ready\n"

    async def kill(self) -> None:
        """``kill -9``."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def parleys(*programs: Program) -> AsyncIterator[list[Parley]]:
    """Processes, the first of them looking at the clock before the others do."""
    made = [Parley(program) for program in programs]
    try:
        for one in made:
            await one.start()
        yield made
    finally:
        for one in made:
            await one.kill()


class Chat:
    """Where reminders are posted. Each post waits until it is told what becomes of it."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        """Who was told something, each time."""
        self.waiting: list[tuple[str, str, asyncio.Future[bool]]] = []
        """Of each post that waits: which Parley's it is, whom it is for, and whether it is answered."""
        self._holds = True
        self._came = asyncio.Condition()
        app = web.Application()
        app.router.add_post("/", self._take)
        self._server = TestServer(app)

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self._holds:
            self.waiting.append((body["from"], body["to"], answered))
        else:
            answered.set_result(True)
            self.taken.append(body["to"])
        async with self._came:
            self._came.notify_all()
        await answered
        return web.Response(text="M-1")

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(60), self._came:
            await self._came.wait_for(holds)

    def take(self, whose: Callable[[str], bool], most: int = PEOPLE, *, answer: bool = True) -> list[str]:
        """Take at most so many of the posts that wait; returns whom they are for."""
        mine = [post for post in self.waiting if whose(post[0])][:most]
        for post in mine:
            self.waiting.remove(post)
            self.taken.append(post[1])
            if answer:
                post[2].set_result(True)
        return [to for _, to, _ in mine]

    def open(self) -> None:
        """Take what comes from now on; what a dead process asked for has nobody who waits."""
        self._holds = False

    @property
    def url(self) -> str:
        return str(self._server.make_url("/"))

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, _, answered in self.waiting:
            answered.cancel()
        await self._server.close()


async def count(database: Database, query: str, **values: Any) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(text(query), values) or 0)


async def until_count(database: Database, expected: int, query: str, **values: Any) -> None:
    """Wait until the store has so many, or more."""
    async with asyncio.timeout(60):
        while await count(database, query, **values) < expected:  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.02)


def programs(database_url: str, many: int, **fields: Any) -> list[Program]:
    began = time.time()
    return [Program(holder=f"parley-{number}", database=database_url, began=began, **fields) for number in range(many)]


FIRED: Final = "SELECT count(*) FROM schedule_firings"
DONE: Final = "SELECT count(*) FROM deliveries WHERE source = 'parley:reminders' AND state = 'done'"


@pytest.fixture(params=["postgresql"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """The one that several Parleys share."""
    return str(request.param)


@asynccontextmanager
async def reminding(database: Database, database_url: str) -> AsyncIterator[tuple[Chat, list[Parley], str]]:
    """Three Parleys with twenty people's reminders in their hands, and which of them has the most."""
    people = [PersonRow(name=f"p{n}", role="viewer", email=f"p{n}@example.com") for n in range(PEOPLE)]
    async with database.transaction() as connection:
        await save_people(connection, people, now=0.0)
    schedule = ScheduleConfig(name="ask", cron="0 9 1 12 *", use="ask-tgday")
    async with Chat() as chat:
        soon = seoul(2026, 12, 1, 8, 59, 50)
        made = programs(database_url, 3, schedule=schedule, first=soon, speed=2.0, chat=chat.url)
        async with parleys(*made) as running:
            await chat.until(lambda: len(chat.waiting) == PEOPLE)
            [(victim, _)] = Counter(holder for holder, _, _ in chat.waiting).most_common(1)
            yield chat, running, victim


async def test_twenty_reminders_of_a_minute_are_sent_once_each_though_one_parley_is_killed(
    database: Database, database_url: str
) -> None:
    async with reminding(database, database_url) as (chat, running, victim):
        taken = chat.take(lambda holder: holder == victim, most=3)
        await until_count(database, len(taken), DONE)
        await next(one for one in running if one.program.holder == victim).kill()
        assert len(chat.taken) < PEOPLE
        chat.take(lambda holder: holder != victim)
        chat.open()
        await until_count(database, PEOPLE, DONE)
    assert Counter(chat.taken) == Counter(f"p{n}@example.com" for n in range(PEOPLE))
    assert await count(database, FIRED) == 1
    assert await count(database, "SELECT count(*) FROM deliveries WHERE source = 'parley:schedules'") == 1


async def test_what_was_posted_and_not_noted_is_said_again_rather_than_never(
    database: Database, database_url: str
) -> None:
    async with reminding(database, database_url) as (chat, running, victim):
        unanswered = chat.take(lambda holder: holder == victim, answer=False)
        await next(one for one in running if one.program.holder == victim).kill()
        chat.take(lambda holder: holder != victim)
        chat.open()
        await until_count(database, PEOPLE, DONE)
    expected = Counter(f"p{n}@example.com" for n in range(PEOPLE)) + Counter(unanswered)
    assert Counter(chat.taken) == expected


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("engine_name", "many"), [("postgresql", 3), ("sqlite", 1)], indirect=["engine_name"])
async def test_each_minute_fires_once_whoever_is_killed(database: Database, database_url: str, many: int) -> None:
    nothing = "tests.daemon.schedules.example_schedules:nothing"
    schedule = ScheduleConfig(name="minutely", cron="* * * * *", use=nothing, catch_up="all")
    first = seoul(2026, 12, 31, 23, 55)
    made = programs(database_url, many, schedule=schedule, first=first, speed=240.0)
    async with database.transaction() as connection:
        await take_up_schedule(connection, "minutely", "* * * * * Asia/Seoul", now=first)
    async with parleys(*made) as running:
        for _ in range(60 if PROVE else 4):
            more = await count(database, FIRED) + random.randint(0, 3)
            await until_count(database, more, FIRED)
            victim = random.choice(running)
            await victim.kill()
            await victim.start()
        last = made[0].clock() // MINUTE * MINUTE
        await until_count(database, 1, "SELECT count(*) FROM schedule_firings WHERE due_at = :last", last=last)
        key = Firing(schedule="minutely", due_at=last, time_zone="UTC").key
        done = "SELECT count(*) FROM deliveries WHERE state = 'done' AND other_id <= :key"
        await until_count(database, round((last - first) / MINUTE), done, key=key)
    async with database.read() as connection:
        fired = list(await connection.scalars(text("SELECT due_at FROM schedule_firings ORDER BY due_at")))
        handed_on = list(await connection.scalars(text("SELECT other_id FROM deliveries")))
    assert fired == [first + MINUTE * number for number in range(1, len(fired) + 1)], "a minute was left out"
    assert len(handed_on) == len(set(handed_on)) == len(fired)
