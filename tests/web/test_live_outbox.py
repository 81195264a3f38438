"""What gets through an outbox: in order, each thing once, whatever the client's pace and whatever is dropped."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.config import LiveConfig
from web.live_frames import Event
from web.live_outbox import HIGH_WATER, LiveCounts, Outbox

PROVE = os.environ.get("PARLEY_PROVE") == "1"
EXAMPLES = 5_000 if PROVE else 200

SIZE = 4_000
"""Bytes of a frame: some sixteen of them fill the transport."""


class Connection:
    """A client that takes what it is let to: transport and protocol in one."""

    def __init__(self) -> None:
        self.buffer = b""
        self.read = b""
        self.aborted = False
        self.writing_paused = False
        self._room = asyncio.Event()

    def write(self, data: bytes) -> None:
        self.buffer += data
        self.writing_paused = len(self.buffer) > HIGH_WATER
        if self.writing_paused:
            self._room.clear()

    def take(self, size: int) -> None:
        """The client reads so many bytes."""
        self.read += self.buffer[:size]
        self.buffer = self.buffer[size:]
        if len(self.buffer) <= HIGH_WATER // 4:
            self.writing_paused = False
            self._room.set()

    async def writable(self) -> None:
        if self.writing_paused and not self.aborted:
            await self._room.wait()

    def get_write_buffer_size(self) -> int:
        return len(self.buffer)

    def set_write_buffer_limits(self, high: int) -> None:
        assert high == HIGH_WATER

    def abort(self) -> None:
        self.aborted = True
        self._room.set()

    def heard(self) -> list[str]:
        """The names of the frames that were read."""
        return [self.read[at : at + SIZE].decode().rstrip() for at in range(0, len(self.read), SIZE)]


def frame(name: str) -> bytes:
    return name.encode().ljust(SIZE)


Step = tuple[str, int]

steps = st.lists(
    st.tuples(
        st.sampled_from(["interim", "final", "withdraw", "call", "alone", "past", "batch", "read", "turn"]),
        st.integers(0, 5),
    ),
    max_size=120,
)


class Play:
    """Gives an outbox what a list of steps says, and notes what must arrive."""

    def __init__(self, limits: LiveConfig) -> None:
        self.connection = Connection()
        self.counts = LiveCounts()
        self.outbox = Outbox(limits, self.counts)
        self.outbox.open(self.connection, self.connection, self.connection.writable)  # type: ignore[arg-type]
        self.certain: list[str] = []
        self._number = 0

    def _name(self, kind: str, which: int) -> str:
        self._number += 1
        return f"{kind}-{which}-{self._number}"

    def _event(self, kind: str, which: int) -> Event:
        name = self._name(kind, which)
        if kind != "interim":
            self.certain.append(name)
        return Event(frame(name), "" if kind == "call" else f"u{which}", kind == "interim")

    async def take(self, step: Step) -> None:
        kind, which = step
        if kind == "read":
            self.connection.take(which * 3 * SIZE)
        elif kind == "turn":
            await asyncio.sleep(0)
        elif kind == "alone":
            self.certain.append(self._name(kind, which))
            self.outbox.send(frame(self.certain[-1]))
        elif kind == "past":
            names = [self._name(kind, which) for _ in range(which * 10)]
            self.certain += names
            self.outbox.feed(map(frame, names))
        elif kind == "batch":
            events = [self._event("interim" if number % 2 else "final", which) for number in range(which)]
            self.outbox.deliver(b"".join(event.frame for event in events), events)
        else:
            event = self._event(kind, which)
            self.outbox.deliver(event.frame, [event])

    async def read_all(self) -> None:
        while self.connection.buffer or len(self.outbox):
            self.connection.take(len(self.connection.buffer))
            await asyncio.sleep(0)


def play(limits: LiveConfig, steps: list[Step]) -> Play:
    async def run() -> Play:
        made = Play(limits)
        for step in steps:
            await made.take(step)
        await made.read_all()
        return made

    return asyncio.run(run())


@settings(max_examples=EXAMPLES, deadline=None)
@given(steps)
def test_what_is_certain_arrives_in_order_and_interims_never_late(steps: list[Step]) -> None:
    played = play(LiveConfig(), steps)
    heard = played.connection.heard()
    assert [name for name in heard if not name.startswith("interim")] == played.certain
    numbers = [int(name.rpartition("-")[2]) for name in heard]
    assert numbers == sorted(numbers)
    assert played.counts.cut_off == 0


@settings(max_examples=EXAMPLES, deadline=None)
@given(steps)
def test_within_bounds_always_and_past_them_cut_off_once(steps: list[Step]) -> None:
    limits = LiveConfig(queue_packets=8, queue_bytes=HIGH_WATER + 12 * SIZE)

    async def run() -> None:
        made = Play(limits)
        for step in steps:
            await made.take(step)
            assert len(made.outbox) <= limits.queue_packets
        if made.connection.aborted:
            assert made.counts.cut_off == 1
            assert len(made.outbox) == 0
            assert made.outbox.waiting_bytes == 0
            before = made.connection.buffer
            await made.take(("final", 1))
            assert made.connection.buffer == before
        else:
            assert made.counts.cut_off == 0
            await made.read_all()
            certain = [name for name in made.connection.heard() if not name.startswith("interim")]
            assert certain == made.certain

    asyncio.run(run())


def test_what_waits_longest_for_a_past_is_made_only_when_it_is_taken() -> None:
    made: list[int] = []

    def frames() -> Iterator[bytes]:
        for number in range(2_000):
            made.append(number)
            yield frame(str(number))

    async def run() -> Any:
        play = Play(LiveConfig())
        play.outbox.feed(frames())
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(made) < 60
        assert len(play.outbox) == 1
        await play.read_all()
        assert play.connection.heard() == [str(number) for number in range(2_000)]

    asyncio.run(run())
