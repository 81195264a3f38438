"""Simulated switches whose people speak fast, and Parleys that answer them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
import uvloop

from daemon.demo.switch import SimulatedSwitch
from tests.daemon.callapps.phone import App, Phone

Answer = Callable[..., Awaitable[Phone]]


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
