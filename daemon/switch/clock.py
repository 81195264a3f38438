"""The switch's clock in terms of ours.

Events carry the switch's own wall clock (``Event-Date-Timestamp``, in steps of 20 ms). It is taken as it is while it
agrees with ours. A switch whose clock is set otherwise, or a recording that is played back, would put calls into the
past or the future; then the difference seen when its first event arrived is added to every time of that ``Core-UUID``,
so that times within a call keep their distances. It holds for as long as that ``Core-UUID`` lives, over any reconnects.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

_AGREES = 2.0
"""Seconds by which the two clocks may differ and still be taken to agree: how long an event may be on its way."""

_MOST_CORES = 8
"""A switch that dies and comes back is met in each of its lives; more are not on their way at once."""


class SwitchClock:
    """Turns times of the switch into Unix seconds of our clock, which ``now`` tells."""

    def __init__(self, server: str, now: Callable[[], float]) -> None:
        self.now = now
        self.offset = 0.0
        """Seconds to add to a time of the switch, settled at its first event."""
        self._server = server
        self._core = ""
        self._arrived: dict[str, float] = {}  # Core-UUID → the difference when its first event arrived, oldest first

    def note_arrival(self, core: str, at: float) -> None:
        """Something of that ``Core-UUID`` arrives now, stamped ``at``. How long it is then held must not count."""
        if core and at and core != self._core and core not in self._arrived:
            self._arrived[core] = self.now() - at
            if len(self._arrived) > _MOST_CORES:
                del self._arrived[next(iter(self._arrived))]

    def settle(self, core: str, at: float) -> None:
        """The times of that ``Core-UUID`` are told of from now on. Its first is stamped ``at``: Unix seconds by the
        switch's own clock, 0.0 for none."""
        self._core = core
        difference = self._arrived.pop(core, self.now() - at)
        self.offset = difference if at and abs(difference) > _AGREES else 0.0
        if self.offset:
            log.warning("switch_clock_differs", switch=self._server, seconds=round(difference, 3))

    def ours(self, at: float | None) -> float | None:
        """``at`` by the switch's clock as Unix seconds of ours; ``None`` stays what it is."""
        return None if at is None else at + self.offset
