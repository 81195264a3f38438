"""All of Parley on the morning of the first: people are asked in their rooms, and answer."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.config import (
    ChatbotConfig,
    Config,
    DatabaseConfig,
    InboxConfig,
    ListenerConfig,
    ScheduleConfig,
    ServiceConfig,
    SourceConfig,
    WebConfig,
    WebexConfig,
)
from daemon.demo.webex_cloud import SimulatedWebex
from daemon.demo.webex_world import Posted, Room
from daemon.secrets import Secrets
from daemon.service import Service
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, save_people
from daemon.stores.tgdays import get_tgday

MINA = PersonRow(name="mina", role="viewer", full_name="김미나", email="mina@example.com")
A_MOMENT_BEFORE = datetime(2026, 12, 1, 8, 59, 59, tzinfo=ZoneInfo("Asia/Seoul")).timestamp()


class Clock:
    """That of everybody here. It stands still until it is let go."""

    def __init__(self) -> None:
        self._began: float | None = None

    def __call__(self) -> float:
        return A_MOMENT_BEFORE + (0.0 if self._began is None else time.monotonic() - self._began)

    def go(self) -> None:
        self._began = time.monotonic()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def cloud(clock: Clock) -> AsyncIterator[SimulatedWebex]:
    made = SimulatedWebex(clock=clock)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def parley(
    cloud: SimulatedWebex, clock: Clock, database: Database, database_url: str, tmp_path: Path
) -> AsyncIterator[Service]:
    async with database.transaction() as connection:
        await save_people(connection, [MINA], now=clock())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = Config(
        service=ServiceConfig(state_dir=str(tmp_path)),
        database=DatabaseConfig(url=database_url),
        web=WebConfig(listener=[ListenerConfig(port=port)]),
        inbox=InboxConfig(source=[SourceConfig(name="webex", kind="webex")]),
        chatbot=ChatbotConfig(webex=WebexConfig(webhook_url=f"http://127.0.0.1:{port}", api_url=cloud.url)),
        schedule=[ScheduleConfig(name="ask-tgday", cron="0 9 1 * *", use="ask-tgday")],
    )
    service = Service(config, Secrets({"PARLEY_WEBEX_BOT_TOKEN": cloud.token}), clock=clock)
    running = asyncio.create_task(service.run())
    async with asyncio.timeout(60):
        assert service.rooms.chatbot is not None
        await service.rooms.chatbot.passed.wait()
    clock.go()
    yield service
    service.stop()
    await running


async def said(cloud: SimulatedWebex, room: Room, words: str) -> Posted:
    """What the bot says there that has these words in it."""
    there = asyncio.Event()
    cloud.world.changed = lambda _: there.set()
    async with asyncio.timeout(60):
        while True:
            for message in cloud.world.messages.values():
                if message.author is cloud.world.bot and message.room is room and words in message.markdown:
                    return message
            there.clear()
            await there.wait()


async def test_who_is_asked_for_their_date_presses_the_button_and_enters_it(
    cloud: SimulatedWebex, parley: Service
) -> None:
    mina = cloud.world.add_person("김미나", "mina@example.com")
    room = cloud.world.direct_room(mina)
    question = await said(cloud, room, "12월 tgday를 알려 주세요")
    cloud.world.act(mina, question, {"choice": "tgday"})
    form = await said(cloud, room, "날짜")
    assert form.attachments
    cloud.world.say(mina, room, "24일")
    await said(cloud, room, "등록했습니다")
    async with parley.rooms.database.read() as connection:
        row = await get_tgday(connection, "mina")
    assert row is not None
    assert row.date == date(2026, 12, 24)
    assert len([text for text in cloud.world.said_by_bot(room) if "알려 주세요" in text]) == 1
