"""Click-to-calls in the store, on both engines."""

from __future__ import annotations

import msgspec

from daemon.stores.click_to_calls import (
    ClickToCallRow,
    StepRow,
    add_click_to_call,
    count_click_to_calls,
    get_click_to_call,
    open_click_to_calls,
    save_click_to_call,
)
from daemon.stores.database import Database
from tests.daemon.stores.rows import click_to_call_row as row


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


async def test_those_that_have_not_ended_are_found(database: Database) -> None:
    await add(database, row("late", created_at=2.0), row("early", created_at=1.0), row("over", ended_at=5.0))
    async with database.read() as connection:
        assert [one.click_to_call_id for one in await open_click_to_calls(connection)] == ["early", "late"]
