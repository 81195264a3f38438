"""The chatbot in the process that people run: its Redis goes and comes back, and its configuration counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.chatbot.contract import MemoryAwayError
from daemon.chatbot.trying import MINA, Chat, add_person
from daemon.config import ChatbotConfig, ChatbotServiceConfig, RedisConfig
from daemon.health import Condition, Part
from tests.daemon.running_service import RunningService
from tests.services.redis import RedisServer


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - health is asked, and tells nobody
            await asyncio.sleep(0.01)


def memory_of(parley: RunningService) -> Part:
    return parley.service.health.report().parts["memory"]


async def test_a_redis_that_goes_and_comes_back(tmp_path: Path, redis_server: RedisServer) -> None:
    chatbot = ChatbotConfig(service=[ChatbotServiceConfig(name="tgday", title="쉬는 날")])
    async with RunningService(tmp_path, None, chatbot=chatbot, redis=RedisConfig(url=redis_server.url())) as parley:
        await add_person(parley.service.database, MINA)
        chat = Chat(parley.service.conversations)
        assert "쉬는 날" in await chat.says("도움말")
        assert memory_of(parley) == Part(Condition.OK, "in Redis")
        redis_server.kill()
        said = chat.said("tgday 오늘")
        with pytest.raises(MemoryAwayError):
            await chat.send(said)
        assert memory_of(parley).condition is Condition.DEGRADED
        redis_server.start()
        assert "등록했습니다" in await chat.send(said)
        await until(lambda: memory_of(parley).condition is Condition.OK)


async def test_without_one_the_database_remembers(tmp_path: Path) -> None:
    async with RunningService(tmp_path, None) as parley:
        await add_person(parley.service.database, MINA)
        assert memory_of(parley) == Part(Condition.OK, "in the database")
        chat = Chat(parley.service.conversations)
        await chat.says("tgday")
        assert "등록했습니다" in await chat.says("오늘")
