"""A process that records what it says until it is killed.

``python speaker.py SPOOL DATABASE_URL BURST`` publishes ``BURST`` finals of one call every other millisecond, and
prints after each turn up to which seq they must outlive a kill at that moment: those published more than 50 ms ago.
A turn of the loop that itself took longer, with the machine busy elsewhere, is allowed for.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections import deque
from pathlib import Path

import structlog
import uvloop

from daemon.calls.call import CallChanged
from daemon.config import RecorderConfig
from daemon.hub import Hub
from daemon.stores.database import Database
from daemon.transcripts.recorder import Recorder
from tests.daemon.transcripts.recording import make_call, make_final

PACE = 0.002
MAY_BE_LOST = 0.05


async def speak(spool: Path, url: str, burst: int) -> None:
    hub = Hub()
    recorder = Recorder(hub, Database.of(url), RecorderConfig(), spool_dir=spool, rekey=lambda *_: None)
    recording = asyncio.create_task(recorder.run())
    hub.publish(CallChanged(make_call("spoken")))
    turns: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
    safe = seq = 0
    while not recording.done():
        for _ in range(burst):
            seq += 1
            hub.publish(make_final("spoken", seq))
        now = time.monotonic()
        turns.append((now, seq))
        times = [at for at, _ in turns]
        stuck = max(after - before for before, after in itertools.pairwise(times)) - PACE
        while turns[1][0] < now - MAY_BE_LOST - max(stuck, 0.0):
            safe = turns.popleft()[1]
        print(safe, flush=True)
        await asyncio.sleep(PACE)
    await recording


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    uvloop.run(speak(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
