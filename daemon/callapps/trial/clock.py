"""A clock that stands still until the caller lets time pass: no silence is really waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from daemon.callapps.clock import Clock


@dataclass(eq=False)
class _Waiting:
    changed: asyncio.Event
    until: float
    due: asyncio.Future[None]

    @property
    def is_over(self) -> bool:
        return self.due.done() or self.changed.is_set()


class CallersClock(Clock):
    """Begins at ``now``. ``waited_for`` is called whenever somebody begins to wait."""

    def __init__(self, now: float, waited_for: Callable[[], None]) -> None:
        self._now = now
        self._waited_for = waited_for
        self._waiting: list[_Waiting] = []

    def time(self) -> float:
        return self._now

    async def wait(self, changed: asyncio.Event, until: float) -> None:
        if until <= self._now:
            return
        waiting = _Waiting(changed, until, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._waited_for()
        changing = asyncio.ensure_future(changed.wait())
        try:
            either: set[asyncio.Future[Any]] = {changing, waiting.due}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changing.cancel()
            self._waiting.remove(waiting)

    @property
    def next(self) -> float | None:
        """The earliest time that somebody waits for."""
        return min((waiting.until for waiting in self._waiting if not waiting.is_over), default=None)

    def pass_to(self, now: float) -> bool:
        """Let time pass; true where somebody waited for it."""
        self._now = max(self._now, now)
        due = [waiting for waiting in self._waiting if not waiting.is_over and waiting.until <= self._now]
        for waiting in due:
            waiting.due.set_result(None)
        return bool(due)
