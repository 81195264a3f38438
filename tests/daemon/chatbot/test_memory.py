"""The memory: one contract, held by both engines, the store's on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from daemon.chatbot.contract import Memory, MemoryAwayError
from daemon.chatbot.memory import build_memory
from daemon.chatbot.redis_memory import RedisMemory
from daemon.chatbot.store_memory import StoreMemory
from daemon.config import Config
from daemon.secrets import Secrets
from daemon.stores.database import Database
from tests.daemon.chatbot.conftest import AnyMemory

Remember = Callable[[], AnyMemory]


several = pytest.mark.parametrize(
    ("memory_name", "engine_name"), [("redis", "sqlite"), ("store", "postgresql")], indirect=True
)


async def forgotten(memory: Memory, key: str) -> None:
    async with asyncio.timeout(30):
        while await memory.get(key) is not None:  # noqa: ASYNC110 - nobody tells that it has expired
            await asyncio.sleep(0.01)


async def test_what_one_sets_another_gets(remember: Remember) -> None:
    one, other = remember(), remember()
    assert await one.get("a") is None
    await one.set("a", b"\x00\xff1")
    await one.set("b", b"")
    assert await other.get("a") == b"\x00\xff1"
    assert await other.get("b") == b""
    await other.set("a", b"2")
    assert await one.get("a") == b"2"
    await one.delete("a")
    await one.delete("never known")
    assert await other.get("a") is None


async def test_it_is_forgotten_in_time_and_only_then(memory: AnyMemory) -> None:
    await memory.set("short", b"1", expires_in=0.05)
    await memory.set("long", b"1", expires_in=3600.0)
    await memory.set("made short", b"1")
    await memory.set("made short", b"1", expires_in=0.05)
    await memory.set("made long", b"1", expires_in=0.05)
    await memory.set("made long", b"1")
    await forgotten(memory, "short")
    await forgotten(memory, "made short")
    assert await memory.get("long") == b"1"
    assert await memory.get("made long") == b"1"


@several
async def test_a_lock_is_had_by_one_at_a_time(remember: Remember) -> None:
    one, other = remember(), remember()
    inside = 0
    order: list[str] = []

    async def hold(memory: AnyMemory, name: str) -> None:
        nonlocal inside
        async with memory.lock("k", lease=30.0):
            inside += 1
            assert inside == 1
            order.append(name)
            await memory.get("k")
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(hold(memory, f"{number}") for number in range(10) for memory in (one, other)))
    assert len(order) == 20


async def test_who_asks_first_in_a_process_is_first(memory: AnyMemory) -> None:
    order: list[int] = []

    async def hold(number: int) -> None:
        async with memory.lock("k", lease=30.0):
            order.append(number)

    await asyncio.gather(*(hold(number) for number in range(20)))
    assert order == list(range(20))


async def test_other_keys_do_not_wait(memory: AnyMemory) -> None:
    async with memory.lock("a", lease=30.0), memory.lock("b", lease=30.0):
        assert await memory.get("a") is None


@several
async def test_a_lock_is_given_back_whatever_ends_its_block(remember: Remember) -> None:
    one, other = remember(), remember()
    with pytest.raises(ZeroDivisionError):
        async with one.lock("k", lease=3600.0):
            raise ZeroDivisionError
    async with asyncio.timeout(30), other.lock("k", lease=3600.0):
        pass


@several
async def test_who_died_with_a_lock_blocks_nobody_for_longer_than_the_lease(remember: Remember) -> None:
    dead, other = remember(), remember()
    await dead.lock("k", lease=0.2).__aenter__()
    async with asyncio.timeout(30), other.lock("k", lease=0.2):
        pass


@several
async def test_a_lock_that_is_not_to_be_had_is_said(remember: Remember) -> None:
    one, other = remember(), remember()
    async with one.lock("k", lease=3600.0):
        with pytest.raises(MemoryAwayError, match="somebody else"):
            async with other.lock("k", lease=0.05):
                pass
    async with other.lock("k", lease=0.05):
        pass


async def test_what_has_expired_is_tidied_away(database: Database) -> None:
    now = 1_700_000_000.0
    memory = StoreMemory(database, clock=lambda: now)
    await memory.set("gone", b"1", expires_in=-1.0)
    await memory.set("stays", b"1", expires_in=100.0)
    await memory.set("for ever", b"1")
    assert await memory.tidy() == 1
    assert await memory.tidy() == 0
    assert await memory.get("stays") == b"1"


async def test_a_database_that_is_away_is_a_memory_that_is(database: Database) -> None:
    memory = StoreMemory(database)
    await database.close()
    with pytest.raises(MemoryAwayError):
        await memory.get("a")
    with pytest.raises(MemoryAwayError):
        await memory.set("a", b"1")
    if database.is_postgresql:
        with pytest.raises(MemoryAwayError):
            async with memory.lock("a", lease=1.0):
                pass


async def test_the_configuration_says_which_it_is(database: Database) -> None:
    config = Config()
    memory = build_memory(config, Secrets({}), database, clock=lambda: 0.0)
    assert isinstance(memory, StoreMemory)
    config.redis.url = "redis://127.0.0.1:1/0"
    memory = build_memory(config, Secrets({"PARLEY_REDIS_PASSWORD": "example"}), database, clock=lambda: 0.0)
    assert isinstance(memory, RedisMemory)
    await memory.close()
