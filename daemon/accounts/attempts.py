"""How often a wrong password may be tried."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

from daemon.accounts.errors import TooManyAttempts

_MOST_KEYS = 10_000
"""How many names and addresses are remembered; past it the one not seen for longest is forgotten."""


class Attempts:
    """Counts attempts by key (a name, an address) over a sliding window of ``window`` seconds.

    An attempt counts from its beginning, so that many at once are not more than many in turn; one that turned out
    right is taken back.
    """

    def __init__(self, allowed: int, window: float, clock: Callable[[], float]) -> None:
        self._allowed = allowed
        self._window = window
        self._clock = clock
        self._begun: OrderedDict[str, deque[float]] = OrderedDict()

    def begin(self, *keys: str) -> None:
        """Count an attempt for every key, or for none when one has had its share: :class:`TooManyAttempts`."""
        now = self._clock()
        waits = [self._wait(key, now) for key in keys]
        if max(waits) > 0:
            raise TooManyAttempts(max(waits))
        for key in keys:
            self._begun.setdefault(key, deque()).append(now)
            self._begun.move_to_end(key)
        while len(self._begun) > _MOST_KEYS:
            self._begun.popitem(last=False)

    def forgive(self, *keys: str) -> None:
        """The latest attempt was right: it does not count."""
        for key in keys:
            begun = self._begun.get(key)
            if begun:
                begun.pop()
            if not begun:
                self._begun.pop(key, None)

    def _wait(self, key: str, now: float) -> float:
        begun = self._begun.get(key)
        if begun is None:
            return 0.0
        while begun and begun[0] <= now - self._window:
            begun.popleft()
        if len(begun) < self._allowed:
            return 0.0
        return begun[0] + self._window - now
