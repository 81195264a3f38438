"""What was answered already: noted after each message that is posted."""

from __future__ import annotations

from typing import Final

import msgspec

from daemon.chatbot.contract import Memory

_LASTS: Final = 172_800.0
"""Seconds: the inbox has given up a delivery long before."""


class Note(msgspec.Struct, frozen=True):
    """How far one answer is: ``posted`` are the ids of its messages that went out."""

    posted: tuple[str, ...] = ()
    is_done: bool = False


class Answered:
    """The notes, by the id of what was said. Each method raises ``MemoryAwayError``."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def get(self, said_id: str) -> Note | None:
        """The note of it; ``None``: nobody has begun to answer it."""
        found = await self._memory.get(_key(said_id))
        try:
            return None if found is None else msgspec.json.decode(found, type=Note)
        except msgspec.DecodeError:
            return None

    async def set(self, said_id: str, note: Note) -> None:
        """Note it."""
        await self._memory.set(_key(said_id), msgspec.json.encode(note), expires_in=_LASTS)


def _key(said_id: str) -> str:
    return f"webex:answered:{said_id}"
