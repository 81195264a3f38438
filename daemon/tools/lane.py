"""A bound on time and number for one function of somebody else's: whatever it does, it holds up nobody but itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

_MOST_WAITING: Final = 100
_END_PATIENCE: Final = 1.0
"""Seconds that :meth:`Lane.close` waits for calls to take their cancellation."""


class BusyError(Exception):
    """No call of the function ended in time to let another begin."""


class Lane:
    """At most ``at_once`` calls of ``function`` at a time, each answered within ``deadline`` seconds, waiting included.

    A call that is late is cancelled; one that will not end keeps its place, which is its own function's to miss.
    """

    def __init__(self, function: Callable[..., Awaitable[Any]], *, deadline: float, at_once: int) -> None:
        self._function = function
        self._deadline = deadline
        self._places = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, **values: Any) -> Any:
        """What the function returns. Raises :class:`BusyError`, ``TimeoutError`` past the deadline, else what it does;
        ``RuntimeError`` where it tried to end more than itself."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._deadline
        await self._enter(end)
        task = loop.create_task(self._work(values))
        self._tasks.add(task)
        task.add_done_callback(self._leave)
        try:
            await asyncio.wait({task}, timeout=max(0.0, end - loop.time()))
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not task.done():
            task.cancel()
            raise TimeoutError(f"nothing within {self._deadline:g} s")
        return task.result()

    async def close(self) -> None:
        """Cancel what still runs."""
        if not self._tasks:
            return
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=_END_PATIENCE)

    async def _enter(self, end: float) -> None:
        if self._waiting >= _MOST_WAITING:
            raise BusyError
        self._waiting += 1
        try:
            async with asyncio.timeout_at(end):
                await self._places.acquire()
        except TimeoutError:
            raise BusyError from None
        finally:
            self._waiting -= 1

    async def _work(self, values: dict[str, Any]) -> Any:
        late = asyncio.current_task()
        try:
            return await self._function(**values)
        except (SystemExit, KeyboardInterrupt) as error:  # which would end the loop
            raise RuntimeError(f"it raised {type(error).__name__}") from error
        except asyncio.CancelledError as error:
            if late is not None and late.cancelling():
                raise
            raise RuntimeError("it was cancelled from within") from error

    def _leave(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._places.release()
        if not task.cancelled():
            task.exception()  # of a late call nobody asks; the loop would complain of that
