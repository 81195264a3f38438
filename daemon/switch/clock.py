"""The switch's clock in terms of ours.

Events carry the switch's own wall clock (``Event-Date-Timestamp``, in steps of 20 ms). It is taken as it is while it
agrees with ours. A switch whose clock is set otherwise, or a recording that is played back, would put calls into the
past or the future; then the difference seen at its first event is added to every time of that ``Core-UUID``, so that
times within a call keep their distances. It holds for as long as that ``Core-UUID`` lives, over any reconnects.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

_AGREES = 2.0
"""Seconds by which the two clocks may differ and still be taken to agree: how long an event may be on its way."""


class SwitchClock:
    """Turns times of the switch into Unix seconds of our clock, which ``now`` tells."""

    def __init__(self, server: str, now: Callable[[], float]) -> None:
        self.now = now
        self.offset = 0.0
        """Seconds to add to a time of the switch, settled at its first event."""
        self._server = server

    def settle(self, at: float) -> None:
        """The first event of a switch has arrived, stamped ``at``: Unix seconds by its own clock, 0.0 for none."""
        difference = self.now() - at
        self.offset = difference if at and abs(difference) > _AGREES else 0.0
        if self.offset:
            log.warning("switch_clock_differs", switch=self._server, seconds=round(difference, 3))

    def ours(self, at: float | None) -> float | None:
        """``at`` by the switch's clock as Unix seconds of ours; ``None`` stays what it is."""
        return None if at is None else at + self.offset
