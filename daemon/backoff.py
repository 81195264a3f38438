"""How long to wait before trying again."""

from __future__ import annotations

import random


class Backoff:
    """Exponential delays with full jitter between half and the whole of each step, capped.

    ``first`` and ``cap`` are seconds. ``reset`` after a success starts over.
    """

    def __init__(self, first: float = 0.25, cap: float = 15.0, factor: float = 2.0) -> None:
        if not 0 < first <= cap or factor < 1:
            raise ValueError("backoff needs 0 < first <= cap and factor >= 1")
        self._first = first
        self._cap = cap
        self._factor = factor
        self._step = first

    def next(self) -> float:
        """The seconds to wait now; each call waits longer, up to the cap."""
        step = self._step
        self._step = min(step * self._factor, self._cap)
        return step * random.uniform(0.5, 1.0)  # noqa: S311 - spreads reconnects, guards nothing

    def reset(self) -> None:
        """Start again with the first delay."""
        self._step = self._first
