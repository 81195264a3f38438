"""Two Parleys on one Redis and one PostgreSQL: one is lost in the middle, the other carries on."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from daemon.chatbot.redis_memory import RedisMemory
from daemon.chatbot.trying import MINA, Chat
from daemon.config import ChatbotConfig, ChatbotServiceConfig, Config, RedisConfig
from daemon.stores.database import Database
from tests.daemon.chatbot.example_services import Begun
from tests.daemon.chatbot.house import House
from tests.services.databases import PostgresDatabases

OTHER = """
import asyncio, sys
from daemon.chatbot.redis_memory import RedisMemory
from daemon.config import RedisConfig
from daemon.stores.database import Database
from tests.daemon.chatbot.example_services import Begun
from tests.daemon.chatbot.house import House
from tests.daemon.chatbot.test_two_parleys import configured

class Told(Begun):
    def set(self):
        print("at it", flush=True)

async def main(database_url, redis_url, prefix, *texts):
    memory = RedisMemory(RedisConfig(url=redis_url, prefix=prefix))
    house = House(Database.of(database_url), memory, config=configured())
    house.more[Begun] = Told()
    chat = house.chat()
    for text in texts:
        print(await chat.says(text), flush=True)
    print("ready", flush=True)
    await asyncio.sleep(3600)

asyncio.run(main(*sys.argv[1:]))
"""


def configured() -> Config:
    """The examples, with as little patience as a test has."""
    here = "tests.daemon.chatbot.example_services"
    services = [ChatbotServiceConfig(name=name, use=f"{here}:{name}") for name in ("order", "slow", "note")]
    return Config(chatbot=ChatbotConfig(built_in=[], service=services, deadline=60.0))


class Shared:
    """What both have in common."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self.database_url, self.redis_url = database_url, redis_url
        self.prefix = f"test-{secrets.token_hex(4)}:"

    @asynccontextmanager
    async def other(self, *texts: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Another process, in which Mina writes these."""
        arguments = [self.database_url, self.redis_url, self.prefix, *texts]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", OTHER, *arguments, stdout=asyncio.subprocess.PIPE
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def says(self, process: asyncio.subprocess.Process, word: str) -> None:
        """Wait until it says that."""
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while line := (await process.stdout.readline()).decode():
                if line.strip() == word:
                    return
        raise AssertionError(f"it ended without {word}")


@pytest.fixture
async def shared(postgres_databases: PostgresDatabases, redis_url: str) -> Shared:
    return Shared(await asyncio.to_thread(postgres_databases.make), redis_url)


@pytest.fixture
async def house(shared: Shared) -> AsyncIterator[House]:
    database = Database.of(shared.database_url)
    memory = RedisMemory(RedisConfig(url=shared.redis_url, prefix=shared.prefix))
    house = House(database, memory, config=configured())
    house.more[Begun] = Begun()
    yield await house.furnish()
    await memory.close()
    await database.close()


async def test_one_killed_between_two_things_said(shared: Shared, house: House) -> None:
    async with shared.other("order", "장미") as other:
        await shared.says(other, "ready")
        other.kill()
        await other.wait()
    chat = house.chat()
    assert await chat.says("뒤로") == "어떤 꽃인가요?"
    await chat.says("수국")
    await chat.fills(count="3", day="내일")
    assert await chat.says("네") == "주문했습니다."
    assert await house.audit() == [("mina", "chat", "ordered", "수국 3 2026-12-10")]


async def test_one_killed_while_it_answers(shared: Shared, house: House) -> None:
    """Nobody else may go on before its lease is over: here that is not waited for, but taken from it."""
    async with shared.other("slow") as other:
        await shared.says(other, "at it")
        other.kill()
        await other.wait()
    key = "lock:conversation:room%20of%20mina:mina-at-webex"
    assert await house.memory.get(key) is not None
    await house.memory.delete(key)
    assert await house.chat().says("note") == "무엇을 적을까요?"


async def test_what_both_are_told_at_once_is_done_once(shared: Shared, house: House) -> None:
    memory = RedisMemory(RedisConfig(url=shared.redis_url, prefix=shared.prefix))
    first, second = house.conversations(), house.conversations(memory)
    chat: Chat = house.chat(MINA)
    await chat.says("order")
    await chat.says("장미")
    await chat.fills(count="1", day="내일")
    said = chat.said("네")
    answers = await asyncio.gather(*(one.answer(said) for one in (first, second) * 4))
    assert {answer[0].text for answer in answers} == {"주문했습니다."}
    assert len(await house.audit()) == 1
    await memory.close()
