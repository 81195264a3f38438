"""All of Parley, as ``parley run`` starts it: switch link, registry, transcripts, recorder on SQLite, web.

    python -m tests.bench.live_parley SOURCE_PORT STATE_DIR

Once the switch's calls are known it prints where watchers find it, and an API token that lets them in.
"""

from __future__ import annotations

import asyncio
import json
import sys

import uvloop

from daemon import logs
from daemon.calls.links import LinkState, LinkStatus
from daemon.commands.run import let_threads_in, spare_pauses
from daemon.config import Config, ListenerConfig, LogConfig, ServiceConfig, SwitchConfig, WebConfig
from daemon.secrets import Secrets
from daemon.service import Service
from tests.bench.switch_stand_in import PASSWORD


async def serve(source_port: int, state_dir: str) -> None:
    """Run until the process is ended."""
    config = Config(
        service=ServiceConfig(state_dir=state_dir),
        log=LogConfig(level="warning"),
        switch=[SwitchConfig(port=source_port)],
        web=WebConfig(listener=[ListenerConfig(port=0)]),
    )
    logs.configure(config.log)
    service = Service(config, Secrets({"PARLEY_SWITCH_MAIN_PASSWORD": PASSWORD}))
    spare_pauses()
    let_threads_in()
    switch_ready = asyncio.Event()

    def link_changed(status: LinkStatus) -> None:
        if status.state is LinkState.READY:
            switch_ready.set()

    service.rooms.hub.tap((LinkStatus,), link_changed)
    running = asyncio.create_task(service.run())
    await switch_ready.wait()
    token = await service.rooms.accounts.new_token("bench", "viewer")
    said = {
        "port": service.listeners.addresses[0][1],
        "path": "/socket.io/?EIO=4&transport=websocket",
        "headers": {"Authorization": f"Bearer {token}"},
    }
    print(json.dumps(said), flush=True)
    await running


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
