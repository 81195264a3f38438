"""What the tables of calls that Parley places have in common: who asked with which key, and how often within a time.

Such a table has ``actor``, ``request_key`` (``None`` where nothing was placed, or the key may be used again) and
``created_at`` (Unix seconds).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Row, Table, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

_DAY: Final = 86_400.0
_HOUR: Final = 3_600.0


class KeyUsedError(Exception):
    """The key was used for another request within a day. The text is for people."""


class TooManyPlacedError(Exception):
    """A limit is reached; ``retry_after`` is in seconds. The text is for people."""

    def __init__(self, text: str, *, retry_after: float) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Asked(msgspec.Struct, frozen=True, gc=False):
    """Who asks for a call, with which key, for what (a hash of it), and when (Unix seconds)."""

    actor: str
    request_key: str
    request: str
    at: float


class HourlyLimits(msgspec.Struct, frozen=True, gc=False):
    """How many calls may be placed within an hour: by one actor, and by all."""

    per_user: int
    all: int


async def placed_before_in(
    table: Table, connection: AsyncConnection, asked: Asked, limits: HourlyLimits
) -> Row[Any] | None:
    """What was placed for that very request; ``None``: nothing was, and a row may be added in this transaction, in
    which nobody else adds one.

    Raises :class:`KeyUsedError` and :class:`TooManyPlacedError`.
    """
    await lock_placing_in(table, connection)
    await free_keys_of(table, connection, asked.at - _DAY)
    placed = await marked_with_key(table, connection, asked.actor, asked.request_key)
    if placed is not None:
        if placed.request != asked.request:
            raise KeyUsedError("this key was used for another request within a day; use a new one")
        return placed
    own = await times_since(table, connection, asked.at - _HOUR, asked.actor)
    everybodys = await times_since(table, connection, asked.at - _HOUR)
    for times, most in ((own, limits.per_user), (everybodys, limits.all)):
        if len(times) >= most:
            wait = times[len(times) - most] + _HOUR - asked.at
            raise TooManyPlacedError(f"{most} calls within an hour are the most", retry_after=max(1.0, wait))
    return None


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
