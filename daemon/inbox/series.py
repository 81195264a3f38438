"""Deliveries that are worked one after another by one task, so that a key with many costs few claims."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from daemon.stores.delivery_work import ClaimedRow

LONGEST: Final = 32
"""Deliveries of one series at most."""
_TIME: Final = 1.0
"""Seconds after which none is begun any more: until then what somebody cancels or replays may come too late."""
_SLOW_FOR: Final = 60.0
"""Seconds in which a source whose handlers take long has no series."""


class Series:
    """What is ``left`` of it to be worked, and how many are ``open``: not handed back yet."""

    def __init__(self, rows: Iterable[ClaimedRow], began: float) -> None:
        self.left = deque(rows)
        self.open = self._length = len(self.left)
        self.source = self.left[0].source
        self._until = began + _TIME
        self.broken = False
        """Whether what is left is to be handed back: one before it fails, or was somebody else's."""

    def goes_on(self, now: float) -> bool:
        """Whether another is to be begun. The first is in any case."""
        return not self.broken and now < self._until

    @property
    def was_slow(self) -> bool:
        """Whether more than half of it was left when its time was over."""
        return not self.broken and len(self.left) * 2 > self._length


class SlowSources:
    """Those whose handlers take so long that a series is of no use. Times are seconds of any clock that does not go
    back."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def note(self, series: Series, now: float) -> None:
        """It has ended."""
        if series.was_slow:
            self._until[series.source] = now + _SLOW_FOR

    def has(self, source: str, now: float) -> bool:
        """Whether it is one of them."""
        until = self._until.get(source)
        if until is not None and until <= now:
            del self._until[source]
            return False
        return until is not None


def series_of(firsts: Iterable[ClaimedRow], following: Iterable[ClaimedRow], began: float) -> list[Series]:
    """One for each of ``firsts``, those of ``following`` that have its key behind it, in the order of their ids."""
    rows: dict[tuple[str, str], list[ClaimedRow]] = {}
    for row in following:
        rows.setdefault((row.source, row.order_key or ""), []).append(row)
    series = []
    for first in firsts:
        behind = rows.get((first.source, first.order_key or ""), []) if rows and is_untried(first) else []
        series.append(Series([first, *behind], began))
    return series


def is_untried(row: ClaimedRow) -> bool:
    """Whether others may come behind it: of a key there is one such row at most among those claimed together."""
    return row.order_key is not None and row.failing_since is None
