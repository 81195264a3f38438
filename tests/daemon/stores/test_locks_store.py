"""Locks in the store, on both engines: one holder at a time, and none for ever."""

from __future__ import annotations

import asyncio

from daemon.stores.database import Database
from daemon.stores.locks import give_lock_back, take_lock


async def take(database: Database, holder: str, now: float, name: str = "diversion/main/1010") -> bool:
    async with database.transaction() as connection:
        return await take_lock(connection, name, holder, now=now, until=now + 30)


async def give_back(database: Database, holder: str) -> bool:
    async with database.transaction() as connection:
        return await give_lock_back(connection, "diversion/main/1010", holder)


async def test_one_holder_at_a_time(database: Database) -> None:
    assert await take(database, "a", 100.0)
    assert not await take(database, "b", 100.0)
    assert await take(database, "b", 100.0, "diversion/main/1011")
    assert await give_back(database, "a")
    assert await take(database, "b", 101.0)
    assert not await take(database, "a", 101.0)


async def test_who_holds_it_may_hold_it_longer(database: Database) -> None:
    assert await take(database, "a", 100.0)
    assert await take(database, "a", 120.0)
    assert not await take(database, "b", 149.9)


async def test_it_is_free_once_its_time_is_over(database: Database) -> None:
    assert await take(database, "a", 100.0)
    assert not await take(database, "b", 129.9)
    assert await take(database, "b", 130.0)
    assert not await give_back(database, "a"), "it is not its any more"
    assert not await take(database, "c", 131.0)


async def test_of_many_at_once_one_gets_it(database: Database) -> None:
    taken = await asyncio.gather(*(take(database, f"holder-{number}", 100.0) for number in range(20)))
    assert taken.count(True) == 1
