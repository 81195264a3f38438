"""Placing a click-to-call in a test and seeing what becomes of it."""

from __future__ import annotations

import asyncio
from typing import Any

from daemon.actor import Actor
from daemon.config import ClickToCallConfig, PbxConfig
from daemon.demo.pbx_gateway import SimulatedGateway
from daemon.demo.pbx_rest import SimulatedVendorRest
from daemon.pbx.contract import ClickToCallRequest, PlacedCall
from daemon.stores.click_to_calls import get_click_to_call
from tests.daemon.pbx.conftest import Room, configured

JIN = Actor("jin", "session")
CALL = ClickToCallRequest(caller="1010", callee="07000000801")
FULL = ["requested", "queued", "caller_ringing", "caller_answered", "callee_ringing", "callee_answered", "ended"]


def by_rest(simulated: SimulatedGateway, rest: SimulatedVendorRest, **changes: Any) -> PbxConfig:
    return configured(simulated.url, click_to_call=ClickToCallConfig(rest_url=rest.url, **changes))


async def until_step(room: Room, placed: PlacedCall, step: str) -> PlacedCall:
    """As it is once it came so far."""
    async with asyncio.timeout(30):
        while True:
            found = await room.pbx.click_to_call.progress(placed.click_to_call_id)
            assert found is not None
            if step in steps(found):
                return found
            await asyncio.sleep(0.005)


async def over(room: Room, placed: PlacedCall) -> PlacedCall:
    """What became of it, once that is known."""
    async with asyncio.timeout(30):
        while True:
            found = await room.pbx.click_to_call.progress(placed.click_to_call_id)
            assert found is not None
            if found.ended_at is not None:
                return found
            await asyncio.sleep(0.005)


async def stored_over(room: Room, placed: PlacedCall) -> list[str]:
    """The steps in the store, once it knows that the call is over."""
    async with asyncio.timeout(30):
        while True:
            async with room.database.read() as connection:
                row = await get_click_to_call(connection, placed.click_to_call_id)
            if row is not None and row.ended_at is not None:
                return [step.step for step in row.steps]
            await asyncio.sleep(0.005)


def steps(placed: PlacedCall) -> list[str]:
    return [str(taken.step) for taken in placed.steps]


def originates(simulated: SimulatedGateway) -> int:
    """How many calls were asked of the simulated servers over the WebSocket."""
    return sum(request.get("Action") == "Originate" for request in simulated.received)
