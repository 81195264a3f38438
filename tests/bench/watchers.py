"""Two hundred watchers of a live server, and whoever makes it speak: the load of the live measurements.

    python -m tests.bench.watchers parley|stock|node deliveries|latency

The same clients watch every server. ``deliveries`` keeps a fixed number of utterances under way, so that the server
always has something to do and nothing piles up, and prints how many utterances reached a watcher for each second of
the server's CPU time. What a server makes of several utterances that wait at once is its own affair. ``latency``
sends 50 utterances a second and prints the median and the 99th percentile of the milliseconds from the write into
the server's source to the read at a watcher's socket.

Parley's source is its switch: event frames over the event socket. The other two are handed the same utterance as a line
of JSON, ready to be emitted.
"""

from __future__ import annotations

import gc
import json
import selectors
import socket
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from tempfile import TemporaryDirectory
from typing import Protocol

import psutil

from tests.bench.programs import Program, module, node, running
from tests.bench.recorded import RecordedEvent
from tests.bench.switch_stand_in import SwitchStandIn
from tests.bench.websocket_reader import WebSocketReader

WATCHERS = 200
CALLS = 100
UNDER_WAY = 64
WARM_UP, MEASURED = 1.0, 5.0
RATE, LATENCY_SECONDS = 50, 20.0


class Source(Protocol):
    """What makes a server speak. ``port`` is where the server finds it."""

    port: int

    def speak(self, count: int) -> None:
        """Send the next ``count`` utterances."""


class SwitchSource:
    """Parley's: a switch with calls under way, told of by the recorded event."""

    def __init__(self) -> None:
        recorded = RecordedEvent(CALLS)
        self._stand_in = SwitchStandIn(recorded)
        self.port = self._stand_in.port
        self._frames = _endless(recorded)

    def speak(self, count: int) -> None:
        self._stand_in.send(b"".join(islice(self._frames, count)))


class LineSource:
    """The other servers': each line is the utterance as Parley puts it to browsers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._servers: list[socket.socket] = []
        self._seq = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            self._servers.append(self._listener.accept()[0])

    def speak(self, count: int) -> None:
        lines = b"".join(self._line() for _ in range(count))
        for server in self._servers:
            server.sendall(lines)

    def _line(self) -> bytes:
        turn, call = divmod(self._seq, CALLS)
        self._seq += 1
        utterance = {
            "call_id": f"01998000-0000-7000-8000-{call:012d}",
            "utterance_id": f"01998000-0000-7000-8001-{self._seq:012d}",
            "seq": turn + 1,
            "leg_id": f"ca110000-4000-8000-0000-{call:012d}",
            "speaker": "caller",
            "text": "금요일",
            "start": turn * 2.0,
            "end": turn * 2.0 + 1.999875,
            "said_at": 1_795_199_768.449695 + turn * 2,
            "final": True,
            "confidence": None,
            "vendor": "mindslab",
        }
        return json.dumps(utterance, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _endless(recorded: RecordedEvent) -> Iterator[bytes]:
    first = 0
    while True:
        yield from recorded.frames(1000, first=first)
        first += 1000


class Audience:
    """All watchers, connected and watching everything."""

    def __init__(self, port: int, path: str, headers: dict[str, str]) -> None:
        self.heard = 0
        self._selector = selectors.DefaultSelector()
        for _ in range(WATCHERS):
            watcher = WebSocketReader(port, path, headers)
            watcher.enter("watch", {"call_id": "*", "after": {}, "epoch": None})
            watcher.socket.setblocking(False)
            self._selector.register(watcher.socket, selectors.EVENT_READ, watcher)

    def listen(self, timeout: float) -> None:
        """Wait so long for something to arrive, and count it."""
        for key, _ in self._selector.select(timeout):
            self.heard += key.data.read()

    def listen_timed(self, timeout: float, said_at: list[float], delays: list[float]) -> None:
        """The same, noting for each utterance the seconds since it was said; every watcher hears them in order."""
        for key, _ in self._selector.select(timeout):
            before = key.data.utterances
            found = key.data.read()
            now = time.perf_counter()
            self.heard += found
            delays.extend(now - at for at in said_at[before : before + found])


def deliveries_per_s(audience: Audience, source: Source, server: psutil.Process) -> float:
    """Utterances that reached a watcher, for each second of CPU the server spent."""
    said = audience.heard // WATCHERS
    began = cpu_began = heard_began = 0.0
    until = time.perf_counter() + WARM_UP
    while True:
        while said * WATCHERS - audience.heard < UNDER_WAY * WATCHERS:
            source.speak(1)
            said += 1
        audience.listen(1.0)
        if time.perf_counter() >= until:
            cpu = _cpu_seconds(server)
            if began:
                return (audience.heard - heard_began) / (cpu - cpu_began)
            began, cpu_began, heard_began = until, cpu, audience.heard
            until = time.perf_counter() + MEASURED


def latency_ms(audience: Audience, source: Source) -> tuple[float, float]:
    """The median and the 99th percentile over all deliveries of :data:`LATENCY_SECONDS`."""
    said_at: list[float] = []
    delays: list[float] = []
    total = int(RATE * LATENCY_SECONDS)
    began = time.perf_counter()
    while len(delays) < total * WATCHERS:
        due = began + len(said_at) / RATE
        now = time.perf_counter()
        if len(said_at) < total and now >= due:
            said_at.append(time.perf_counter())
            source.speak(1)
        else:
            audience.listen_timed(max(0.0, due - now) if len(said_at) < total else 5.0, said_at, delays)
    cuts = statistics.quantiles(delays, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


def _cpu_seconds(server: psutil.Process) -> float:
    times = server.cpu_times()
    return float(times.user + times.system)


def start(stack: ExitStack, kind: str) -> tuple[Source, Program, Audience]:
    """A source, its server and the watchers, all ready."""
    source: Source = SwitchSource() if kind == "parley" else LineSource()
    if kind == "node":
        command = node(source.port)
    elif kind == "parley":
        state_dir = stack.enter_context(TemporaryDirectory(prefix="parley-bench-"))
        command = module("live_parley", source.port, state_dir)
    else:
        command = module("live_stock", source.port)
    server = stack.enter_context(running(command, server=True))
    said = json.loads(server.hear())
    return source, server, Audience(said["port"], said["path"], said["headers"])


def main() -> None:
    kind, measure = sys.argv[1:]
    with ExitStack() as stack:
        source, server, audience = start(stack, kind)
        gc.disable()
        if measure == "deliveries":
            print(deliveries_per_s(audience, source, psutil.Process(server.process.pid)))
        else:
            print(*latency_ms(audience, source))


if __name__ == "__main__":
    main()
