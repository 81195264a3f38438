"""What the tables of calls that Parley places have in common: who asked with which key, and how often within a time.

Such a table has ``actor``, ``request_key`` (``None`` where nothing was placed, or the key may be used again) and
``created_at`` (Unix seconds).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Table, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection


async def lock_placing_in(table: Table, connection: AsyncConnection) -> None:
    """Let nobody else place one until the end of the transaction, so that what is counted stays true.

    On SQLite every writing transaction is alone already.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))


async def marked_with_key(table: Table, connection: AsyncConnection, actor: str, request_key: str) -> Row[Any] | None:
    """The row that ``actor`` marked with that key."""
    marked = (table.c.actor == actor) & (table.c.request_key == request_key)
    return (await connection.execute(select(table).where(marked))).first()


async def free_keys_of(table: Table, connection: AsyncConnection, before: float) -> None:
    """Let the keys of what was placed before that be used again."""
    old = (table.c.created_at < before) & table.c.request_key.is_not(None)
    await connection.execute(update(table).where(old).values(request_key=None))


async def times_since(table: Table, connection: AsyncConnection, since: float, actor: str | None = None) -> list[float]:
    """When each was placed since then, at most a day ago, oldest first: by ``actor``, or by anybody.

    What placed nothing has no key any more and is not one of them.
    """
    query = select(table.c.created_at).where((table.c.created_at > since) & table.c.request_key.is_not(None))
    if actor is not None:
        query = query.where(table.c.actor == actor)
    return list(await connection.scalars(query.order_by(table.c.created_at)))
