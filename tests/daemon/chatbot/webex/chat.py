"""A bot, and people who write to it at a simulated Webex: real sockets between all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from daemon.demo.webex_cloud import SimulatedWebex
from daemon.demo.webex_world import Person
from daemon.stores.database import Database
from daemon.stores.deliveries import DeliveryFilter, DeliveryRow
from daemon.stores.delivery_work import DeliveryState
from tests.daemon.chatbot.webex.bot import Bot


class Chat(Bot):
    """Enter it to start Parley's side. Mina is somebody who writes."""

    def __init__(
        self, cloud: SimulatedWebex, database: Database, folder: Path, config: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(database, folder, api_url=cloud.url, token=cloud.token, config=config)
        self.cloud = cloud
        self.mina = cloud.world.add_person("민아", "mina@example.com")
        self.direct = cloud.world.direct_room(self.mina)

    async def __aenter__(self) -> Self:
        await self.enter()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave()

    def say(self, text: str, person: Person | None = None) -> str:
        """Somebody writes to the bot alone; returns the message's id."""
        person = person or self.mina
        return self.cloud.world.say(person, self.cloud.world.direct_room(person), text).id

    @property
    def answers(self) -> list[str]:
        """What the bot wrote."""
        return self.cloud.world.said_by_bot()

    async def settled(self) -> None:
        """Wait until all that was delivered is dealt with, and what that made Webex deliver."""
        await self.cloud.deliveries.settled()
        ended = (DeliveryState.DONE, DeliveryState.DEAD)
        async with asyncio.timeout(30):
            while any(row.state not in ended for row in await self.deliveries()):  # noqa: ASYNC110 - nor does a store
                await asyncio.sleep(0.005)
        await self.cloud.deliveries.settled()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(30):
            while not holds():  # noqa: ASYNC110 - Webex tells nobody
                await asyncio.sleep(0.005)

    async def deliveries(self) -> list[DeliveryRow]:
        """All that was delivered, newest first."""
        page = await self.house.inbox.page(DeliveryFilter(source="webex"), before=None, limit=1_000)
        return list(page.rows)

    async def failed(self, error: str) -> None:
        """Wait until a delivery has failed so."""
        async with asyncio.timeout(30):
            while not any(error in row.error for row in await self.deliveries()):  # noqa: ASYNC110 - nor does a store
                await asyncio.sleep(0.005)
