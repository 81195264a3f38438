"""A simulated switch for each test, and clients of it that are closed at the test's end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

import pytest
import uvloop

from daemon.demo.demo import Demo
from daemon.demo.recording import RecordingPlayer
from daemon.demo.switch import SimulatedSwitch
from tests.daemon.demo.plain_client import PlainClient

Connect = Callable[..., Awaitable[PlainClient]]
Runnable = TypeVar("Runnable", SimulatedSwitch, RecordingPlayer, Demo)


class Run(Protocol):
    """``switch = await run(SimulatedSwitch(…))``: starts it now and stops it at the end of the test."""

    async def __call__(self, made: Runnable) -> Runnable: ...


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that Parley runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def run() -> AsyncIterator[Run]:
    """Starts switches, players and demos of a test's own."""
    running: list[SimulatedSwitch | RecordingPlayer | Demo] = []

    async def run(made: Runnable) -> Runnable:
        running.append(made)
        await made.start()
        return made

    yield run
    for made in running:
        await made.stop()


@pytest.fixture
async def switch(run: Run) -> SimulatedSwitch:
    """A switch on which all goes three hundred times as fast and the heart beats once an hour."""
    return await run(SimulatedSwitch(speed=300.0, heartbeat=3600.0))


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """``await connect(port, "json ALL")``: a client that is signed in."""
    clients: list[PlainClient] = []

    async def connect(port: int, subscription: str = "") -> PlainClient:
        clients.append(await PlainClient.signed_in(port, subscription))
        return clients[-1]

    yield connect
    for client in clients:
        await client.close()
