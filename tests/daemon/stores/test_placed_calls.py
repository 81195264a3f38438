"""What click-to-calls and the calls that Parley places have in common in the store, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.click_to_calls import (
    add_click_to_call,
    click_to_call_before,
    latest_click_to_calls,
    save_click_to_call,
)
from daemon.stores.database import Database, RowRefusedError
from daemon.stores.outgoing_calls import (
    add_outgoing_call,
    latest_outgoing_calls,
    outgoing_call_before,
    save_outgoing_call,
)
from daemon.stores.placed_calls import Asked, HourlyLimits, KeyUsedError, TooManyPlacedError
from tests.daemon.stores.rows import click_to_call_row, outgoing_call_row

MANY = HourlyLimits(100, 100)
DAY, HOUR = 86_400.0, 3_600.0


class Placed(msgspec.Struct, frozen=True):
    """One of the two tables."""

    row: Callable[..., Any]
    add: Callable[[AsyncConnection, Any], Awaitable[None]]
    before: Callable[[AsyncConnection, Asked, HourlyLimits], Awaitable[Any]]
    save: Callable[[AsyncConnection, Any], Awaitable[None]]
    latest: Callable[[AsyncConnection, int], Awaitable[list[Any]]]

    async def add_all(self, database: Database, *rows: Any) -> None:
        async with database.transaction() as connection:
            for one in rows:
                await self.add(connection, one)


@pytest.fixture(
    params=[
        Placed(click_to_call_row, add_click_to_call, click_to_call_before, save_click_to_call, latest_click_to_calls),
        Placed(outgoing_call_row, add_outgoing_call, outgoing_call_before, save_outgoing_call, latest_outgoing_calls),
    ],
    ids=["click_to_calls", "outgoing_calls"],
)
def placed(request: pytest.FixtureRequest) -> Placed:
    found: Placed = request.param
    return found


async def test_a_key_is_one_actor_s_and_counts_for_a_day(database: Database, placed: Placed) -> None:
    row = placed.row
    await placed.add_all(database, row("a", request_key="k"), row("b", request_key="k", actor="sora"))
    with pytest.raises(RowRefusedError):
        await placed.add_all(database, row("c", request_key="k"))
    async with database.transaction() as connection:
        same = await placed.before(connection, Asked("jin", "k", "hash", 1000.5 + DAY), MANY)
        assert same == row("a", request_key="k")
        with pytest.raises(KeyUsedError, match="another request"):
            await placed.before(connection, Asked("jin", "k", "other", 1001.0), MANY)
        assert await placed.before(connection, Asked("jin", "l", "hash", 1001.0), MANY) is None
        assert await placed.before(connection, Asked("jin", "k", "other", 1000.6 + DAY), MANY) is None
    await placed.add_all(database, row("c", request_key="k"))


async def test_the_calls_of_an_hour_are_counted_by_actor_and_together(database: Database, placed: Placed) -> None:
    row = placed.row
    rows = [row(str(at), created_at=at) for at in (3.0, 1.0, 2.0)]
    await placed.add_all(database, *rows, row("other", created_at=2.5, actor="sora"))
    async with database.transaction() as connection:
        for actor, at, limits, wait in (
            ("jin", 10.0, HourlyLimits(3, 9), HOUR + 1.0 - 10.0),
            ("jin", 10.0, HourlyLimits(2, 9), HOUR + 2.0 - 10.0),
            ("min", 10.0, HourlyLimits(3, 4), HOUR + 1.0 - 10.0),
            ("min", HOUR + 1.5, HourlyLimits(3, 3), 1.0),
        ):
            with pytest.raises(TooManyPlacedError, match="within an hour") as raised:
                await placed.before(connection, Asked(actor, "new", "hash", at), limits)
            assert raised.value.retry_after == pytest.approx(wait)
        new, later = Asked("jin", "new", "hash", 10.0), Asked("jin", "new", "hash", HOUR + 1.0)
        assert await placed.before(connection, new, HourlyLimits(4, 5)) is None
        assert await placed.before(connection, later, HourlyLimits(3, 4)) is None
        await placed.save(connection, row("2.0", created_at=2.0, request_key=None))
        # What placed nothing does not count.
        assert await placed.before(connection, new, HourlyLimits(3, 4)) is None
        assert [one.created_at for one in await placed.latest(connection, 2)] == [3.0, 2.5]


async def test_a_limit_holds_however_many_place_at_once(database: Database, placed: Placed) -> None:
    async def place(number: int) -> bool:
        asked = Asked("jin", f"key-{number}", "hash", 1000.5)
        async with database.transaction() as connection:
            try:
                await placed.before(connection, asked, HourlyLimits(3, 9))
            except TooManyPlacedError:
                return False
            await placed.add(connection, placed.row(str(number)))
            return True

    made = await asyncio.gather(*(place(number) for number in range(12)))
    assert made.count(True) == 3
