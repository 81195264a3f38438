"""What the tests of the chatbot share: the service's event loop, and memories of both engines."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
import uvloop

from daemon.chatbot.redis_memory import RedisMemory
from daemon.chatbot.store_memory import StoreMemory
from daemon.config import RedisConfig
from daemon.stores.database import Database
from tests.daemon.chatbot.house import House

AnyMemory = RedisMemory | StoreMemory


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that Parley runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(params=["redis", "store"])
def memory_name(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    return str(request.param)


@pytest.fixture
async def remember(memory_name: str, redis_url: str, database: Database) -> AsyncIterator[Callable[[], AnyMemory]]:
    """Makes memories of that engine, all of the same things, and closes them."""
    made: list[AnyMemory] = []
    prefix = f"test-{secrets.token_hex(4)}:"

    def make() -> AnyMemory:
        if memory_name == "redis":
            # Where much else is tested at the same time it may take its time to answer.
            made.append(RedisMemory(RedisConfig(url=redis_url, prefix=prefix, timeout=20.0)))
        elif database.is_postgresql or not made:  # of SQLite there is one Parley
            made.append(StoreMemory(database))
        return made[-1]

    yield make
    for memory in made:
        await memory.close()


@pytest.fixture
def memory(remember: Callable[[], AnyMemory]) -> AnyMemory:
    """One of them."""
    return remember()


@pytest.fixture
async def house(database: Database, memory: AnyMemory) -> House:
    """A chatbot with three people, and nothing in the directory."""
    return await House(database, memory).furnish()
