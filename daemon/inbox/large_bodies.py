"""Bodies that take too long to look through while others wait: half a second for a megabyte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

_LARGE: Final = 65_536
"""Bytes."""


async def look_through(body: bytes, look: Callable[[bytes], T]) -> T:
    """What ``look`` makes of ``body``; of a large one in a thread."""
    return await asyncio.to_thread(look, body) if len(body) > _LARGE else look(body)
