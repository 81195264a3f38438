"""Calls that Parley placed in the store, on both engines."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from daemon.stores.database import Database, RowRefusedError
from daemon.stores.outgoing_calls import (
    OutgoingCallRow,
    add_outgoing_call,
    get_outgoing_call,
    latest_outgoing_calls,
    open_outgoing_calls,
    outgoing_call_before,
    save_outgoing_call,
)
from daemon.stores.placed_calls import Asked, HourlyLimits, KeyUsedError, TooManyPlacedError

MANY = HourlyLimits(100, 100)


def row(call_id: str, **changes: Any) -> OutgoingCallRow:
    fields: dict[str, Any] = {
        "call_id": call_id,
        "actor": "jin",
        "request_key": f"key-{call_id}",
        "request": "hash",
        "holder": "here",
        "server": "main",
        "leg_id": f"leg-{call_id}",
        "app": "order",
        "number": "01012345678",
        "variables": {"name": "홍길동", "odd": "\0\r\n'"},
        "state": "dialling",
        "created_at": 1000.5,
    }
    return OutgoingCallRow(**(fields | changes))


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


async def test_a_key_is_one_actor_s_and_counts_for_a_day(database: Database) -> None:
    await add(database, row("a", request_key="k"), row("b", request_key="k", actor="sora"))
    with pytest.raises(RowRefusedError):
        await add(database, row("c", request_key="k"))
    day = 86_400.0
    async with database.transaction() as connection:
        assert await outgoing_call_before(connection, Asked("jin", "k", "hash", 1000.5 + day), MANY) == row(
            "a", request_key="k"
        )
        with pytest.raises(KeyUsedError, match="another request"):
            await outgoing_call_before(connection, Asked("jin", "k", "other", 1001.0), MANY)
        assert await outgoing_call_before(connection, Asked("jin", "l", "hash", 1001.0), MANY) is None
        assert await outgoing_call_before(connection, Asked("jin", "k", "other", 1000.6 + day), MANY) is None
    await add(database, row("c", request_key="k"))


async def test_the_calls_of_an_hour_are_counted_by_actor_and_together(database: Database) -> None:
    await add(database, *(row(str(at), created_at=at) for at in (3.0, 1.0, 2.0)))
    await add(database, row("other", created_at=2.5, actor="sora"))
    hour = 3_600.0
    async with database.transaction() as connection:
        for actor, at, limits, wait in (
            ("jin", 10.0, HourlyLimits(3, 9), hour + 1.0 - 10.0),
            ("jin", 10.0, HourlyLimits(2, 9), hour + 2.0 - 10.0),
            ("min", 10.0, HourlyLimits(3, 4), hour + 1.0 - 10.0),
            ("min", hour + 1.5, HourlyLimits(3, 3), 1.0),
        ):
            with pytest.raises(TooManyPlacedError, match="within an hour") as raised:
                await outgoing_call_before(connection, Asked(actor, "new", "hash", at), limits)
            assert raised.value.retry_after == pytest.approx(wait)
        assert await outgoing_call_before(connection, Asked("jin", "new", "hash", 10.0), HourlyLimits(4, 5)) is None
        assert (
            await outgoing_call_before(connection, Asked("jin", "new", "hash", hour + 1.0), HourlyLimits(3, 4)) is None
        )
        await save_outgoing_call(connection, row("2.0", created_at=2.0, request_key=None))
        # What placed nothing does not count.
        assert await outgoing_call_before(connection, Asked("jin", "new", "hash", 10.0), HourlyLimits(3, 4)) is None
        assert [one.call_id for one in await latest_outgoing_calls(connection, 2)] == ["3.0", "other"]


async def test_those_that_one_parley_left_open_are_found(database: Database) -> None:
    theirs = row("theirs", holder="elsewhere")
    await add(database, row("late", created_at=2.0), row("early", created_at=1.0), row("over", ended_at=5.0), theirs)
    async with database.read() as connection:
        assert [one.call_id for one in await open_outgoing_calls(connection, "here")] == ["early", "late"]


async def test_a_limit_holds_however_many_place_at_once(database: Database) -> None:
    async def place(number: int) -> bool:
        asked = Asked("jin", f"key-{number}", "hash", 1000.5)
        async with database.transaction() as connection:
            try:
                await outgoing_call_before(connection, asked, HourlyLimits(3, 9))
            except TooManyPlacedError:
                return False
            await add_outgoing_call(connection, row(str(number)))
            return True

    placed = await asyncio.gather(*(place(number) for number in range(12)))
    assert placed.count(True) == 3
