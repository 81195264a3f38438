"""The index on a real Elasticsearch follows the store, and several Parleys do not disturb each other."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from daemon.config import ElasticsearchConfig
from daemon.directory.contract import DirectoryAwayError, Entry
from daemon.directory.elasticsearch.documents import document_id
from daemon.directory.elasticsearch.engine import ElasticsearchDirectory
from daemon.directory.elasticsearch.remote_index import RefusedError
from daemon.directory.index import Index
from daemon.health import Condition
from daemon.stores.database import Database
from daemon.stores.directory_entries import (
    remove_directory_entries,
    renew_directory_entries,
    save_directory_entries,
)
from daemon.stores.locks import take_lock
from daemon.stores.schema import locks, revisions
from tests.daemon.directory.elasticsearch.conftest import MakesEngine
from tests.daemon.directory.elasticsearch.server_view import ServerView
from tests.services.elasticsearch_door import Door

HONG = Entry(entry_id="person:1", kind="person", name="홍길동", number="2001")
LEAVE = Entry(entry_id="service:HR01", kind="service", name="휴가 신청", code="HR01", keywords=("연차",))
OTHERS = [Entry(entry_id=f"person:{number}", kind="person", name="전우치") for number in range(2, 500)]


async def save(database: Database, *entries: Entry) -> None:
    async with database.transaction() as connection:
        await save_directory_entries(connection, entries)


async def renew(database: Database) -> None:
    async with database.transaction() as connection:
        await renew_directory_entries(connection)


async def names(engine: ElasticsearchDirectory, text: str) -> list[str]:
    return [match.entry.name for match in await engine.search(text)]


async def until_troubled(engine: ElasticsearchDirectory, words: str) -> None:
    """Let it follow its store until health says that something is wrong."""
    task = asyncio.create_task(engine.run())
    async with asyncio.timeout(60):
        while words not in engine.condition().detail:  # noqa: ASYNC110 - who follows a store tells nobody
            await asyncio.sleep(0.01)
    assert engine.condition().condition is Condition.DEGRADED
    assert not engine.is_usable
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_index_is_made_where_there_is_none(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine, server: ServerView
) -> None:
    engine = make_engine(store, elasticsearch)
    assert "no index yet" in engine.condition().detail
    with pytest.raises(DirectoryAwayError):
        await engine.search("홍길동")
    assert await engine.refresh() == 0
    assert engine.is_usable
    assert await engine.search("홍길동") == []
    assert await engine.get("person:1") is None
    index = await server.behind(elasticsearch.index)
    assert await server.indices(elasticsearch.index) == {index: {elasticsearch.index}}


async def test_it_follows_the_store(
    database: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine, server: ServerView
) -> None:
    engine = make_engine(database, elasticsearch)
    await save(database, HONG, LEAVE)
    assert await engine.refresh() == 2
    index = await server.behind(elasticsearch.index)
    [match] = await engine.search("연차")
    assert match.entry == LEAVE
    assert await engine.get("person:1") == HONG
    assert await engine.refresh() == 0
    await save(database, msgspec.structs.replace(HONG, name="전우치"))
    assert await engine.refresh() == 1
    assert (await names(engine, "전우치"), await names(engine, "홍길동")) == (["전우치"], [])
    async with database.transaction() as connection:
        await remove_directory_entries(connection, [HONG.entry_id])
    assert await engine.refresh() == 1
    assert (await names(engine, "전우치"), await engine.get("person:1")) == ([], None)
    assert await names(engine, "휴가") == ["휴가 신청"]
    assert await server.behind(elasticsearch.index) == index
    with pytest.raises(ValueError, match="limit"):
        await engine.search("휴가", limit=0)


async def test_while_everything_is_indexed_again_everything_is_found(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine, server: ServerView
) -> None:
    now = 1000.0
    engine = make_engine(store, elasticsearch, clock=lambda: now)
    await save(store, HONG, LEAVE, *OTHERS)
    await engine.refresh()
    before = await server.behind(elasticsearch.index)
    await renew(store)
    again = asyncio.create_task(engine.refresh())
    asked = 0
    while not again.done():
        assert await names(engine, "홍길동") == ["홍길동"]
        asked += 1
    assert await again == 500
    assert asked > 2
    after = await server.behind(elasticsearch.index)
    assert await server.indices(elasticsearch.index) == {before: set(), after: {elasticsearch.index}}
    now += elasticsearch.timeout
    assert await engine.refresh() == 0
    assert await server.indices(elasticsearch.index) == {after: {elasticsearch.index}}


async def test_many_entries_are_removed_together(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine
) -> None:
    engine = make_engine(store, elasticsearch)
    await save(store, HONG, *OTHERS)
    await engine.refresh()
    async with store.transaction() as connection:
        await save_directory_entries(connection, [HONG, LEAVE], all_there_is=True)
    await engine.refresh()
    assert await names(engine, "전우치") == []
    assert await names(engine, "휴가") == ["휴가 신청"]


async def test_of_two_parleys_one_changes_the_index(
    database: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine, server: ServerView
) -> None:
    await save(database, HONG, *OTHERS)
    async with Door(elasticsearch.urls[0]) as one_door, Door(elasticsearch.urls[0]) as other_door:
        doors = [one_door, other_door]
        one, other = (
            make_engine(database, msgspec.structs.replace(elasticsearch, urls=[door.url]), holder=door.url)
            for door in doors
        )
        for change in ([LEAVE], [HONG, LEAVE, *OTHERS]):
            for door in doors:
                door.requests.clear()
            await save(database, *change)
            await asyncio.gather(one.refresh(), other.refresh())
            writing = [any(path.endswith("/_bulk") for _, path in door.requests) for door in doors]
            assert sum(writing) == 1
            await asyncio.gather(one.refresh(), other.refresh())
            assert await names(one, "휴가") == await names(other, "휴가") == ["휴가 신청"]
    assert len(await server.indices(elasticsearch.index)) == 2


async def test_who_dies_over_it_keeps_the_others_waiting_for_a_minute(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine
) -> None:
    now = 1000.0
    engine = make_engine(store, elasticsearch, clock=lambda: now)
    async with store.transaction() as connection:
        name = f"directory-index:{elasticsearch.index}"
        assert await take_lock(connection, name, "somebody dead", now=now, until=now + 60)
    await save(store, HONG)
    assert await engine.refresh() == 0
    assert not engine.is_usable
    now += 61
    assert await engine.refresh() == 1
    assert await names(engine, "홍길동") == ["홍길동"]


async def test_who_was_held_up_too_long_leaves_the_index_to_others(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine, server: ServerView
) -> None:
    await save(store, HONG)
    await make_engine(store, elasticsearch).refresh()
    before = await server.behind(elasticsearch.index)

    async def lose_the_lock(_method: str, path: str, _body: bytes) -> None:
        if path.endswith("/_bulk"):
            async with store.transaction() as connection:
                await connection.execute(locks.update().values(holder="another", until=5000.0))

    async with Door(elasticsearch.urls[0]) as door:
        door.before = lose_the_lock
        late = make_engine(store, msgspec.structs.replace(elasticsearch, urls=[door.url]))
        await save(store, *OTHERS, HONG)
        task = asyncio.create_task(late.run())
        async with asyncio.timeout(60):
            while not any(path.endswith("/_bulk") for _, path in door.requests):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            door.requests.clear()
            while len(door.requests) < 6:  # noqa: ASYNC110 - it looks on, and does no more
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not any(path.endswith(("/_bulk", "/_aliases")) for _, path in door.requests[3:])
    assert await server.behind(elasticsearch.index) == before
    next_one = make_engine(store, elasticsearch, clock=lambda: 6000.0)
    assert await next_one.refresh() == 499
    # The one before, and the new one: what was half filled is gone.
    assert set(await server.indices(elasticsearch.index)) == {before, await server.behind(elasticsearch.index)}


async def test_a_late_writer_changes_nothing_that_is_newer(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine, server: ServerView
) -> None:
    engine = make_engine(store, elasticsearch)
    await save(store, HONG, LEAVE)
    await engine.refresh()
    index = await server.behind(elasticsearch.index)
    newer = {"id": HONG.entry_id, "kind": "person", "entry": msgspec.to_builtins(HONG) | {"number": "2999"}}
    place = f"/{index}/_doc/{document_id(HONG.entry_id)}"
    await server.ask("PUT", f"{place}?version=99&version_type=external&refresh=true", newer)
    await save(store, HONG)
    assert await engine.refresh() == 1
    found = await engine.get(HONG.entry_id)
    assert found is not None
    assert found.number == "2999"


async def test_the_index_of_another_database_is_left_alone(
    store: Database,
    database: Database,
    elasticsearch: ElasticsearchConfig,
    make_engine: MakesEngine,
    server: ServerView,
) -> None:
    await save(store, HONG)
    await make_engine(store, elasticsearch).refresh()
    before = await _documents(server, elasticsearch.index)
    await save(database, LEAVE)
    await until_troubled(make_engine(database, elasticsearch), "is not of this database")
    assert await _documents(server, elasticsearch.index) == before


async def test_an_index_whose_name_begins_like_ours_is_left_alone(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine
) -> None:
    await save(store, HONG)
    engines = [
        make_engine(store, msgspec.structs.replace(elasticsearch, index=f"{elasticsearch.index}{ending}"))
        for ending in ("", "-5", "-five")
    ]
    for engine in engines:
        await engine.refresh()
    await renew(store)
    assert [await engine.refresh() for engine in engines] == [1, 1, 1]
    assert [await names(engine, "홍길동") for engine in engines] == [["홍길동"]] * 3


@pytest.mark.parametrize(("noted", "expected"), [({"format": 0}, 1), ({"revision": 999}, 1), ({"revision": -1}, 1)])
async def test_an_index_that_cannot_be_ours_any_more_is_made_anew(
    store: Database,
    elasticsearch: ElasticsearchConfig,
    make_engine: MakesEngine,
    server: ServerView,
    noted: dict[str, int],
    expected: int,
) -> None:
    """It was made by an older Parley, or the store was put back to what it was some time ago."""
    engine = make_engine(store, elasticsearch)
    await save(store, HONG)
    await engine.refresh()
    before = await server.behind(elasticsearch.index)
    await server.note(elasticsearch.index, **noted)
    assert await engine.refresh() == expected
    assert engine.is_usable
    assert await server.behind(elasticsearch.index) != before
    assert await names(engine, "홍길동") == ["홍길동"]


async def test_the_index_of_a_newer_parley_is_left_alone(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine, server: ServerView
) -> None:
    await save(store, HONG)
    await make_engine(store, elasticsearch).refresh()
    await server.note(elasticsearch.index, format=999)
    await until_troubled(make_engine(store, elasticsearch), "made by a newer Parley")


async def test_an_alias_of_several_indices_is_said(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine, server: ServerView
) -> None:
    for number in (1, 2):
        aliases: dict[str, object] = {elasticsearch.index: {}}
        await server.ask("PUT", f"/{elasticsearch.index}-of-others-{number}", {"aliases": aliases})
    await until_troubled(make_engine(store, elasticsearch), f"the alias {elasticsearch.index} is that of 2 indices")


async def test_a_document_that_is_refused_is_said(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine, server: ServerView
) -> None:
    await save(store, HONG, LEAVE)
    await make_engine(store, elasticsearch).refresh()
    await server.ask("PUT", f"/{elasticsearch.index}/_settings", {"index.blocks.write": True})
    await save(store, HONG)
    engine = make_engine(store, elasticsearch)
    with pytest.raises(RefusedError):
        await engine.refresh()
    await until_troubled(engine, "a document was refused: 403 (cluster_block_exception)")


async def test_rows_that_nobody_could_read_do_not_end_it(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine
) -> None:
    await save(store, HONG)
    async with store.transaction() as connection:
        await connection.exec_driver_sql("UPDATE directory_entries SET keywords = '['")
    await until_troubled(make_engine(store, elasticsearch), "DecodeError")


async def test_while_the_store_is_away_the_index_is_searched(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine
) -> None:
    engine = make_engine(store, elasticsearch)
    await save(store, HONG)
    await engine.refresh()
    async with store.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE directory_entries RENAME TO elsewhere")
        await connection.execute(revisions.update().values(revision=revisions.c.revision + 1))
    task = asyncio.create_task(engine.run())
    for _ in range(3):
        assert await names(engine, "홍길동") == ["홍길동"]
    assert engine.condition().condition is Condition.OK
    async with store.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO directory_entries")
    await save(store, LEAVE)
    async with asyncio.timeout(60):
        while await names(engine, "휴가") != ["휴가 신청"]:  # noqa: ASYNC110 - who follows a store tells nobody
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


STRANGE = {
    "one word": "가" * 100,
    "consonants": "ㄱ" * 100,
    "half typed": "홍ㄱ" * 50,
    "many keys": "뷁" * 24,
    "short words": "a b c " * 20,
    "digits": "1" * 100,
    "signs": "*?[]{}()\\/\"':~^&|",
    "no character": "\ud800 홍길동",
    "the same again": "휴가 " * 40,
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE.keys())
async def test_strange_texts_are_no_trouble(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine, text: str
) -> None:
    engine = make_engine(store, elasticsearch)
    await save(store, HONG, LEAVE)
    await engine.refresh()
    index = Index({})
    for entry in (HONG, LEAVE):
        index.put(entry)
    assert await engine.search(text, threshold=0.0) == index.search(text, limit=5, threshold=0.0)
    assert engine.is_usable


async def _documents(server: ServerView, index: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await server.ask("GET", f"/{index}/_search?size=100"))["hits"]["hits"]
    return found
