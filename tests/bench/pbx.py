"""CPU microseconds of Parley's side of a PBX gateway: of a request with its answer, and of a frame that is nobody's."""

from __future__ import annotations

from tests.bench.programs import module, running

REQUESTS = 20_000
FRAMES = 50_000


def request_us() -> float:
    """One request and its answer, a thousand in flight."""
    with running(module("pbx_stand_in"), server=True) as gateway:
        url = gateway.hear()
        with running(module("pbx_consumer", "requests", url, REQUESTS)) as program:
            return float(program.hear()) / REQUESTS * 1e6


def ignored_frame_us() -> float:
    """One broadcast frame that concerns nobody here, from the socket to where it is let go."""
    with running(module("pbx_stand_in"), server=True) as gateway:
        url = gateway.hear()
        with running(module("pbx_consumer", "ignored", url, FRAMES)) as program:
            program.expect("ready")
            gateway.say(str(FRAMES))
            return float(program.hear()) / FRAMES * 1e6
