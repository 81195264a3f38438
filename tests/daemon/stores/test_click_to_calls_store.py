"""Click-to-calls in the store, on both engines."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from daemon.stores.click_to_calls import (
    ClickToCallRow,
    StepRow,
    add_click_to_call,
    count_click_to_calls,
    free_keys,
    get_click_to_call,
    latest_click_to_calls,
    lock_placing,
    open_click_to_calls,
    placed_since,
    placed_with_key,
    save_click_to_call,
)
from daemon.stores.database import Database, RowRefusedError


def row(click_to_call_id: str, **changes: Any) -> ClickToCallRow:
    fields: dict[str, Any] = {
        "click_to_call_id": click_to_call_id,
        "actor": "jin",
        "request_key": f"key-{click_to_call_id}",
        "request": "hash",
        "tenant": "main",
        "caller": "1010",
        "callee": "01012345678",
        "way": "rest",
        "notice": "1010번은 010…으로 전환됩니다",
        "call_id": "call-1",
        "created_at": 1000.5,
        "ended_at": None,
        "steps": [StepRow("queued", 1000.75, "자세히")],
    }
    return ClickToCallRow(**(fields | changes))


async def add(database: Database, *rows: ClickToCallRow) -> None:
    async with database.transaction() as connection:
        for one in rows:
            await add_click_to_call(connection, one)


async def test_a_row_comes_back_as_it_was_added(database: Database) -> None:
    await add(database, row("a"), row("b", request_key=None, steps=[], call_id=""))
    async with database.read() as connection:
        assert await get_click_to_call(connection, "a") == row("a")
        assert await get_click_to_call(connection, "b") == row("b", request_key=None, steps=[], call_id="")
        assert await get_click_to_call(connection, "c") is None
        assert await count_click_to_calls(connection) == 2


async def test_what_becomes_known_later_is_saved_and_nothing_else(database: Database) -> None:
    await add(database, row("a"))
    later = row("a", way="websocket", notice="", call_id="call-2", ended_at=1010.0, steps=[StepRow("ended", 1010.0)])
    async with database.transaction() as connection:
        await save_click_to_call(connection, msgspec.structs.replace(later, callee="other", actor="other"))
    async with database.read() as connection:
        assert await get_click_to_call(connection, "a") == later


async def test_a_key_is_one_actor_s_and_counts_until_it_is_freed(database: Database) -> None:
    await add(database, row("a", request_key="k"), row("b", request_key="k", actor="sora"))
    with pytest.raises(RowRefusedError):
        await add(database, row("c", request_key="k"))
    async with database.read() as connection:
        assert await placed_with_key(connection, "jin", "k") == row("a", request_key="k")
        assert await placed_with_key(connection, "jin", "l") is None
    async with database.transaction() as connection:
        await free_keys(connection, before=1000.5)
        assert await placed_with_key(connection, "jin", "k") is not None
        await free_keys(connection, before=1000.6)
        assert await placed_with_key(connection, "jin", "k") is None
    await add(database, row("c", request_key="k"))


async def test_they_are_counted_by_time_and_actor(database: Database) -> None:
    await add(database, *(row(str(at), created_at=at) for at in (3.0, 1.0, 2.0)))
    await add(database, row("other", created_at=2.5, actor="sora"))
    async with database.read() as connection:
        assert await placed_since(connection, 1.0) == [2.0, 2.5, 3.0]
        assert await placed_since(connection, 1.0, "jin") == [2.0, 3.0]
    async with database.transaction() as connection:
        await save_click_to_call(connection, row("2.0", created_at=2.0, request_key=None))
    async with database.read() as connection:
        assert await placed_since(connection, 1.0) == [2.5, 3.0], "what placed nothing does not count"
        assert await placed_with_key(connection, "jin", "key-2.0") is None
        assert [one.click_to_call_id for one in await latest_click_to_calls(connection, 2)] == ["3.0", "other"]


async def test_those_that_have_not_ended_are_found(database: Database) -> None:
    await add(database, row("late", created_at=2.0), row("early", created_at=1.0), row("over", ended_at=5.0))
    async with database.read() as connection:
        assert [one.click_to_call_id for one in await open_click_to_calls(connection)] == ["early", "late"]


async def test_a_limit_holds_however_many_place_at_once(database: Database) -> None:
    async def place(number: int) -> bool:
        async with database.transaction() as connection:
            await lock_placing(connection)
            if len(await placed_since(connection, 0.0)) >= 3:
                return False
            await add_click_to_call(connection, row(str(number)))
            return True

    placed = await asyncio.gather(*(place(number) for number in range(12)))
    assert placed.count(True) == 3
