"""The directory with both engines: whatever becomes of Elasticsearch, people are answered, and the index catches up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from daemon.config import DirectoryConfig, ElasticsearchConfig
from daemon.directory.contract import Entry
from daemon.directory.room import DirectoryRoom
from daemon.health import Condition, Part
from daemon.secrets import Secrets
from daemon.stores.database import Database
from daemon.stores.directory_entries import renew_directory_entries, save_directory_entries
from tests.services.elasticsearch import ElasticsearchServer
from tests.services.elasticsearch_door import Door

HONG = Entry(entry_id="person:1", kind="person", name="홍길동")
JEON = Entry(entry_id="person:2", kind="person", name="전우치")
MANY = [Entry(entry_id=f"person:{number}", kind="person", name=f"임꺽정 {number}") for number in range(3, 1500)]
REFRESH = 0.05


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database.of(f"sqlite:///{tmp_path / 'parley.db'}")
    await database.upgrade()
    await save(database, HONG)
    yield database
    await database.close()


@pytest.fixture
async def door(elasticsearch: ElasticsearchConfig) -> AsyncIterator[Door]:
    async with Door(elasticsearch.urls[0]) as opened:
        yield opened


@asynccontextmanager
async def running(store: Database, config: ElasticsearchConfig) -> AsyncIterator[DirectoryRoom]:
    """A room that follows the store."""
    directory = DirectoryConfig(refresh_interval=REFRESH, elasticsearch=config)
    room = DirectoryRoom(store, directory, Secrets({}), holder=lambda: "a test")
    await room.refresh()
    task = asyncio.create_task(room.run())
    try:
        yield room
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def behind(door: Door, config: ElasticsearchConfig, timeout: float = 60) -> ElasticsearchConfig:
    return msgspec.structs.replace(config, urls=[door.url], timeout=timeout)


async def save(database: Database, *entries: Entry) -> None:
    async with database.transaction() as connection:
        await save_directory_entries(connection, entries)


def part(room: DirectoryRoom) -> Part:
    return room.conditions()["directory:elasticsearch"]()


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(100):
        while True:
            held = holds()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.01)


async def until_used(room: DirectoryRoom) -> None:
    await until(lambda: part(room) == Part(Condition.OK, "", part(room).numbers))


async def names(room: DirectoryRoom, text: str) -> list[str]:
    return [match.entry.name for match in await room.search(text)]


def searches(door: Door) -> int:
    return sum(path.endswith("/_search") for _, path in door.requests)


async def test_elasticsearch_is_asked_where_it_is_there(
    store: Database, elasticsearch: ElasticsearchConfig, door: Door
) -> None:
    async with running(store, behind(door, elasticsearch)) as room:
        assert await names(room, "홍길동") == ["홍길동"]
        assert searches(door) == 0
        await until_used(room)
        assert await names(room, "홍길동") == ["홍길동"]
        assert searches(door) > 0
        assert await room.get(HONG.entry_id) == HONG
        await save(store, JEON)
        await until(lambda: found(room, "전우치"))
        assert set(room.conditions()) == {"directory", "directory:elasticsearch"}


async def found(room: DirectoryRoom, name: str) -> bool:
    return await names(room, name) == [name]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_that_is_too_busy_is_spared(
    store: Database, elasticsearch: ElasticsearchConfig, door: Door, status: int
) -> None:
    async with running(store, behind(door, elasticsearch)) as room:
        await until_used(room)

        async def refuse(_method: str, _path: str, _body: bytes) -> int:
            return status

        door.before = refuse
        assert await names(room, "홍길동") == ["홍길동"]
        assert await room.get(HONG.entry_id) == HONG
        assert part(room).condition is Condition.DEGRADED
        assert "own engine answers: it answered " + str(status) in part(room).detail
        asked = searches(door)
        assert await names(room, "홍길동") == ["홍길동"]
        assert searches(door) == asked
        door.before = None
        await until_used(room)
        assert await names(room, "홍길동") == ["홍길동"]
        assert searches(door) > asked


async def test_what_a_busy_server_put_off_is_done(
    store: Database, elasticsearch: ElasticsearchConfig, door: Door
) -> None:
    refused = 0

    async def refuse_some(_method: str, path: str, _body: bytes) -> int | None:
        nonlocal refused
        if path.endswith("/_bulk") and refused < 2:
            refused += 1
            return 429
        return None

    door.before = refuse_some
    async with running(store, behind(door, elasticsearch)) as room:
        await until_used(room)
        assert refused == 2
        assert sum(method == "PUT" and path.count("/") == 1 for method, path in door.requests) == 1
        assert await names(room, "홍길동") == ["홍길동"]


async def test_nobody_waits_longer_than_the_timeout(
    store: Database, elasticsearch: ElasticsearchConfig, door: Door
) -> None:
    """The server is asked once, and answers nothing until the test is over."""
    async with running(store, behind(door, elasticsearch)) as room:
        await until_used(room)
    released = asyncio.Event()
    async with running(store, behind(door, elasticsearch, timeout=0.5)) as room:
        await until_used(room)

        async def hang(_method: str, _path: str, _body: bytes) -> None:
            await released.wait()

        door.before = hang
        before = searches(door)
        async with asyncio.timeout(60):
            assert await names(room, "홍길동") == ["홍길동"]
        assert searches(door) == before + 1
        assert "did not answer in time" in part(room).detail
        for _ in range(20):
            assert await names(room, "홍길동") == ["홍길동"]
        assert searches(door) == before + 1
        door.before = None
        released.set()


async def test_a_line_that_breaks_in_the_middle_loses_nothing(
    store: Database, elasticsearch: ElasticsearchConfig, door: Door
) -> None:
    broken: list[str] = []

    async def break_first(_method: str, path: str, _body: bytes) -> None:
        kind = path.rpartition("/")[2]
        if kind in ("_bulk", "_refresh", "_aliases", "_mapping", "_search") and kind not in broken:
            broken.append(kind)
            raise ConnectionError

    door.before = break_first
    async with running(store, behind(door, elasticsearch)) as room:
        await until_used(room)
        assert {"_bulk", "_refresh", "_aliases", "_mapping"} <= set(broken)
        assert await names(room, "홍길동") == ["홍길동"]
        assert "_search" in broken
        await until_used(room)
        assert await names(room, "홍길동") == ["홍길동"]


async def test_a_real_server_that_dies_hangs_and_forgets(store: Database) -> None:
    """In one test: a server takes long to start."""
    server = ElasticsearchServer()
    server.start()
    try:
        # What hangs is given up soon; what works is given time, as the machine may be slow.
        async with Door(server.url) as door, running(store, ElasticsearchConfig(urls=[door.url], timeout=5)) as room:
            await until_used(room)
            await _dies_while_it_is_asked(server, room)
            await save(store, JEON)
            await until(lambda: found(room, "전우치"))
            await asyncio.to_thread(server.start)
            await until_used(room)
            assert await names(room, "전우치") == ["전우치"]

            server.pause()
            assert await names(room, "홍길동") == ["홍길동"]
            assert "did not answer in time" in part(room).detail
            server.resume()
            await until_used(room)

            await _dies_while_it_is_filled(server, room, door, store)
            server.forget()
            await asyncio.to_thread(server.start)
            await until_used(room)
            asked = searches(door)
            assert await names(room, "임꺽정 1499") == ["임꺽정 1499"]
            assert await names(room, "홍길동") == ["홍길동"]
            assert searches(door) > asked
    finally:
        server.remove()


async def _dies_while_it_is_asked(server: ElasticsearchServer, room: DirectoryRoom) -> None:
    asked = [asyncio.create_task(names(room, "홍길동")) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.to_thread(server.kill)
    assert await asyncio.gather(*asked) == [["홍길동"]] * 20
    await until(lambda: part(room).condition is Condition.DEGRADED)


async def _dies_while_it_is_filled(
    server: ElasticsearchServer, room: DirectoryRoom, door: Door, store: Database
) -> None:
    bulks = 0

    async def die_at_the_third(_method: str, path: str, _body: bytes) -> None:
        nonlocal bulks
        bulks += path.endswith("/_bulk")
        if bulks == 3:
            await asyncio.to_thread(server.kill)

    door.before = die_at_the_third
    await save(store, *MANY)
    async with store.transaction() as connection:
        await renew_directory_entries(connection)
    await until(lambda: part(room).condition is Condition.DEGRADED)
    await until(lambda: found(room, "임꺽정 1499"))
    door.before = None
