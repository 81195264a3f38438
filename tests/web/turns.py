"""Waiting for what happens in this very loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(true: Callable[[], bool]) -> None:
    """Give the loop turns until that holds: server and client run in it, so its turns are what there is to wait for."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - nothing announces what is waited for
            await asyncio.sleep(0)
