"""Whoever waits for what somebody else has changed and not committed yet."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from daemon.stores.database import Database


async def is_held_up(database: Database) -> bool:
    """Whether somebody waits for a row of another; on SQLite a second writer always does."""
    if not database.is_postgresql:
        return True
    held_up = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with database.read() as connection:
        return bool(await connection.scalar(text(held_up)))


async def until_held_up(database: Database, task: asyncio.Task[object]) -> None:
    """Wait until ``task`` is held up, or done without."""
    async with asyncio.timeout(5):
        while not task.done() and not await is_held_up(database):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)
