"""The apps in the box, in the process that people run: what they need is there, and the log tells nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from daemon.demo.call import SimulatedCall
from daemon.demo.switch import SimulatedSwitch
from tests.daemon.callapps.apps.relay_server import SECRET, Conversation, RelayServer, relay_server
from tests.daemon.directory.conftest import EXAMPLES
from tests.daemon.parley_process import SWITCH_PASSWORD, ParleyProcess

CALLER = "01012345678"

APPS = """
[callapps]
end_silence = 0.1
no_input = 30.0
[[callapps.app]]
name = "flowers"
use = "relay"
codes = ["flowers"]
options = {{ url = "{url}", private_networks = ["127.0.0.0/8"], tenant_id = "tenant-7", tell_caller = true }}
[[callapps.app]]
name = "reception"
use = "directory"
codes = ["reception"]
[[callapps.app]]
name = "satisfaction"
use = "survey"
codes = ["satisfaction"]
[[callapps.app.options.question]]
name = "mark"
kind = "scale"
text = "몇 점을 주시겠어요?"
"""


async def order(conversation: Conversation) -> None:
    heard = await conversation.ask("어떤 꽃을 찾으세요?")
    await conversation.hang_up(f"{heard['text']}, 준비하겠습니다.")


@pytest.fixture
async def app() -> AsyncIterator[RelayServer]:
    async with relay_server(order) as made:
        yield made


@pytest.fixture
async def switch() -> AsyncIterator[SimulatedSwitch]:
    simulated = SimulatedSwitch(password=SWITCH_PASSWORD, speed=20.0)
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest.fixture
async def parley(tmp_path: Path, switch: SimulatedSwitch, app: RelayServer) -> AsyncIterator[ParleyProcess]:
    more = APPS.format(url=app.url) + "[directory]\nrefresh_interval = 0.1\n"
    secrets = {"PARLEY_CALLAPP_FLOWERS_SECRET": SECRET}
    process = ParleyProcess(tmp_path, switch.port, more=more, secrets=secrets, level="debug")
    await process.start()
    yield process
    await process.close()


async def until(condition: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - another process gives no event to wait for
            await asyncio.sleep(0.02)


async def ring(switch: SimulatedSwitch, code: str) -> SimulatedCall:
    call = await switch.call(code=code, caller=CALLER)
    await call.park()
    return call


async def heard(call: SimulatedCall, prompts: int) -> None:
    """Wait until so many prompts were said to the caller."""
    async with asyncio.timeout(60):
        while call.leg.prompts < prompts:
            call.leg.prompted.clear()
            await call.leg.prompted.wait()


async def test_a_relay(switch: SimulatedSwitch, parley: ParleyProcess, app: RelayServer) -> None:
    call = await ring(switch, "flowers")
    await heard(call, 2)
    await call.say("수국이요")
    await call.ended()
    conversation = await app.ended()
    assert conversation.setup["caller"] == CALLER
    assert conversation.end["reason"] == "completed"
    await parley.stop()
    assert '"reason": "completed"' in parley.log
    for secret in (SECRET, "수국", "꽃", CALLER, "tenant-7", app.url):
        assert secret not in parley.log


async def test_the_directory(switch: SimulatedSwitch, parley: ParleyProcess) -> None:
    await parley.command("directory", "load", str(EXAMPLES / "entries.json"))

    async def read() -> bool:
        return '"entries": 79' in parley.log

    await until(read)
    call = await ring(switch, "reception")
    await heard(call, 1)
    await call.say("총무과요")
    await heard(call, 2)
    await call.say("예, 맞습니다")

    async def bridged() -> bool:
        return call.leg.bridged is not None

    await until(bridged)
    assert call.leg.bridged is not None
    assert call.leg.bridged.profile.destination == "7300"
    await call.hang_up()
    assert "총무" not in parley.log


async def test_a_survey(switch: SimulatedSwitch, parley: ParleyProcess) -> None:
    call = await ring(switch, "satisfaction")
    await heard(call, 2)
    await call.say("사 점이요")
    await call.ended()

    async def exported() -> bool:
        written = await parley.command("survey", "export", "satisfaction")
        return written.endswith(",yes,010****5678,07000001004,4\r\n")

    await until(exported)
