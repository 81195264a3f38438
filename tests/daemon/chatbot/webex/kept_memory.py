"""What a bot remembers, kept as files, so that it outlives a process that is killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

from daemon.chatbot.contract import Memory, MemoryAwayError


class KeptMemory(Memory):
    """In ``folder``. Nothing ever expires. ``is_away``: it answers nobody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)
        self._locks: dict[str, asyncio.Lock] = {}
        self.is_away = False

    async def get(self, key: str) -> bytes | None:
        path = self._path(key)
        return path.read_bytes() if path.exists() else None

    async def set(self, key: str, value: bytes, *, expires_in: float | None = None) -> None:
        self._path(key).write_bytes(value)

    async def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    @asynccontextmanager
    async def lock(self, key: str, *, lease: float) -> AsyncIterator[None]:
        async with self._locks.setdefault(key, asyncio.Lock()):
            yield

    def _path(self, key: str) -> Path:
        if self.is_away:
            raise MemoryAwayError("it was taken away by the test")
        return self._folder / sha256(key.encode()).hexdigest()
