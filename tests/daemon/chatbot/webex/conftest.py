"""A simulated Webex, and a bot there."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from daemon.chatbot.webex.api import WebexApi
from daemon.config import WebexConfig
from daemon.demo.webex_cloud import SimulatedWebex
from daemon.stores.database import Database
from tests.daemon.chatbot.webex.chat import Chat


@pytest_asyncio.fixture
async def cloud() -> AsyncIterator[SimulatedWebex]:
    made = SimulatedWebex(failures_allowed=3)
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def api(cloud: SimulatedWebex) -> AsyncIterator[WebexApi]:
    made = WebexApi(WebexConfig(api_url=cloud.url), cloud.token, clock=time.time)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def chat(cloud: SimulatedWebex, database: Database, tmp_path: Path) -> AsyncIterator[Chat]:
    """A bot whose webhooks are as they should be; what they do not bring it reads back five minutes later."""
    async with Chat(cloud, database, tmp_path) as made:
        await made.ready()
        yield made
