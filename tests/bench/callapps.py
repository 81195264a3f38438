"""Call apps under load: 500 calls at once, 100 replies a second, all of Parley on the one side and the simulated switch
in a process of its own on the other.

Of the delay, which is wall time, half and more may be the switch's own, and that of a machine with other things to do.
The CPU is that of Parley's process alone: links, registry, transcripts, recorder on SQLite and log included.
"""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.programs import Program, module, running

CALLS: Final = 2000
AT_ONCE: Final = 500
PER_SECOND: Final = 100


def loaded(calls: int = CALLS, at_once: int = AT_ONCE, per_second: float = PER_SECOND) -> list[float]:
    """The 99th percentile from a reply to the next command in ms, and the milliseconds of CPU for each call."""
    with (
        TemporaryDirectory(prefix="parley-bench-") as folder,
        running(module("callapps_switch", calls, at_once, per_second)) as switch,
        running(module("callapps_parley", switch.hear(), folder)) as parley,
    ):
        parley.expect("ready")
        before = _cpu(parley)
        switch.say("call")
        p99, most = (float(number) for number in switch.hear().split())
        spent = _cpu(parley) - before
    if most < at_once * 0.9:
        raise AssertionError(f"only {most:g} calls were there at once")
    return [p99, spent / calls * 1e3]


def _cpu(parley: Program) -> float:
    """Seconds."""
    parley.say("cpu")
    return float(parley.hear())
