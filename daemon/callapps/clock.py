"""The time by which a caller's silence is waited for: the event loop's, unless somebody lets another one pass."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

_ROUNDING: Final = 0.0005


class Clock(Protocol):
    """Counts seconds from some moment or other."""

    def time(self) -> float:
        """The time now."""

    async def wait(self, changed: asyncio.Event, until: float) -> None:
        """Return when ``changed`` is set or that time has come, whichever is first."""


class LoopClock(Clock):
    """The event loop's own."""

    def time(self) -> float:
        return asyncio.get_running_loop().time()

    async def wait(self, changed: asyncio.Event, until: float) -> None:
        try:
            # uvloop rounds to milliseconds: without this it would be early, and be asked again and again.
            async with asyncio.timeout_at(until + _ROUNDING):
                await changed.wait()
        except TimeoutError:
            pass
