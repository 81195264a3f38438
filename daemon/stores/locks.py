"""Locks across processes that last only so long: who dies with one in hand blocks the others no longer than that.

Made for work that waits for somebody else (a PBX), which no transaction should be kept open for.
"""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import locks
from daemon.stores.upsert import insert_into


async def take_lock(connection: AsyncConnection, name: str, holder: str, *, now: float, until: float) -> bool:
    """Let ``name`` be ``holder``'s until ``until`` (Unix seconds). False: it is somebody else's now.

    Taking what one holds already makes it last longer.
    """
    taking = insert_into(connection, locks).values(name=name, holder=holder, until=until)
    free = (locks.c.until <= now) | (locks.c.holder == holder)
    taking = taking.on_conflict_do_update(
        index_elements=[locks.c.name], set_={"holder": holder, "until": until}, where=free
    )
    return bool((await connection.execute(taking)).rowcount)


async def give_lock_back(connection: AsyncConnection, name: str, holder: str) -> bool:
    """Let others have it. False: it was not ``holder``'s any more."""
    result = await connection.execute(delete(locks).where(locks.c.name == name, locks.c.holder == holder))
    return result.rowcount > 0
