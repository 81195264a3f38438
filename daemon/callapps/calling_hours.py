"""When people may be called."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class CallingHours:
    """On ``days`` (of :data:`DAYS`), from ``opens`` until before ``closes``, by the clocks of ``zone``.

    Times are ``HH:MM``, ``closes`` at the latest ``24:00``.
    """

    def __init__(self, days: Sequence[str], opens: str, closes: str, zone: tzinfo) -> None:
        self._days = frozenset(DAYS.index(day) for day in days)
        self._opens = time.fromisoformat(opens)
        self._closes = None if closes == "24:00" else time.fromisoformat(closes)
        self._zone = zone

    def open_in(self, now: float) -> float:
        """Seconds from ``now`` (Unix time) until people may be called, 0.0 where they may be."""
        today = datetime.fromtimestamp(now, self._zone).date()
        for later in range(8):
            day = today + timedelta(days=later)
            if day.weekday() not in self._days:
                continue
            opens = datetime.combine(day, self._opens, self._zone).timestamp()
            if now < opens:
                return opens - now
            ends = day if self._closes is not None else day + timedelta(days=1)
            if now < datetime.combine(ends, self._closes or time(), self._zone).timestamp():
                return 0.0
        raise ValueError("people may be called on no day")
