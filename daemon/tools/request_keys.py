"""Keys for requests that an agent may repeat: when an answer is slow, or when the caller says yes twice."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from daemon.tools.contract import RequestKeys

_WINDOW: Final = 60.0
"""Seconds in which the same request is the same."""
_MOST: Final = 10_000


class RecentKeys(RequestKeys):
    """Implements :class:`~daemon.tools.contract.RequestKeys`; ``clock`` gives Unix seconds.

    A key holds the minute in which it was made, so that a restart within it makes the same one. Past the bound the
    oldest are forgotten: then only the minute tells.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._made: OrderedDict[bytes, tuple[float, str]] = OrderedDict()

    def key(self, *parts: str) -> str:
        """As the contract says."""
        now = self._clock()
        digest = hashlib.sha256(msgspec.json.encode(parts)).digest()
        made = self._made.get(digest)
        if made is not None and abs(now - made[0]) < _WINDOW:
            return made[1]
        key = f"{digest.hex()[:32]}-{int(now // _WINDOW)}"
        self._made[digest] = (now, key)
        self._made.move_to_end(digest)
        while len(self._made) > _MOST:
            self._made.popitem(last=False)
        return key
