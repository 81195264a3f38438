"""Who waits for what, and until when: the table behind every request that is answered later.

Time is an argument: any clock will do that does not go back, as long as it is always the same one.
"""

from __future__ import annotations

from collections.abc import Hashable
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

from protocols.errors import LocalError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Pending(Generic[K, V]):
    """Waiters by key, each with a deadline. Every waiter leaves the table exactly once: by one of :meth:`resolve`,
    :meth:`expire` and :meth:`drain`.

    ``limit`` bounds the waiters. ``unmatched`` counts what was resolved and nobody waited for (any more).
    """

    def __init__(self, *, limit: int = 100_000) -> None:
        self._limit = limit
        self._waiters: dict[K, tuple[V, int]] = {}
        self._deadlines: list[tuple[float, int, K]] = []
        self._added = 0
        self.unmatched = 0

    def __len__(self) -> int:
        return len(self._waiters)

    def __contains__(self, key: object) -> bool:
        return key in self._waiters

    def add(self, key: K, waiter: V, deadline: float) -> None:
        """Let ``waiter`` wait for ``key`` until ``deadline``.

        :raises LocalError: when somebody waits for ``key`` already, or ``limit`` waiters are there.
        """
        if key in self._waiters:
            raise LocalError(f"somebody waits for {key!r} already")
        if len(self._waiters) >= self._limit:
            raise LocalError(f"limit={self._limit} waiters are there already")
        self._added += 1
        self._waiters[key] = waiter, self._added
        heappush(self._deadlines, (deadline, self._added, key))

    def resolve(self, key: K) -> V | None:
        """Take the waiter for ``key`` out; ``None`` when there is none, which is counted: it may have expired."""
        found = self._waiters.pop(key, None)
        if found is None:
            self.unmatched += 1
            return None
        # Most waiters are resolved long before their deadline: do not let what is left of them pile up.
        if len(self._deadlines) > 64 and len(self._deadlines) > 2 * len(self._waiters):
            self._deadlines = [entry for entry in self._deadlines if self._is_live(entry)]
            heapify(self._deadlines)
        return found[0]

    def get(self, key: K) -> V | None:
        """The waiter for ``key``, who goes on waiting: for answers that come in parts."""
        found = self._waiters.get(key)
        return None if found is None else found[0]

    def next_deadline(self) -> float | None:
        """When :meth:`expire` has something to do, ``None`` while nobody waits."""
        while self._deadlines and not self._is_live(self._deadlines[0]):
            heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def expire(self, now: float) -> list[tuple[K, V]]:
        """Take out everyone whose deadline is ``now`` or before, the earliest deadline first."""
        expired = []
        while self._deadlines and self._deadlines[0][0] <= now:
            entry = heappop(self._deadlines)
            if self._is_live(entry):
                expired.append((entry[2], self._waiters.pop(entry[2])[0]))
        return expired

    def drain(self) -> list[tuple[K, V]]:
        """Take everyone out, in the order they came: what they wait for will not be."""
        drained = [(key, waiter) for key, (waiter, _) in self._waiters.items()]
        self._waiters.clear()
        self._deadlines.clear()
        return drained

    def _is_live(self, entry: tuple[float, int, K]) -> bool:
        """Whether the waiter of this deadline still waits; a later one may wait for the same key."""
        waiting = self._waiters.get(entry[2])
        return waiting is not None and waiting[1] == entry[1]
