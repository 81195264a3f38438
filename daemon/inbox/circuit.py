"""Stops trying a destination that keeps failing, but for one try now and then."""

from __future__ import annotations

from typing import Final

FAILURES: Final = 5
"""Failures in a row that open the circuit."""
_FIRST: Final = 30.0
_LONGEST: Final = 600.0


class Circuit:
    """Closed: everything passes. Open: nothing does, but one try after each pause, which doubles.

    Times are seconds of any clock that does not go back.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._pause = _FIRST
        self._open_until: float | None = None
        self._trying = False
        self._try_began = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the other side is taken for away."""
        return self._open_until is not None

    def wait(self, now: float) -> float:
        """Seconds until the next try; 0: try now. Of those who ask while it is open one is let through."""
        if self._open_until is None:
            return 0.0
        if now < self._open_until:
            return self._open_until - now
        if self._trying:
            return self._pause
        self._trying = True
        self._try_began = now
        return 0.0

    def succeeded(self) -> None:
        """The other side works."""
        self._failures = 0
        self._pause = _FIRST
        self._open_until = None
        self._trying = False

    def failed(self, now: float, *, began: float) -> None:
        """It does not; ``began`` is the ``now`` of :meth:`wait` that let this try through."""
        self._failures += 1
        if self._trying and began < self._try_began:
            return  # begun before it opened: the one try will tell
        if self._trying:
            self._pause = min(self._pause * 2, _LONGEST)
            self._open_until = now + self._pause
        elif self._open_until is not None:
            return  # begun before it opened
        elif self._failures >= FAILURES:
            self._open_until = now + self._pause
        self._trying = False
