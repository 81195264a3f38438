"""Functions that are done when their time has come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from daemon.inbox.contract import PermanentError
from daemon.schedules.contract import Firing


class Notes:
    """What was done. ``fail`` says of a firing whether it is to fail."""

    def __init__(self) -> None:
        self.firings: list[Firing] = []
        self.fail: Callable[[Firing], bool] = lambda _: False
        self._came = asyncio.Event()

    def take(self, firing: Firing) -> None:
        self.firings.append(firing)
        self._came.set()

    async def some(self, count: int) -> list[Firing]:
        """Wait until so many were done."""
        async with asyncio.timeout(30):
            while len(self.firings) < count:
                self._came.clear()
                await self._came.wait()
        return self.firings


async def note(firing: Firing, *, notes: Notes) -> None:
    """Note that it was done."""
    notes.take(firing)
    if notes.fail(firing):
        raise PermanentError("told to fail")


async def nothing(firing: Firing) -> None:
    """Do nothing."""


async def never_end(firing: Firing) -> None:
    """Take too long."""
    await asyncio.Event().wait()
