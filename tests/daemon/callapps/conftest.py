"""Simulated switches whose people speak fast, and Parleys that answer them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
import uvloop

from daemon.demo.switch import SimulatedSwitch
from daemon.stores.database import Database
from tests.daemon.callapps.dialler import Dialler
from tests.daemon.callapps.phone import App, Phone
from tests.services.databases import SqliteDatabases

Answer = Callable[..., Awaitable[Phone]]
Dial = Callable[..., Awaitable[Dialler]]


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def switch() -> AsyncIterator[SimulatedSwitch]:
    """On it a sentence takes a tenth of a second."""
    simulated = SimulatedSwitch(speed=30.0)
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest.fixture
async def answer(switch: SimulatedSwitch) -> AsyncIterator[Answer]:
    """``phone = await answer(app)``: a Parley that lets ``app`` lead calls, until the end of the test."""
    phones: list[Phone] = []

    async def begin(does: App, *arguments: Any, **options: Any) -> Phone:
        phones.append(Phone(switch, does, *arguments, **options))
        await phones[-1].start()
        return phones[-1]

    yield begin
    for phone in phones:
        await phone.stop()


@pytest.fixture
async def store(sqlite_databases: SqliteDatabases) -> AsyncIterator[Database]:
    """An empty store."""
    opened = Database.of(await asyncio.to_thread(sqlite_databases.make))
    yield opened
    await opened.close()


@pytest.fixture
async def dial(switch: SimulatedSwitch, store: Database) -> AsyncIterator[Dial]:
    """``dialler = await dial(app)``: a Parley that places calls into ``app``, until the end of the test."""
    diallers: list[Dialler] = []

    async def begin(does: App, **options: Any) -> Dialler:
        diallers.append(Dialler(switch, does, store, **options))
        await diallers[-1].start()
        return diallers[-1]

    yield begin
    for dialler in diallers:
        await dialler.stop()
