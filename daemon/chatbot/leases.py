"""One holder of a key at a time: in this process in the order of asking, of all processes by a lease."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from daemon.chatbot.contract import MemoryAwayError

_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.25
"""Seconds between two tries to get what another process holds; each pause is twice the one before."""


class Turns:
    """Gives keys out within this process."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def held(self, key: str) -> AsyncIterator[None]:
        """Hold ``key`` for a block."""
        lock, users = self._waiting.get(key, (asyncio.Lock(), 0))
        self._waiting[key] = lock, users + 1
        try:
            async with lock:  # which is fair
                yield
        finally:
            lock, users = self._waiting.pop(key)
            if users > 1:
                self._waiting[key] = lock, users - 1


class Leases:
    """Gives keys out between processes. ``take(key, holder, lease)`` says whether the key is ``holder``'s now, also
    where it was before; ``give_back(key, holder)`` ends that. Both raise :class:`MemoryAwayError`."""

    def __init__(
        self,
        take: Callable[[str, str, float], Awaitable[bool]],
        give_back: Callable[[str, str], Awaitable[object]],
    ) -> None:
        self._take = take
        self._give_back = give_back
        self._turns = Turns()

    @asynccontextmanager
    async def held(self, key: str, lease: float) -> AsyncIterator[None]:
        """Hold ``key`` for a block of at most ``lease`` seconds, as :meth:`daemon.chatbot.contract.Memory.lock`."""
        # The others are asked by one of us at a time.
        async with self._turns.held(key):
            holder = secrets.token_hex(8)
            try:
                await self._get(key, holder, lease)
                yield
            finally:
                # What cannot be given back is free when its lease is over.
                with suppress(MemoryAwayError):
                    await self._give_back(key, holder)

    async def _get(self, key: str, holder: str, lease: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + lease + _LONGEST_PAUSE
        pause = _FIRST_PAUSE
        while not await self._take(key, holder, lease):
            if loop.time() > end:
                raise MemoryAwayError("somebody else is at it for longer than a lease")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
