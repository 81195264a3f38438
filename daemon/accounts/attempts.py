"""How often a wrong password may be tried."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping

from daemon.accounts.errors import TooManyAttempts

_MOST_KEYS = 10_000
"""How many names and addresses are remembered; past it the one not seen for longest is forgotten."""


class Attempts:
    """Counts attempts by key (a name, an address) over a sliding window of ``window`` seconds, each with its own bound.

    An attempt counts from its beginning, so that many at once are not more than many in turn; one that turned out
    right is taken back.
    """

    def __init__(self, window: float, clock: Callable[[], float]) -> None:
        self._window = window
        self._clock = clock
        self._begun: OrderedDict[str, deque[float]] = OrderedDict()

    def begin(self, allowed: Mapping[str, int]) -> None:
        """Count an attempt for every key, or for none when one has had its share: :class:`TooManyAttempts`."""
        now = self._clock()
        wait = max(self._wait(key, most, now) for key, most in allowed.items())
        if wait > 0:
            raise TooManyAttempts(wait)
        for key in allowed:
            self._begun.setdefault(key, deque()).append(now)
            self._begun.move_to_end(key)
        while len(self._begun) > _MOST_KEYS:
            self._begun.popitem(last=False)

    def forgive(self, keys: Iterable[str]) -> None:
        """The latest attempt was right: it does not count."""
        for key in keys:
            begun = self._begun.get(key)
            if begun:
                begun.pop()
            if not begun:
                self._begun.pop(key, None)

    def _wait(self, key: str, allowed: int, now: float) -> float:
        begun = self._begun.get(key)
        if begun is None:
            return 0.0
        while begun and begun[0] <= now - self._window:
            begun.popleft()
        if len(begun) < allowed:
            return 0.0
        return begun[0] + self._window - now
