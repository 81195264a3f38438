"""CPU microseconds that one speech-to-text event costs its reader, from the socket to where the reader takes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.bench.programs import module, peer, running
from tests.bench.switch_stand_in import PASSWORD

EVENTS = 20_000
CALLS = 100


def cost(reader: Callable[[int], Sequence[str]], events: int = EVENTS) -> float:
    """Microseconds of CPU per event of the process that ``reader`` gives the command of, for a port to read from."""
    with running(module("switch_stand_in", events, CALLS)) as switch:
        port = int(switch.hear())
        with running(reader(port)) as program:
            program.expect("ready")
            switch.say("go")
            return float(program.hear()) / events * 1e6


def framing_us() -> float:
    """Cut the stream into frames, no more."""
    return cost(lambda port: module("consumers", "framing", port, EVENTS))


def decode_us() -> float:
    """Frames, each decoded to a typed event."""
    return cost(lambda port: module("consumers", "decode", port, EVENTS))


def full_us() -> float:
    """The whole room: both links, the snapshot, the registry, the transcripts, to the utterance on the hub."""
    return cost(lambda port: module("consumers", "full", port, EVENTS))


def genesis_us() -> float:
    """genesis, from the socket to its user's handler."""
    return cost(lambda port: peer("genesis_peer", port, PASSWORD, EVENTS))


def greenswitch_us() -> float:
    """greenswitch, from the socket to its user's handler."""
    return cost(lambda port: peer("greenswitch_peer", port, PASSWORD, EVENTS))
