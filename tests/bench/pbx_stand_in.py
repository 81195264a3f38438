"""The gateway's side of the PBX benchmarks: the simulated gateway, in a process of its own.

    python -m tests.bench.pbx_stand_in

It prints its address. A line on its standard input is a number of frames to broadcast: copies, in turn, of every
recorded frame that concerns none of its clients, and then an event :data:`LAST`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import cycle, islice
from typing import Final

import uvloop

from daemon.demo.pbx_gateway import SimulatedGateway
from daemon.demo.pbx_wire import EVENT, write_frame
from tests.wire import recordings

NOBODYS: Final = frozenset(
    {
        "DeviceStateChange",
        "Newexten",
        "VarSet",
        "SoftHangupRequest",
        "HangupRequest",
        "NewConnectedLine",
        "UserEvent",
        "Cdr",
        "QueueMemberStatus",
        "LocalBridge",
        "DialState",
    }
)
"""Events of channels that nobody here follows, and those that say nothing of a call."""

LAST: Final = "BenchOver"
_BATCH: Final = 100


def nobodys_frames() -> list[str]:
    """Every recorded frame of those events, in the order of the recordings."""
    frames = []
    for name in recordings.names("dipcast", ".jsonl"):
        for line in recordings.read(name).decode("utf-8").splitlines():
            noted = json.loads(line)
            raw = noted.get("raw", "")
            if noted.get("dir") == "in" and _event(raw) in NOBODYS:
                frames.append(raw)
    return frames


def _event(raw: str) -> str:
    try:
        found = json.loads(raw)["data"]["Event"]
    except (ValueError, KeyError, TypeError):
        return ""
    return found if isinstance(found, str) else ""


async def _serve() -> None:
    gateway = SimulatedGateway({1: "pbx1.example.com", 2: "pbx2.example.com"})
    await gateway.start()
    print(gateway.url, flush=True)
    frames = cycle(nobodys_frames())
    while line := await asyncio.to_thread(sys.stdin.readline):
        missing = int(line)
        while missing:
            batch = min(_BATCH, missing)
            for frame in islice(frames, batch):
                gateway.broadcast(frame)
            missing -= batch
            await asyncio.sleep(0)
        gateway.broadcast(write_frame(EVENT, 1, "pbx1.example.com", [("Event", LAST)]))
    await gateway.close()


if __name__ == "__main__":
    uvloop.run(_serve())
