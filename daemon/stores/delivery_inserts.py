"""Deliveries into the store: many in one statement, each accepted once.

How many can be accepted in a second is decided here, so both engines are spoken to in their own tongue: one statement
with all rows of a group, and a second one only where some of them were there already.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Final

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.database import Database
from daemon.stores.schema import deliveries
from daemon.stores.upsert import insert_into

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
_values: Final = attrgetter(*_COLUMNS)
_CONSTANTS: Final = {
    "state": "'pending'",
    "attempts": "0",
    "replays": "0",
    "error": "''",
    "done_by": "'[]'",
}
# SQLite writes a page at a time, so a row costs what it touches: what goes by its key is done for many at once, later.
_FRESH: Final = _CONSTANTS | {"waits": "false", "fresh": "true"}
_SQLITE: Final = f"INSERT INTO deliveries ({', '.join((*_COLUMNS, *_FRESH))}) VALUES "  # noqa: S608 - no value in it
_SQLITE_ROW: Final = f"({', '.join((*('?' for _ in _COLUMNS), *_FRESH.values()))})"
_TYPES: Final = [
    "text",
    "text",
    "text",
    "text",
    "text",
    "float8",
    "float8",
    "int",
    "text",
    "bool",
    "text",
    "bytea",
    "bool",
]
# Whether others of its key wait already: then so does this one.
_BEHIND: Final = """(
    SELECT 1 FROM deliveries AS earlier
    WHERE earlier.source = new.source AND earlier.order_key = new.order_key AND earlier.delivery_id < new.delivery_id
        AND earlier.state = 'pending' AND earlier.waits
    ORDER BY earlier.delivery_id LIMIT 1
) IS NOT NULL"""
_GIVEN: Final = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(_TYPES, 1))
_POSTGRESQL: Final = f"""
    INSERT INTO deliveries ({", ".join((*_COLUMNS, *_CONSTANTS, "waits"))})
    SELECT {", ".join((*_COLUMNS, *_CONSTANTS.values()))}, waits OR due_at <= received_at AND {_BEHIND}
    FROM unnest({_GIVEN}) AS new({", ".join((*_COLUMNS, "waits"))})
    ON CONFLICT DO NOTHING RETURNING delivery_id
"""  # noqa: S608 - no value stands in it
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


async def add_deliveries(database: Database, rows: Sequence[NewDelivery]) -> list[Accepted]:
    """Store all of ``rows`` that are not there yet, and say of each what became of it, in their order.

    Raises :class:`~daemon.stores.database.DatabaseAwayError`, after which some may be stored, and
    :class:`~daemon.stores.database.RowRefusedError`.
    """
    inserted: set[str] = set()
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        inserted |= await _insert(database, rows[first : first + _ROWS_AT_ONCE])
    if len(inserted) == len(rows):
        return [Accepted(row.delivery_id, Fate.STORED) for row in rows]
    async with database.transaction(urgent=True) as connection:
        accepted = [
            Accepted(row.delivery_id, Fate.STORED) if row.delivery_id in inserted else await _again(connection, row)
            for row in rows
        ]
    gone = [row for row, one in zip(rows, accepted, strict=True) if one is None]
    anew = iter(await add_deliveries(database, gone) if gone else ())
    return [one or next(anew) for one in accepted]


async def add_delivery(connection: AsyncConnection, row: NewDelivery) -> None:
    """Store ``row`` as part of what else ``connection`` writes; one that is there already stays as it is.

    Only for one without an ``order_key``: whether it would have to wait for others cannot be told before they are
    committed.
    """
    if row.order_key is not None:
        raise ValueError("what has a key is stored by itself")
    given = {name: getattr(row, name) for name in _COLUMNS}
    new = {"waits": False, "state": "pending", "attempts": 0, "replays": 0, "error": "", "done_by": "[]"}
    await connection.execute(insert_into(connection, deliveries).values(given | new).on_conflict_do_nothing())


async def _insert(database: Database, rows: Sequence[NewDelivery]) -> set[str]:
    """Store rows in one transaction; the ids of those that were not there yet."""
    if database.is_postgresql:
        values = [(*_values(row), waits) for row, waits in zip(rows, _waiting(rows), strict=True)]
        async with database.driver() as driver:
            return {record[0] for record in await driver.fetch(_POSTGRESQL, *map(list, zip(*values, strict=True)))}
    ids = [row.delivery_id for row in rows]
    if await database.write(*sqlite_insert(rows)) == len(rows):
        return set(ids)
    async with database.read() as connection:
        stored = await connection.scalars(select(deliveries.c.delivery_id).where(deliveries.c.delivery_id.in_(ids)))
        return set(stored)


def sqlite_insert(rows: Sequence[NewDelivery]) -> tuple[str, list[object]]:
    """A statement of SQLite with its values that stores those of ``rows`` that are not there yet, 500 at most.

    Where it changes fewer rows than there are, or fails, :func:`add_deliveries` of the same says what became of each.
    """
    # RETURNING would hand over row by row, and wait for Python's lock each time.
    return _sqlite_statement(len(rows)), [*chain.from_iterable(map(_values, rows))]


@lru_cache(maxsize=64)
def _sqlite_statement(rows: int) -> str:
    return f"{_SQLITE}{', '.join([_SQLITE_ROW] * rows)} ON CONFLICT DO NOTHING"


def _waiting(rows: Sequence[NewDelivery]) -> list[bool]:
    """Of rows that are stored together: whether one stands behind another of its key.

    Then that one is there, not tried, from the moment on in which this one is there. If it turns out to be a double,
    :func:`~daemon.stores.delivery_order.waiting_keys` finds those that were behind it.
    """
    firsts: dict[tuple[str, str | None], str] = {}
    waits = []
    for row in rows:
        first = row.delivery_id
        if row.order_key is not None and row.due_at <= row.received_at:
            first = firsts.setdefault((row.source, row.order_key), first)
        waits.append(first < row.delivery_id)
    return waits


async def _again(connection: AsyncConnection, row: NewDelivery) -> Accepted | None:
    """It is there already, or came twice in one group. What is dead gets another life.

    ``None``: what was there has been deleted since.
    """
    same = deliveries.c.delivery_id == row.delivery_id
    if row.other_id is not None:
        same |= (deliveries.c.source == row.source) & (deliveries.c.other_id == row.other_id)
    there = (await connection.execute(select(deliveries.c.delivery_id).where(same))).first()
    if there is None:
        return None
    if there.delivery_id == row.delivery_id:
        # It was stored by a try before, of which nobody knew the end.
        return Accepted(row.delivery_id, Fate.STORED)
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
