"""Entries of the directory in the store, on both engines."""

from __future__ import annotations

import pytest

from daemon.stores.database import Database, RowRefusedError
from daemon.stores.directory_entries import (
    DirectoryEntryRow,
    count_directory_entries,
    directory_entries_since,
    directory_entry_ids,
    directory_revision,
    remove_directory_entries,
    renew_directory_entries,
    save_directory_entries,
)

LEAVE = DirectoryEntryRow(
    entry_id="service:HR01",
    kind="service",
    name="휴가 신청",
    description="연차와 반차를 냅니다",
    keywords=("연차", 'annual "leave"'),
    code="HR01",
    number="1010",
    team="인사팀",
)
GILDONG = DirectoryEntryRow(entry_id="person:1", kind="person", name="홍길동")


async def saved(database: Database, *rows: DirectoryEntryRow, all_there_is: bool = False) -> int:
    async with database.transaction() as connection:
        await save_directory_entries(connection, rows, all_there_is=all_there_is)
    return await revision_of(database)


async def revision_of(database: Database) -> int:
    async with database.read() as connection:
        return await directory_revision(connection)


async def since(database: Database, revision: int) -> list[DirectoryEntryRow]:
    async with database.read() as connection:
        return await directory_entries_since(connection, revision)


async def test_entries_are_read_as_they_were_saved(database: Database) -> None:
    assert await revision_of(database) == 0
    assert await saved(database, LEAVE, GILDONG) > 0
    assert await since(database, 0) == [GILDONG, LEAVE]
    async with database.read() as connection:
        assert await count_directory_entries(connection) == 2
        assert await directory_entry_ids(connection) == {"service:HR01", "person:1"}


async def test_only_what_changed_since_is_read_again(database: Database) -> None:
    first = await saved(database, LEAVE, GILDONG)
    moved = DirectoryEntryRow(entry_id="person:1", kind="person", name="홍길동", team="구매팀")
    second = await saved(database, moved)
    assert second > first
    assert await since(database, first) == [moved]
    assert await since(database, second) == []
    assert await since(database, 0) == [moved, LEAVE]


async def test_every_change_is_a_new_revision(database: Database) -> None:
    known = [await saved(database, LEAVE)]
    async with database.transaction() as connection:
        await remove_directory_entries(connection, [LEAVE.entry_id, "nobody"])
    known.append(await revision_of(database))
    known.append(await saved(database, GILDONG))
    async with database.transaction() as connection:
        await renew_directory_entries(connection)
    known.append(await revision_of(database))
    assert known == sorted(set(known))
    assert await since(database, known[-2]) == [GILDONG]


async def test_what_is_not_in_the_whole_goes(database: Database) -> None:
    others = [DirectoryEntryRow(entry_id=f"person:{number}", kind="person", name="이름") for number in range(2, 1300)]
    await saved(database, LEAVE, GILDONG, *others)
    await saved(database, GILDONG, all_there_is=True)
    assert await since(database, 0) == [GILDONG]
    await saved(database, all_there_is=True)
    assert await since(database, 0) == []


async def test_a_change_that_fails_changes_nothing(database: Database) -> None:
    before = await saved(database, LEAVE)
    wrong = DirectoryEntryRow(entry_id="x", kind="robot", name="로봇")  # type: ignore[arg-type]
    with pytest.raises(RowRefusedError):
        await saved(database, wrong, all_there_is=True)
    assert await revision_of(database) == before
    assert await since(database, 0) == [LEAVE]
