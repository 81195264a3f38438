"""The embedded engine on stores of both engines: what it finds is what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from daemon.config import DirectoryConfig
from daemon.directory.contract import DirectoryAwayError, Entry
from daemon.directory.embedded import EmbeddedDirectory
from daemon.health import Condition
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.directory_entries import (
    remove_directory_entries,
    renew_directory_entries,
    save_directory_entries,
)
from daemon.stores.schema import directory_entries, revisions
from protocols.synonyms import SynonymsError

HONG = Entry(entry_id="person:1", kind="person", name="홍길동", number="2001")
LEAVE = Entry(entry_id="service:HR01", kind="service", name="휴가 신청", code="HR01")
CONFIG = DirectoryConfig(refresh_interval=0.01)


@pytest.fixture
async def directory(database: Database) -> EmbeddedDirectory:
    return EmbeddedDirectory(database, CONFIG)


@pytest.fixture
async def following(directory: EmbeddedDirectory) -> AsyncIterator[EmbeddedDirectory]:
    """The same, following its store."""
    task = asyncio.create_task(directory.run())
    yield directory
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def save(database: Database, *entries: Entry) -> None:
    async with database.transaction() as connection:
        await save_directory_entries(connection, entries)


async def names(directory: EmbeddedDirectory, text: str) -> list[str]:
    return [match.entry.name for match in await directory.search(text)]


async def until_found(directory: EmbeddedDirectory, text: str, expected: Sequence[str]) -> None:
    async def found() -> bool:
        return not directory.condition().detail and await names(directory, text) == list(expected)

    await until(found)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await holds():  # noqa: ASYNC110 - who follows a store tells nobody
            await asyncio.sleep(0.005)


async def test_before_the_store_was_read_nobody_can_search(directory: EmbeddedDirectory) -> None:
    for asked in (directory.search("홍길동"), directory.get(HONG.entry_id)):
        with pytest.raises(DirectoryAwayError, match="not read"):
            await asked
    assert directory.condition().condition is Condition.OK
    await directory.refresh()
    assert await names(directory, "홍길동") == []
    assert directory.condition().numbers == {"entries": 0.0}


async def test_what_is_stored_is_found(database: Database, directory: EmbeddedDirectory) -> None:
    await save(database, HONG, LEAVE)
    await directory.refresh()
    [match] = await directory.search("홍길동")
    assert match.entry == HONG
    assert match.score == pytest.approx(1.0)
    assert await directory.get(LEAVE.entry_id) == LEAVE
    assert await directory.get("nobody") is None
    assert directory.condition().numbers == {"entries": 2.0}


async def test_it_follows_what_others_change(database: Database, following: EmbeddedDirectory) -> None:
    await until_found(following, "홍길동", [])
    await save(database, HONG, LEAVE)
    await until_found(following, "홍길동", ["홍길동"])
    await save(database, Entry(entry_id=HONG.entry_id, kind="person", name="전우치"))
    await until_found(following, "전우치", ["전우치"])
    assert await names(following, "홍길동") == []
    async with database.transaction() as connection:
        await remove_directory_entries(connection, [HONG.entry_id])
    await until_found(following, "전우치", [])
    assert await names(following, "휴가") == ["휴가 신청"]


async def test_a_store_that_was_put_back_is_taken_in_as_it_is(database: Database, directory: EmbeddedDirectory) -> None:
    await save(database, HONG, LEAVE)
    for _ in range(3):
        await save(database, Entry(entry_id=HONG.entry_id, kind="person", name="전우치"))
    await directory.refresh()
    async with database.transaction() as connection:
        await remove_directory_entries(connection, [HONG.entry_id])
        await save_directory_entries(connection, [HONG])
        for table in (directory_entries, revisions):
            await connection.execute(table.update().values(revision=1))
    await directory.refresh()
    assert await names(directory, "홍길동") == ["홍길동"]
    assert await names(directory, "전우치") == []
    assert await names(directory, "휴가") == ["휴가 신청"]


async def test_while_everything_is_indexed_again_everything_is_found(
    database: Database, directory: EmbeddedDirectory
) -> None:
    others = [Entry(entry_id=f"person:{number}", kind="person", name="전우치") for number in range(2, 100)]
    await save(database, HONG, LEAVE, *others)
    await directory.refresh()
    async with database.transaction() as connection:
        await renew_directory_entries(connection)
    again = asyncio.create_task(directory.refresh())
    asked = 0
    while not again.done():
        assert await names(directory, "홍길동") == ["홍길동"]
        asked += 1
        await asyncio.sleep(0)
    await again
    assert asked > 9


async def test_the_threshold_is_that_of_the_configuration(database: Database) -> None:
    await save(database, LEAVE)
    directory = EmbeddedDirectory(database, DirectoryConfig(threshold=0.95))
    await directory.refresh()
    assert await directory.search("휴가") == []
    [match] = await directory.search("휴가", threshold=0.5)
    assert match.entry == LEAVE
    assert await directory.search("휴가", threshold=0.5, kinds=["person"]) == []


async def test_synonyms_are_those_of_the_file(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "synonyms.txt"
    file.write_text("연차 => 휴가\n")
    await save(database, LEAVE)
    directory = EmbeddedDirectory(database, DirectoryConfig(synonyms=str(file)))
    await directory.refresh()
    assert await names(directory, "연차") == ["휴가 신청"]
    file.write_text("연차 => 휴가 => 쉼\n")
    with pytest.raises(SynonymsError):
        EmbeddedDirectory(database, DirectoryConfig(synonyms=str(file)))


async def test_a_store_that_is_away_leaves_what_was_read(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    database = Database.of(f"sqlite:///{path}")
    directory = EmbeddedDirectory(database, CONFIG)

    async def in_trouble() -> bool:
        return directory.condition().condition is not Condition.OK

    with pytest.raises(DatabaseAwayError):  # there are no tables yet
        await directory.refresh()
    task = asyncio.create_task(directory.run())
    await until(in_trouble)
    await database.upgrade()
    await save(database, HONG)
    await until_found(directory, "홍길동", ["홍길동"])
    assert directory.condition().condition is Condition.OK
    async with database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE directory_entries RENAME TO elsewhere")
        await connection.exec_driver_sql("UPDATE revisions SET revision = revision + 1")
    await until(in_trouble)
    assert await names(directory, "홍길동") == ["홍길동"]
    async with database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO directory_entries")
    await until_found(directory, "홍길동", ["홍길동"])
    async with database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE revisions SET revision = revision + 1")
        await connection.exec_driver_sql("UPDATE directory_entries SET keywords = '[', revision = revision + 9")
    await until(in_trouble)
    assert "DecodeError" in directory.condition().detail
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await database.close()
