"""Whose turn it is to write."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """One after another, in the order in which they came. Those who keep an order among themselves share a turn.

    Whoever comes while somebody waits waits too: nobody is passed by for ever.
    """

    def __init__(self) -> None:
        self._sharing = 0
        self._is_alone = False
        self._waiting: deque[tuple[bool, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """A turn that nobody shares."""
        await self._enter(alone=True)
        try:
            yield
        finally:
            self._is_alone = False
            self._pass_on()

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """A turn that is shared with others like this one."""
        await self._enter(alone=False)
        try:
            yield
        finally:
            self._sharing -= 1
            self._pass_on()

    async def _enter(self, *, alone: bool) -> None:
        if not self._waiting and self._fits(alone):
            self._begin(alone)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = (alone, turn)
        self._waiting.append(waiting)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove(waiting)
            elif alone:  # it came in the same moment
                self._is_alone = False
            else:
                self._sharing -= 1
            self._pass_on()
            raise

    def _fits(self, alone: bool) -> bool:
        return not self._is_alone and not (alone and self._sharing)

    def _begin(self, alone: bool) -> None:
        if alone:
            self._is_alone = True
        else:
            self._sharing += 1

    def _pass_on(self) -> None:
        while self._waiting and self._fits(self._waiting[0][0]):
            alone, turn = self._waiting[0]
            if turn.cancelled():
                # Who waited takes it out, when the cancellation comes to them.
                return
            self._waiting.popleft()
            self._begin(alone)
            turn.set_result(None)
