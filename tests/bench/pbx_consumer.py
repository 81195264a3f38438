"""Parley's PBX room at a gateway; the process whose CPU time is measured.

    python -m tests.bench.pbx_consumer requests|ignored URL COUNT

``requests`` asks for an entry of the database ``COUNT`` times, :data:`IN_FLIGHT` at a time, each answer checked.
``ignored`` prints ``ready`` and takes ``COUNT`` frames and the one that says that these were all. At the end it prints
the seconds of CPU that this process spent.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Final

import structlog
import uvloop

from daemon.calls.links import LinkStatus
from daemon.calls.registry import Registry
from daemon.config import PbxConfig, PbxServerConfig
from daemon.hub import Hub
from daemon.pbx.gateway import Gateway
from daemon.pbx.room import Pbx
from daemon.secrets import Secrets
from daemon.stores.database import Database
from protocols.dcmiws.actions import database_get, database_put
from protocols.dcmiws.answers import Found, database_answer
from tests.bench.pbx_stand_in import LAST

IN_FLIGHT: Final = 1000
_LONG: Final = 1000.0
"""Seconds between pings, so that none falls into a measurement."""


async def _requests(gateway: Gateway, count: int) -> float:
    await gateway.ask("pbx1", database_put("bench", "key", "value"), feature="Bench")
    remaining = iter(range(count))

    async def worker() -> None:
        for _ in remaining:
            frame = await gateway.ask("pbx1", database_get("bench", "key"), feature="Bench")
            assert database_answer(frame) == Found("value")

    before = time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(worker())
    return time.process_time() - before


async def _ignored(gateway: Gateway, count: int) -> float:
    over = asyncio.Event()
    gateway.on_event((LAST,), lambda _: over.set())
    received = gateway.received
    print("ready", flush=True)
    before = time.process_time()
    await over.wait()
    spent = time.process_time() - before
    assert gateway.received - received > count
    return spent


_MEASUREMENTS: Final = {"requests": _requests, "ignored": _ignored}


async def _main(what: str, url: str, count: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    hub = Hub()
    registry = Registry(hub, clock=time.time, keep_ended=_LONG)
    config = PbxConfig(
        url=url,
        ping_interval=_LONG,
        server=[PbxServerConfig(name="pbx1", id=1), PbxServerConfig(name="pbx2", id=2)],
    )
    with tempfile.TemporaryDirectory() as folder:
        database = Database.of(f"sqlite:///{folder}/parley.db")
        await database.upgrade()
        pbx = Pbx(
            config,
            Secrets({}),
            apply=registry.apply,
            registry=registry,
            hub=hub,
            database=database,
            recall=_nothing_stored,
        )
        ready = asyncio.Event()
        hub.tap((LinkStatus,), lambda _: ready.set() if all(each.state.is_up for each in pbx.statuses) else None)
        running = asyncio.create_task(pbx.run())
        await ready.wait()
        print(await _MEASUREMENTS[what](pbx.gateway, count), flush=True)
        running.cancel()
        await asyncio.wait({running})
        await database.close()


async def _nothing_stored(_origin: str, _server: str, _leg_ids: Sequence[str]) -> None:
    """No call outlived a Parley before this one."""


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
