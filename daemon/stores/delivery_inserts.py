"""Deliveries into the store: many in one statement, each accepted once.

How many can be accepted in a second is decided here, so both engines are spoken to in their own tongue: one statement
with all rows of a group, and a second one only where some of them were there already.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import deliveries

_COLUMNS: Final = (
    "delivery_id",
    "source",
    "event",
    "other_id",
    "order_key",
    "received_at",
    "due_at",
    "attempts_allowed",
    "address",
    "redacted",
    "headers",
    "body",
)
_TYPES: Final = ["text", "text", "text", "text", "text", "float8", "float8", "int", "text", "bool", "text", "bytea"]
_CONSTANTS: Final = {
    "state": "'pending'",
    "attempts": "0",
    "replays": "0",
    "error": "''",
    "done_by": "'[]'",
}
_INTO: Final = f"INSERT INTO deliveries ({', '.join((*_COLUMNS, *_CONSTANTS))})"
_ONCE: Final = "ON CONFLICT DO NOTHING RETURNING delivery_id"
_ROW: Final = f"({', '.join(('?',) * len(_COLUMNS))}, {', '.join(_CONSTANTS.values())})"
_POSTGRESQL: Final = (
    f"{_INTO} SELECT *, {', '.join(_CONSTANTS.values())} FROM unnest("  # noqa: S608 - no value stands in it
    + ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(_TYPES, 1))
    + f") {_ONCE}"
)
_ROWS_AT_ONCE: Final = 500
"""Rows of one statement: SQLite takes 32,766 values at most."""


class NewDelivery(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A delivery that is to be stored. ``headers`` is a JSON array of pairs; times are Unix seconds.

    ``other_id`` is the provider's id of it, ``None`` where it has none: then it is never a double. What has an
    ``order_key`` is worked after what came before it with the same source and key. ``redacted``: something sensitive
    was taken out of the body.
    """

    delivery_id: str
    source: str
    event: str
    other_id: str | None = None
    order_key: str | None = None
    received_at: float
    due_at: float
    attempts_allowed: int
    address: str = ""
    redacted: bool = False
    headers: str = "[]"
    body: bytes


class Fate(StrEnum):
    """What the store did with a delivery."""

    STORED = "stored"
    DOUBLE = "double"
    """It was there, and is being worked on or done."""
    REVIVED = "revived"
    """It was there, dead: it is pending again."""


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """``delivery_id`` is that of the stored row, which for a double is another than was given."""

    delivery_id: str
    fate: Fate


async def add_deliveries(connection: AsyncConnection, rows: Sequence[NewDelivery]) -> list[Accepted]:
    """Store all of ``rows`` that are not there yet, and say of each what became of it, in their order."""
    inserted: set[str] = set()
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        inserted |= await _insert(connection, rows[first : first + _ROWS_AT_ONCE])
    return [
        Accepted(row.delivery_id, Fate.STORED) if row.delivery_id in inserted else await _again(connection, row)
        for row in rows
    ]


async def _insert(connection: AsyncConnection, rows: Sequence[NewDelivery]) -> set[str]:
    values = [tuple(getattr(row, name) for name in _COLUMNS) for row in rows]
    if connection.dialect.name == "postgresql":
        columns = tuple(list(column) for column in zip(*values, strict=True))
        result = await connection.exec_driver_sql(_POSTGRESQL, columns)
    else:
        statement = f"{_INTO} VALUES {', '.join([_ROW] * len(rows))} {_ONCE}"
        result = await connection.exec_driver_sql(statement, tuple(value for row in values for value in row))
    return set(result.scalars())


async def _again(connection: AsyncConnection, row: NewDelivery) -> Accepted:
    """It is there already, or came twice in one group. What is dead gets another life."""
    same = (deliveries.c.source == row.source) & (deliveries.c.other_id == row.other_id)
    there = (await connection.execute(select(deliveries.c.delivery_id, deliveries.c.attempts).where(same))).one()
    reviving = (
        update(deliveries)
        .where(deliveries.c.delivery_id == there.delivery_id, deliveries.c.state == "dead")
        .values(
            state="pending",
            due_at=row.due_at,
            attempts_allowed=deliveries.c.attempts + row.attempts_allowed,
            failing_since=None,
            finished_at=None,
        )
    )
    revived = (await connection.execute(reviving)).rowcount
    return Accepted(there.delivery_id, Fate.REVIVED if revived else Fate.DOUBLE)
