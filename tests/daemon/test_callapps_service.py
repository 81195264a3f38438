"""Call apps in the process that people run: through a kill, a stop, and into the history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from daemon.demo.call import SimulatedCall
from daemon.demo.switch import SimulatedSwitch
from tests.daemon.parley_process import SWITCH_PASSWORD, ParleyProcess

SPEED = 20.0

CALLAPPS = """
[callapps]
end_silence = 0.1
no_input = 30.0
[callapps.fallback]
announcement = "잠시만 기다려 주세요"
extension = "1001"
[[callapps.app]]
use = "echo"
codes = ["echo-app"]
"""


@pytest.fixture
async def switch() -> AsyncIterator[SimulatedSwitch]:
    simulated = SimulatedSwitch(password=SWITCH_PASSWORD, speed=SPEED)
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest.fixture
async def parley(tmp_path: Path, switch: SimulatedSwitch) -> AsyncIterator[ParleyProcess]:
    process = ParleyProcess(tmp_path, switch.port, more=CALLAPPS)
    await process.start()
    yield process
    await process.close()


async def until(condition: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - another process gives no event to wait for
            await asyncio.sleep(0.02)


async def greeted(switch: SimulatedSwitch) -> SimulatedCall:
    """A caller who has heard the greeting of the app."""
    call = await switch.call(code="echo-app")
    await call.park()
    await heard(call, 1)
    return call


async def heard(call: SimulatedCall, prompts: int) -> None:
    """Wait until so many prompts were said to the caller."""
    async with asyncio.timeout(60):
        while call.leg.prompts < prompts:
            call.leg.prompted.clear()
            await call.leg.prompted.wait()


async def reached(call: SimulatedCall) -> None:
    """Wait until the caller has reached a person."""

    async def bridged() -> bool:
        return call.leg.bridged is not None

    await until(bridged)
    assert call.leg.bridged is not None
    assert call.leg.bridged.profile.destination == "1001"


async def test_a_call_stands_in_the_history_with_its_app(switch: SimulatedSwitch, parley: ParleyProcess) -> None:
    call = await greeted(switch)
    await call.say("여보세요")
    await heard(call, 2)
    await call.hang_up()

    async def stored() -> bool:
        return any(one["state"] == "ended" for one in (await parley.get("/calls"))["calls"])

    await until(stored)
    (told,) = (await parley.get("/calls"))["calls"]
    assert told["app"] == "echo"
    said = [(one["speaker"], one["text"]) for one in await parley.transcript(told["call_id"])]
    assert said == [
        ("app", "안녕하세요. 하시는 말씀을 따라 합니다."),
        ("caller", "여보세요"),
        ("app", "여보세요"),
    ]
    assert "여보세요" not in parley.log
    assert call.leg.profile.number not in parley.log


async def test_killed_in_the_middle_of_a_call(switch: SimulatedSwitch, parley: ParleyProcess) -> None:
    call = await greeted(switch)
    await parley.kill()
    theirs = await switch.call(code="their-app")
    await theirs.park()
    await parley.start()
    await reached(call)
    assert theirs.leg.last_app == ("park", "")
    assert "callapp_fallback" in parley.log
    await call.hang_up()


async def test_a_stop_sends_callers_on(switch: SimulatedSwitch, parley: ParleyProcess) -> None:
    calls = [await greeted(switch) for _ in range(3)]
    await parley.stop()
    for call in calls:
        await reached(call)
        assert call.leg.listening == []
        await call.hang_up()
    assert "stop_step_cut_off" not in parley.log
