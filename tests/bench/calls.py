"""How much memory live calls take: the registry's and the transcripts', as events of a switch bring them about.

    python -m tests.bench.calls

Prints the megabytes by which the process grew for :data:`CALLS` live calls of :data:`UTTERANCES` utterances each. Every
event is decoded from bytes of its own, so no text is shared between calls that a switch would not share.
"""

from __future__ import annotations

import gc
import sys
import time

import psutil
import structlog

from daemon.calls.call import CallState
from daemon.calls.events import CallEvent
from daemon.calls.registry import Registry
from daemon.hub import Hub
from daemon.switch.clock import SwitchClock
from daemon.switch.translate import Translator
from daemon.transcripts.assembler import Transcripts
from protocols.esl.events import decode_event
from protocols.esl.parser import FrameParser
from tests.bench.programs import module, running
from tests.bench.recorded import RecordedEvent

CALLS = 10_000
UTTERANCES = 10


def rss_mb_10k() -> float:
    """Megabytes of growth, in a process of its own."""
    with running(module("calls")) as program:
        return float(program.hear())


def grow() -> float:
    """Bring the calls about in this process; the megabytes it took."""
    recorded = RecordedEvent(CALLS)
    hub = Hub()
    registry = Registry(hub, clock=time.time, keep_ended=300.0)
    transcripts = Transcripts(hub, registry, epoch="bench")

    def apply(event: CallEvent) -> None:
        registry.apply(event)
        transcripts.apply(event)

    translator = Translator("main", apply, clock=SwitchClock("main", time.time), brain_sample_rate=8000)
    parser = FrameParser()
    process = psutil.Process()
    gc.collect()
    before = process.memory_info().rss
    for copy in recorded.frames(CALLS * UTTERANCES):
        for frame in parser.feed(copy):
            translator.take(decode_event(frame))
    gc.collect()
    grown = process.memory_info().rss - before
    said = [len(transcripts.finals(call.call_id)) for call in registry.calls() if call.state is not CallState.ENDED]
    if len(said) != CALLS or set(said) != {UTTERANCES}:
        raise AssertionError(f"{len(said)} live calls with {sum(said)} utterances")
    return grown / 1e6


if __name__ == "__main__":
    # Standard output belongs to the measurement.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    print(grow())
