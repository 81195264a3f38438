"""What stands in the inbox, by source: counted as it happens, and now and then in the store."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from daemon.inbox.sources import REASONS
from daemon.stores.deliveries import SourceCount
from daemon.stores.delivery_inserts import Fate
from daemon.stores.delivery_work import DeliveryState

_OTHERS: Final = "others"
"""Stands for sources in the store that no configuration names any more."""
_LOST_SHOWN: Final = 3_600.0
"""Seconds for which events of Parley's own are said to be lost: nobody can mend that, but somebody should know."""


class Counted(msgspec.Struct):
    """One source. ``refused`` has every reason there is."""

    pending: int = 0
    working: int = 0
    dead: int = 0
    cancelled: int = 0
    oldest_pending_at: float | None = None
    accepted: int = 0
    doubles: int = 0
    attempts: int = 0
    died: int = 0
    refused: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(REASONS, 0))


class Counts:
    """Of the sources named, which bounds what there is to tell apart."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._by_source = {name: Counted() for name in sources}
        self.counted_at: float | None = None
        self.problem = ""
        """Why the store could not be counted last; ``""`` where it could."""
        self._due_at: float | None = None
        self.own_lost = 0
        """Events of Parley's own that were never stored."""
        self._own_lost_at = -math.inf

    def tell_apart(self, source: str) -> None:
        """One more is counted for itself."""
        self._by_source.setdefault(source, Counted())

    def by_source(self) -> dict[str, Counted]:
        """All of them."""
        return self._by_source

    def waiting(self, source: str) -> int:
        """How many of that source were not at their end when it was counted last: also those that were worked on."""
        counted = self._by_source.get(source)
        return counted.pending + counted.working if counted is not None else 0

    def accepted(self, source: str, fate: Fate) -> None:
        """One was stored, or there already."""
        counted = self._of(source)
        if fate is Fate.DOUBLE:
            counted.doubles += 1
        else:
            counted.accepted += 1

    def worked(self, source: str, attempts: int, *, died: bool) -> None:
        """One was worked on: so many handlers ran."""
        counted = self._of(source)
        counted.attempts += attempts
        counted.died += died

    def refused(self, source: str, reason: str) -> None:
        """One was not taken, for one of the reasons there are."""
        self._of(source).refused[reason] += 1

    def lost_own(self, now: float) -> None:
        """One of Parley's own events could not be held until the store takes it, or was refused by it."""
        self.own_lost += 1
        self._own_lost_at = now

    def own_lost_lately(self, now: float) -> bool:
        """Whether that happened within the last hour."""
        return now - self._own_lost_at < _LOST_SHOWN

    def stored(self, counts: Sequence[SourceCount], now: float) -> None:
        """What the store says."""
        for counted in self._by_source.values():
            counted.pending = counted.working = counted.dead = counted.cancelled = 0
            counted.oldest_pending_at = None
        for one in counts:
            counted = self._of(one.source)
            setattr(counted, one.state.value, getattr(counted, one.state.value) + one.count)
            if one.state is DeliveryState.PENDING:
                counted.oldest_pending_at = min(one.oldest, counted.oldest_pending_at or one.oldest)
        self._due_at = min((one.due_at for one in counts if one.state is DeliveryState.PENDING), default=None)
        self.counted_at = now
        self.problem = ""

    def overdue(self) -> float:
        """How long the one that has been due longest has been waiting for its turn, in seconds, when it was counted."""
        if self._due_at is None or self.counted_at is None:
            return 0.0
        return max(0.0, self.counted_at - self._due_at)

    def _of(self, source: str) -> Counted:
        counted = self._by_source.get(source) or self._by_source.get(_OTHERS)
        if counted is None:
            counted = self._by_source[_OTHERS] = Counted()
        return counted
