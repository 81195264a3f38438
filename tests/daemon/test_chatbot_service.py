"""The bot as a process that is killed: a conversation goes on where it was, and nothing secret is in the log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from daemon.chatbot.room import HANDLERS
from daemon.config import ChatbotConfig, Config, InboxConfig, ServiceConfig, SourceConfig, WebexConfig
from daemon.demo.webex_cloud import SimulatedWebex
from daemon.secrets import Secrets, source_secrets
from daemon.service import Service
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, save_people
from daemon.stores.tgdays import get_tgday
from tests.daemon.parley_process import ParleyProcess

NO_SWITCH = 1
"""A port where none is: who chats needs no switch."""
CONFIG = """
[inbox]
lease = 2.0
retries = [0.05, 0.1, 0.2, 0.5, 1.0, 1.0, 1.0]

[[inbox.source]]
name = "webex"
kind = "webex"

[chatbot.webex]
webhook_url = "http://127.0.0.1:{port}"
api_url = "API_URL"
reconcile_interval = 0.5
"""
MINA = PersonRow(name="mina", role="viewer", full_name="김민아", email="mina@example.com")


@pytest.fixture
async def cloud() -> AsyncIterator[SimulatedWebex]:
    made = SimulatedWebex()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def parley(cloud: SimulatedWebex, database_url: str, tmp_path: Path) -> AsyncIterator[ParleyProcess]:
    process = ParleyProcess(
        tmp_path,
        NO_SWITCH,
        database=database_url,
        more=CONFIG.replace("API_URL", cloud.url),
        secrets={"PARLEY_WEBEX_BOT_TOKEN": cloud.token},
    )
    yield process
    await process.close()


async def answered(cloud: SimulatedWebex, count: int) -> str:
    """The bot's last answer, once there are so many."""
    async with asyncio.timeout(60):
        while len(cloud.world.said_by_bot()) < count:  # noqa: ASYNC110 - another process gives no event
            await asyncio.sleep(0.01)
    return cloud.world.said_by_bot()[-1]


def test_a_service_ends_before_what_waits_for_it(tmp_path: Path) -> None:
    webex = WebexConfig(webhook_url="https://parley.example.com")
    config = Config(
        service=ServiceConfig(state_dir=str(tmp_path)),
        inbox=InboxConfig(source=[SourceConfig(name="webex", kind="webex")]),
        chatbot=ChatbotConfig(deadline=60.0, webex=webex),
    )
    service = Service(config, Secrets({"PARLEY_WEBEX_BOT_TOKEN": "a-token"}))
    for event in HANDLERS.values():
        [handler] = service.rooms.inbox.handlers.of("webex", event)
        # Another Parley may have died over the same conversation.
        assert handler.deadline > 60.0 + 60.0


async def test_a_conversation_goes_on_after_a_kill(
    cloud: SimulatedWebex, parley: ParleyProcess, database: Database
) -> None:
    async with database.transaction() as connection:
        await save_people(connection, [MINA], now=time.time())
    mina = cloud.world.add_person("김민아", "mina@example.com")
    room = cloud.world.direct_room(mina)
    await parley.start()
    async with asyncio.timeout(60):
        while "webex_ready" not in parley.log:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    cloud.world.say(mina, room, "tgday")
    await answered(cloud, 1)
    [asked] = [one for one in cloud.world.messages.values() if one.attachments]
    await parley.kill()
    [button] = asked.attachments[0]["content"]["body"][-1]["actions"]
    cloud.world.say(mina, room, "오늘")
    await cloud.deliveries.settled()
    await parley.start()
    assert "등록했습니다" in await answered(cloud, 2)
    async with database.read() as connection:
        assert await get_tgday(connection, "mina") is not None
    cloud.world.act(mina, asked, button["data"])
    assert "지난 카드입니다" in await answered(cloud, 3)
    async with aiohttp.ClientSession() as http, http.get(f"{parley.address}/health") as response:
        assert (await response.json())["parts"]["webex"]["condition"] == "ok"
    await parley.stop()
    [secret] = source_secrets(
        SourceConfig(name="webex", kind="webex"), Secrets({"PARLEY_WEBEX_BOT_TOKEN": cloud.token})
    )
    for hidden in (cloud.token, secret, "mina@example.com", "등록했습니다", "오늘"):
        assert hidden not in parley.log
