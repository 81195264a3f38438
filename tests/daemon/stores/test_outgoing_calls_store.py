"""Calls that Parley placed in the store, on both engines."""

from __future__ import annotations

import msgspec

from daemon.stores.database import Database
from daemon.stores.outgoing_calls import (
    OutgoingCallRow,
    add_outgoing_call,
    get_outgoing_call,
    open_outgoing_calls,
    save_outgoing_call,
)
from tests.daemon.stores.rows import outgoing_call_row as row


async def add(database: Database, *rows: OutgoingCallRow) -> None:
    async with database.transaction() as connection:
        for one in rows:
            await add_outgoing_call(connection, one)


async def test_a_row_comes_back_as_it_was_added(database: Database) -> None:
    other = row("b", request_key=None, variables={}, machine=True, answered_at=1.5, ended_at=2.5, cause="USER_BUSY")
    await add(database, row("a"), other)
    async with database.read() as connection:
        assert await get_outgoing_call(connection, "a") == row("a")
        assert await get_outgoing_call(connection, "b") == other
        assert await get_outgoing_call(connection, "c") is None


async def test_what_becomes_known_later_is_saved_and_nothing_else(database: Database) -> None:
    await add(database, row("a"))
    later = row("a", server="other", variables={}, state="ended", machine=True, answered_at=1001.0, ended_at=1010.0)
    async with database.transaction() as connection:
        await save_outgoing_call(connection, msgspec.structs.replace(later, number="other", actor="other", app="other"))
    async with database.read() as connection:
        assert await get_outgoing_call(connection, "a") == later


async def test_those_that_one_parley_left_open_are_found(database: Database) -> None:
    theirs = row("theirs", holder="elsewhere")
    await add(database, row("late", created_at=2.0), row("early", created_at=1.0), row("over", ended_at=5.0), theirs)
    async with database.read() as connection:
        assert [one.call_id for one in await open_outgoing_calls(connection, "here")] == ["early", "late"]
