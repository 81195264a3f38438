"""Parley reading the stand-in's events, as far as a measurement goes; the process whose CPU time is measured.

    python -m tests.bench.consumers framing|decode|full PORT EVENTS

It prints ``ready`` when it has subscribed and then, when the last event is where it should be, the seconds of CPU that
this process spent between the two.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from typing import cast

import structlog
import uvloop

from daemon.calls.events import CallEvent
from daemon.calls.links import LinkState, LinkStatus
from daemon.calls.registry import Registry
from daemon.config import SpeechConfig, SwitchConfig
from daemon.hub import Hub
from daemon.switch.switch import Switch
from daemon.transcripts.assembler import Transcripts
from daemon.transcripts.utterance import Utterance
from protocols.esl.events import decode_event
from protocols.esl.parser import JSON, Frame, FrameParser
from tests.bench.switch_stand_in import PASSWORD

_SUBSCRIBE = b"event json CUSTOM brain_stt::transcription\n\n"


class FrameReader(asyncio.Protocol):
    """Signs in, subscribes, and gives ``take`` every event frame until there were ``events`` of them."""

    def __init__(self, events: int, take: Callable[[Frame], object]) -> None:
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._missing = events
        self._take = take
        self._parser = FrameParser()
        self._commands = iter([f"auth {PASSWORD}\n\n".encode(), _SUBSCRIBE])
        self._spent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for frame in self._parser.feed(data):
            if frame.content_type == JSON:
                self._take(frame)
                self._missing -= 1
                if not self._missing:
                    self.done.set_result(time.process_time() - self._spent)
            elif command := next(self._commands, None):
                self._transport.write(command)
            else:
                self._spent = time.process_time()
                print("ready", flush=True)


def _nothing(frame: Frame) -> None:
    return None


async def read_frames(port: int, events: int, take: Callable[[Frame], object]) -> float:
    """The CPU seconds of reading ``events`` events and handing each to ``take``."""
    loop = asyncio.get_running_loop()
    transport, reader = await loop.create_connection(lambda: FrameReader(events, take), "127.0.0.1", port)
    spent = await reader.done
    transport.close()
    return spent


class UtteranceCount:
    """Listens on the hub until there were ``utterances`` of them."""

    def __init__(self, hub: Hub, utterances: int) -> None:
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._missing = utterances
        hub.tap((Utterance,), self._heard)

    def _heard(self, utterance: Utterance) -> None:
        self._missing -= 1
        if not self._missing:
            self.done.set_result(time.process_time())


async def follow_switch(port: int, events: int) -> float:
    """The CPU seconds of the whole way: the real room, its calls known by a snapshot, to ``events`` utterances."""
    hub = Hub()
    registry = Registry(hub, clock=time.time, keep_ended=300.0)
    transcripts = Transcripts(hub, registry, epoch="bench")
    count = UtteranceCount(hub, events)
    ready: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def apply(event: CallEvent) -> None:
        registry.apply(event)
        transcripts.apply(event)

    async def recall(origin: str, server: str, leg_ids: Sequence[str]) -> None:
        """There is no store in this measurement."""

    def link_changed(status: LinkStatus) -> None:
        if status.state is LinkState.READY and not ready.done():
            ready.set_result(time.process_time())
            print("ready", flush=True)

    hub.tap((LinkStatus,), link_changed)
    config = SwitchConfig(port=port)
    switch = Switch(config, PASSWORD, apply=apply, registry=registry, hub=hub, speech=SpeechConfig(), recall=recall)
    following = asyncio.create_task(switch.run())
    spent = await count.done - await ready
    said = [len(transcripts.finals(call.call_id)) for call in registry.calls()]
    following.cancel()
    if sum(said) != events:
        raise AssertionError(f"{events} events made {sum(said)} utterances in {len(said)} calls")
    return spent


def main() -> None:
    # Standard output belongs to the measurement.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    kind, port, events = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    measured = {
        "framing": lambda: read_frames(port, events, _nothing),
        "decode": lambda: read_frames(port, events, decode_event),
        "full": lambda: follow_switch(port, events),
    }
    print(uvloop.run(measured[kind]()), flush=True)


if __name__ == "__main__":
    main()
