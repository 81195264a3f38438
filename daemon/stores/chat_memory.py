"""What the chatbot remembers for a while: bytes by keys. Times are Unix seconds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import chat_memory
from daemon.stores.upsert import insert_into


async def get_memory(connection: AsyncConnection, key: str, *, now: float) -> bytes | None:
    """What is remembered of ``key``; ``None`` for nothing, and for what has expired."""
    lasts = chat_memory.c.expires_at.is_(None) | (chat_memory.c.expires_at > now)
    value: Any = await connection.scalar(select(chat_memory.c.value).where(chat_memory.c.key == key, lasts))
    return None if value is None else bytes(value)


async def set_memory(connection: AsyncConnection, key: str, value: bytes, *, expires_at: float | None) -> None:
    """Remember ``value`` of ``key`` until then, ``None`` for ever, in the place of what was."""
    statement = insert_into(connection, chat_memory).values(key=key, value=value, expires_at=expires_at)
    changes = {"value": statement.excluded.value, "expires_at": statement.excluded.expires_at}
    await connection.execute(statement.on_conflict_do_update(index_elements=[chat_memory.c.key], set_=changes))


async def delete_memory(connection: AsyncConnection, key: str) -> None:
    """Forget ``key``, if it is known."""
    await connection.execute(delete(chat_memory).where(chat_memory.c.key == key))


async def tidy_memory(connection: AsyncConnection, *, now: float) -> int:
    """Remove what has expired; returns how much that was."""
    return (await connection.execute(delete(chat_memory).where(chat_memory.c.expires_at <= now))).rowcount
