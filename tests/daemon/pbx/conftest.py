"""A simulated gateway on a real WebSocket, and the PBX room connected to it, calls followed and a store behind it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
import uvloop

from daemon.calls.call import Call, CallChanged
from daemon.calls.links import LinkStatus
from daemon.calls.registry import Registry
from daemon.config import PbxConfig, PbxServerConfig, PbxTenantConfig
from daemon.demo.pbx_gateway import CONTEXT, TENANT_ID, SimulatedGateway
from daemon.demo.pbx_rest import SimulatedVendorRest
from daemon.hub import Hub
from daemon.pbx.room import Pbx
from daemon.secrets import Secrets
from daemon.stores.database import Database
from tests.services.databases import SqliteDatabases

ENVIRONMENT = {"PARLEY_PBX_TENANT_MAIN_ID": TENANT_ID, "PARLEY_PBX_TENANT_MAIN_APP_KEY": "데모-열쇠"}


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that Parley runs on."""
    return {"uvloop": uvloop.new_event_loop}


def configured(url: str, **changes: Any) -> PbxConfig:
    """Two servers and one tenant, with patience for a test."""
    config = PbxConfig(
        url=url,
        reconnect_first=0.01,
        reconnect_cap=0.05,
        request_timeout=5.0,
        server=[PbxServerConfig(name="pbx1", id=1), PbxServerConfig(name="pbx2", id=2)],
        tenant=[
            PbxTenantConfig(
                name="main",
                extensions=[r"1\d{3}"],
                context=CONTEXT,
                account_code="07000005605",
                caller_name="한빛상담실",
                caller_number="16000001",
                cos_id="2",
            )
        ],
    )
    return msgspec.structs.replace(config, **changes)


class Room:
    """The room at work, and what it tells the rest of Parley."""

    def __init__(self, config: PbxConfig, database: Database) -> None:
        self.hub = Hub()
        self.links: list[LinkStatus] = []
        self.changes: list[tuple[str, str]] = []
        self.recalled: list[list[str]] = []
        self.recall_fails = False
        self.hub.tap((LinkStatus,), self.links.append)
        self.hub.tap((CallChanged,), lambda changed: self.changes.append((changed.call.call_id, changed.call.state)))
        self.registry = Registry(self.hub, clock=self.clock, keep_ended=3600.0)
        self.now = 1_700_000_000.0
        self.database = database
        self.task: asyncio.Task[None] | None = None
        self.pbx = Pbx(
            config,
            Secrets(ENVIRONMENT),
            apply=self.registry.apply,
            registry=self.registry,
            hub=self.hub,
            database=database,
            recall=self._recall,
            clock=self.clock,
        )

    def clock(self) -> float:
        self.now += 0.001
        return self.now

    async def _recall(self, _origin: str, _server: str, leg_ids: Sequence[str]) -> None:
        self.recalled.append(list(leg_ids))
        if self.recall_fails:
            raise RuntimeError("nobody expected this")

    @property
    def calls(self) -> list[Call]:
        return self.registry.calls()

    def state(self, name: str) -> str:
        """Of the gateway, or of a server."""
        return next(status.state for status in self.pbx.statuses if status.server == name)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Until something about it is so."""
        async with asyncio.timeout(30):
            while not holds():  # noqa: ASYNC110 - what it waits for tells nobody
                await asyncio.sleep(0.002)

    async def ready(self) -> None:
        """Until every server has answered a ping."""
        await self.until(lambda: all(status.state == "ready" for status in self.pbx.statuses))


@pytest.fixture
async def simulated() -> AsyncIterator[SimulatedGateway]:
    """The gateway, running, whose calls go fifty times as fast."""
    made = SimulatedGateway({1: "pbx1.example.com", 2: "pbx2.example.com"}, speed=50.0)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def rest(simulated: SimulatedGateway) -> AsyncIterator[SimulatedVendorRest]:
    """The vendor's REST, running."""
    made = SimulatedVendorRest(simulated)
    await made.start()
    yield made
    await made.stop()


@asynccontextmanager
async def running(config: PbxConfig, database: Database) -> AsyncIterator[Room]:
    """A room until the block ends."""
    room = Room(config, database)
    task = room.task = asyncio.create_task(room.pbx.run())
    try:
        yield room
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def sqlite_database(sqlite_databases: SqliteDatabases) -> AsyncIterator[Database]:
    """An empty store."""
    database = Database.of(await asyncio.to_thread(sqlite_databases.make))
    yield database
    await database.close()


@pytest.fixture
async def room(simulated: SimulatedGateway, sqlite_database: Database) -> AsyncIterator[Room]:
    """A room that is connected, with every server alive."""
    async with running(configured(simulated.url), sqlite_database) as made:
        await made.ready()
        yield made
