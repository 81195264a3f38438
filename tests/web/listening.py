"""The web as the service serves it: real listeners, whose connections begin as those of providers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from yarl import URL

from daemon.listeners import Listeners
from tests.web.house import ALL, House
from web.app import build_app, deliveries_of


class Listening:
    """One address of a house, until it is closed."""

    host = "127.0.0.1"

    def __init__(self, house: House) -> None:
        self._house = house
        self.connections = deliveries_of(house.sources)
        # Long enough never to be what a test waits for.
        self.listeners = Listeners(shutdown_timeout=20.0)

    async def start(self) -> None:
        app = build_app(self._house.sources, ALL, static=self._house.static)
        await self.listeners.add_tcp(app, self.host, 0, self.connections)
        await self.listeners.start()

    @property
    def port(self) -> int:
        [(_, port)] = self.listeners.addresses
        return port

    def make_url(self, path: str) -> URL:
        return URL(f"http://{self.host}:{self.port}{path}")


@asynccontextmanager
async def listening(house: House) -> AsyncIterator[Listening]:
    made = Listening(house)
    await made.start()
    try:
        yield made
    finally:
        await made.listeners.close()
