"""Steps of services, each done within its time or left alone."""

from __future__ import annotations

import asyncio
from typing import Final

from daemon.chatbot.definition import Step
from daemon.chatbot.turn import Reply, Turn

_TO_END: Final = 1.0
"""Seconds for what was cut off to undo what it has begun."""


class Steps:
    """Each may take ``deadline`` seconds."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._under_way: set[asyncio.Task[Reply]] = set()

    async def take(self, step: Step, turn: Turn) -> Reply:
        """What it replies.

        Raises ``TimeoutError`` where that takes too long, whether the step lets itself be cut off or not, and what the
        step raises; ``RuntimeError`` where it tried to end more than itself.
        """
        task = asyncio.get_running_loop().create_task(_taken(step, turn))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._deadline)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=_TO_END)
        if not done:
            raise TimeoutError(f"no reply within {self._deadline:g} s")
        return task.result()

    def _ended(self, task: asyncio.Task[Reply]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # of a late one nobody asks; the loop would complain of that


async def _taken(step: Step, turn: Turn) -> Reply:
    task = asyncio.current_task()
    try:
        return await step(turn)
    except (SystemExit, KeyboardInterrupt, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise
        # Any of them would pass for the end of whoever waits, or of the loop.
        text = f"it raised {type(error).__name__}"
        raise RuntimeError(text).with_traceback(error.__traceback__) from None
