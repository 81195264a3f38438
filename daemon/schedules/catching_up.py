"""Which firings are handed on, of those that have come due since it was looked last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from daemon.cron import Cron

LATE: Final = 60.0
"""Seconds after which a firing is late. One that is not counts as fired in time, whatever was in the way of it: a
restart, a busy moment of the store."""


def due(
    cron: Cron, since: float, now: float, *, catch_up: Literal["skip", "latest", "all"], within: float
) -> Iterator[float]:
    """The moments after ``since`` and up to ``now`` that are to fire, in order.

    What is late is made up for as ``catch_up`` says, none that is older than ``within`` seconds.
    """
    oldest = max(since, now - within)
    in_time = max(since, now - LATE)
    match catch_up:
        case "skip":
            yield from cron.between(in_time, now)
        case "all":
            yield from cron.between(min(oldest, in_time), now)
        case "latest":
            fresh = list(cron.between(in_time, now))
            latest = [] if fresh or oldest >= in_time else _latest(cron, oldest, in_time)
            yield from fresh or latest


def first_late(cron: Cron, since: float, now: float) -> float | None:
    """The first moment after ``since`` that is late; ``None``: none is."""
    first = cron.after(since)
    return first if first is not None and first <= now - LATE else None


def _latest(cron: Cron, after: float, until: float) -> list[float]:
    """The last of them, looked for from the end: there may be a great many."""
    span = LATE
    while True:
        found = list(cron.between(max(after, until - span), until))
        if found or until - span <= after:
            return found[-1:]
        span *= 2
