"""What the tests of the switch's room share: the service's event loop, simulated switches, and who follows them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
import uvloop

from daemon.demo.switch import SimulatedSwitch
from tests.daemon.switch.following import Following
from tests.daemon.switch.script import ScriptedSwitch


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def switch() -> AsyncIterator[SimulatedSwitch]:
    """A simulated switch that runs."""
    simulated = SimulatedSwitch()
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest.fixture
async def scripted() -> AsyncIterator[Callable[..., Any]]:
    """Starts servers that speak the event socket word by word as a test wants it."""
    started: list[ScriptedSwitch] = []

    async def start(*args: Any, **kwargs: Any) -> ScriptedSwitch:
        script = ScriptedSwitch(*args, **kwargs)
        await script.start()
        started.append(script)
        return script

    yield start
    for script in started:
        await script.stop()


@pytest.fixture
async def follow() -> AsyncIterator[Callable[..., Following]]:
    """Follows a switch by its port until the end of the test."""
    following: list[Following] = []

    def begin(port: int, **options: Any) -> Following:
        one = Following(port, **options)
        following.append(one)
        one.start()
        return one

    yield begin
    for one in following:
        await one.stop()
