"""All of Parley, as ``parley run`` starts it, with an app that leads every call of the benchmark's code.

    python -m tests.bench.callapps_parley SWITCH_PORT STATE_DIR

It prints ``ready`` once the switch's links are up, and for every line on its standard input the seconds of CPU that it
has spent.
"""

from __future__ import annotations

import asyncio
import io
import sys
import time

import uvloop

from daemon import logs
from daemon.callapps.contract import AppCall
from daemon.calls.links import LinkState, LinkStatus
from daemon.commands.run import let_threads_in, spare_pauses
from daemon.config import (
    CallAppConfig,
    CallAppsConfig,
    Config,
    ListenerConfig,
    ServiceConfig,
    SwitchConfig,
    WebConfig,
)
from daemon.secrets import Secrets
from daemon.service import Service
from tests.bench.callapps_switch import CODE
from tests.bench.switch_stand_in import PASSWORD


async def order(call: AppCall) -> None:
    """Asks once, and says what it understood."""
    await call.answer()
    answer = await call.ask("주문이신가요, 배송이신가요?", ["주문", "배송"])
    call.outcome = answer.choice or "nothing"
    await call.hang_up(f"{answer.choice} 도와드리겠습니다.")


async def serve(switch_port: int, state_dir: str) -> None:
    """Run until the process is ended."""
    config = Config(
        service=ServiceConfig(state_dir=state_dir),
        switch=[SwitchConfig(port=switch_port, speak_engine="tts", speak_voice="ko")],
        web=WebConfig(listener=[ListenerConfig(port=0)]),
        callapps=CallAppsConfig(
            at_once=10_000,
            end_silence=1e-6,  # what is waited for on purpose is not measured
            no_input=600.0,
            app=[CallAppConfig(name="order", use=f"{order.__module__}:order", codes=[CODE])],
        ),
    )
    logs.configure(config.log, io.StringIO())
    service = Service(config, Secrets({"PARLEY_SWITCH_MAIN_PASSWORD": PASSWORD}))
    spare_pauses()
    let_threads_in()
    ready = asyncio.Event()

    def link_changed(status: LinkStatus) -> None:
        if status.state is LinkState.READY:
            ready.set()

    service.rooms.hub.tap((LinkStatus,), link_changed)
    running = asyncio.create_task(service.run())
    await ready.wait()
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(time.process_time(), flush=True)
    service.stop()
    await running


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
