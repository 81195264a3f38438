"""The live view under 200 watchers, beside two other servers under the same ones.

``deliveries_per_s`` is how many utterances reach a watcher for each second of CPU that the server spends while it
always has more to do: what one core can deliver, however busy the machine is otherwise. Latency is wall time, from the
write into the switch's socket to the read at a watcher's, at 50 utterances a second.
"""

from __future__ import annotations

from tests.bench.programs import module, running


def deliveries_per_s() -> float:
    """All of Parley, fed by its switch, recording to SQLite."""
    return _numbers("parley", "deliveries")[0]


def stock_deliveries_per_s() -> float:
    """python-socketio as it comes; the watchers offer compression, as browsers do, and it accepts."""
    return _numbers("stock", "deliveries")[0]


def node_deliveries_per_s() -> float:
    """npm socket.io as it comes."""
    return _numbers("node", "deliveries")[0]


def latency_ms() -> list[float]:
    """The median and the 99th percentile of all of Parley, over every watcher."""
    return _numbers("parley", "latency")


def _numbers(kind: str, measure: str) -> list[float]:
    with running(module("watchers", kind, measure)) as program:
        return [float(number) for number in program.hear().split()]
