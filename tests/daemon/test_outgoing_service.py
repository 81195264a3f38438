"""Calls that Parley places, in the process that people run: through a kill, a stop, and into the history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from daemon.demo.channel import Channel
from daemon.demo.exchange import Destination
from daemon.demo.switch import SimulatedSwitch
from tests.daemon.parley_process import SWITCH_PASSWORD, ParleyProcess

NUMBER = "01012345678"
WISH = {"to": NUMBER, "app": "echo", "variables": {"name": "홍길동"}}

CALLAPPS = """
[switch.dial]
"0[0-9]+" = "sofia/gateway/trunk/{number}"
[callapps]
end_silence = 0.1
no_input = 30.0
[callapps.fallback]
extension = "1001"
[callapps.outgoing]
allowed = ["010[0-9]{8}"]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
opens = "00:00"
closes = "24:00"
[[callapps.app]]
use = "echo"
"""


@pytest.fixture
async def switch() -> AsyncIterator[SimulatedSwitch]:
    simulated = SimulatedSwitch(password=SWITCH_PASSWORD, speed=20.0)
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest.fixture
async def parley(tmp_path: Path, switch: SimulatedSwitch) -> AsyncIterator[ParleyProcess]:
    process = ParleyProcess(tmp_path, switch.port, more=CALLAPPS)
    await process.start()
    yield process
    await process.close()


def leg_of(switch: SimulatedSwitch) -> Channel:
    (leg,) = switch.core.channels.values()
    return leg


async def greeted(leg: Channel) -> None:
    """Wait until the app has said something to whoever answered."""
    async with asyncio.timeout(60):
        while not leg.prompts:
            leg.prompted.clear()
            await leg.prompted.wait()


async def until_over(parley: ParleyProcess, placed: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            told: dict[str, Any] = await parley.get(f"/outgoing-calls/{placed['call_id']}")
            if told["ended_at"] is not None:
                return told
            await asyncio.sleep(0.02)


async def test_a_placed_call_stands_in_the_history(switch: SimulatedSwitch, parley: ParleyProcess) -> None:
    placed = await parley.post("/calls", WISH)
    leg = leg_of(switch)
    await greeted(leg)
    leg.thread.hang_up("NORMAL_CLEARING", by_far_end=True)
    told = await until_over(parley, placed)
    assert (told["state"], told["number"]) == ("ended", NUMBER)
    call = await parley.get(f"/calls/{placed['call_id']}")
    assert (call["app"], call["callee"], call["disposition"]) == ("echo", NUMBER, "answered")
    assert NUMBER not in parley.log
    assert "홍길동" not in parley.log


async def test_what_came_of_calls_is_counted(switch: SimulatedSwitch, parley: ParleyProcess) -> None:
    switch.exchange.destinations[NUMBER] = Destination(answers=False, cause="USER_BUSY")
    await until_over(parley, await parley.post("/calls", WISH))
    switch.exchange.destinations[NUMBER] = Destination()
    placed = await parley.post("/calls", WISH)
    leg = leg_of(switch)
    await greeted(leg)
    await parley.until_figures({"parley_outgoing_calls_live 1.0", "parley_app_calls_live 1.0"})
    leg.thread.hang_up("NORMAL_CLEARING", by_far_end=True)
    await until_over(parley, placed)
    expected = {
        'parley_outgoing_calls_total{state="busy"} 1.0',
        'parley_outgoing_calls_total{state="ended"} 1.0',
        "parley_outgoing_calls_live 0.0",
        'parley_app_calls_total{app="echo",ending="hung_up"} 1.0',
        "parley_app_calls_live 0.0",
    }
    await parley.until_figures(expected)


async def test_killed_while_it_rings(switch: SimulatedSwitch, parley: ParleyProcess) -> None:
    switch.exchange.destinations[NUMBER] = Destination(rings=14.0)
    switch.core.speed = 2.0
    placed = await parley.post("/calls", WISH)
    leg = leg_of(switch)
    await parley.kill()
    await parley.start()
    await greeted(leg)
    leg.thread.hang_up("NORMAL_CLEARING", by_far_end=True)
    assert (await until_over(parley, placed))["state"] == "ended"
    assert (await parley.get(f"/calls/{placed['call_id']}"))["app"] == "echo"


async def test_a_stop_calls_off_what_rings(switch: SimulatedSwitch, parley: ParleyProcess) -> None:
    switch.exchange.destinations[NUMBER] = Destination(rings=36_000.0)
    placed = await parley.post("/calls", WISH)
    leg = leg_of(switch)
    await parley.stop()
    assert leg.hangup_cause == "ORIGINATOR_CANCEL"
    assert "stop_step_cut_off" not in parley.log
    await parley.start()
    assert (await parley.get(f"/outgoing-calls/{placed['call_id']}"))["state"] == "cancelled"
