"""The order of deliveries with one key: who is waited for, who waits, and who comes next.

What came earlier with the same source and key is waited for until it was tried once. One that failed, and waits for
another try or is at it, blocks a later one only while both hold: it has been failing for less than ``patience``, and
the later one has been due for less than that. So the waits for several that fail do not add up. One that is planned
for later and was not tried blocks nobody before it is due, nor does one that has ended.

So that a claim does not look at all that stands behind one that is not tried yet, such rows are marked: they ``wait``,
and are in no index that a claim reads. A mark is set where a row is lined up together with one before it, or while one
before it waits, and by the first claim that comes across it. Whatever ends the block (an attempt's end, a cancel) takes
the mark from the first of the key that waits, in the same transaction; the others wait for that one from then on. The
mark decides nothing: who has none is claimed by the rule alone.

On PostgreSQL a claim could set a mark in the moment in which another transaction ends the block, neither seeing the
other. So who takes marks away holds a lock together with all others who do, and who has set one looks again when it has
that lock alone: then the others have committed, or are yet to look. What slips through all the same (a row that was
stored behind one that turned out to be a double, or that came to its end meanwhile; one whose predecessors end and are
cancelled in the same moment) is found by looking at the first of each key now and then: see :func:`waiting_keys`.

Failing rows are never marked, for time frees them.

A row is lined up as it is stored on PostgreSQL. On SQLite, where each row of a group has to write a page of an index
for its key alone, it is stored ``fresh``, and for all of this it is not there yet: a claim begins by lining up many at
once, in the order of their ids (:func:`line_up`), and what no claim comes to is lined up every second, unless very many
come. What is fresh is pending, and in few indexes: who reads by others asks for it beside those that are lined up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

ENGINES: Final = ("sqlite", "postgresql")
_MARKS_LOCK: Final = 0x7061726C6D6B
"""The PostgreSQL advisory lock of who sets marks and who takes them away."""
_TOGETHER: Final = text(f"SELECT pg_advisory_xact_lock_shared({_MARKS_LOCK})")
_ALONE: Final = text(f"SELECT pg_advisory_xact_lock({_MARKS_LOCK})")

OrderKey = tuple[str, str]
"""A source and one of its keys."""

_EARLIER: Final = """
    SELECT 1 FROM deliveries AS earlier
    WHERE earlier.source = deliveries.source AND earlier.order_key = deliveries.order_key
        AND earlier.state IN ('pending', 'working') AND earlier.delivery_id < deliveries.delivery_id
"""
# The first by an index, and not whether any EXISTS: for that PostgreSQL may read the table, in the belief that it comes
# across one soon. Where there is none it would read all of it.
BEHIND_UNTRIED: Final = f"""
    (({_EARLIER} AND earlier.failing_since IS NULL AND NOT earlier.fresh
        AND (earlier.state = 'working' OR earlier.due_at <= :now)
        ORDER BY earlier.delivery_id LIMIT 1) IS NOT NULL)
"""
"""SQL: an earlier one that is due was not tried yet, or is at its first try."""
BEHIND_FAILING: Final = f"""
    (deliveries.due_at > :patient_since AND ({_EARLIER} AND earlier.failing_since > :patient_since
        ORDER BY earlier.failing_since LIMIT 1) IS NOT NULL)
"""
"""SQL: an earlier one fails, and is still waited for."""
ONE_OF: Final = {"sqlite": "IN (%s)", "postgresql": "= ANY (ARRAY(%s))"}
"""SQL: among what a query of few rows finds; each engine goes by these, and not by all that they are among."""
SKIP_LOCKED: Final = {"sqlite": "", "postgresql": "FOR UPDATE SKIP LOCKED"}


def given_rows(columns: dict[str, str], engine: str) -> str:
    """A query of the rows in ``:given``, a JSON array of objects with these members, of these PostgreSQL types."""
    if engine == "postgresql":
        named = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        return f"SELECT * FROM json_to_recordset(CAST(:given AS json)) AS rows({named})"  # noqa: S608
    named = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
    return f"SELECT {named} FROM json_each(:given)"  # noqa: S608


# On SQLite alone.
_LINE_UP: Final = text("""
    WITH new AS MATERIALIZED (
        SELECT delivery_id, source, order_key, order_key IS NOT NULL AND due_at <= :now AS may_wait
        FROM deliveries AS new WHERE fresh ORDER BY delivery_id LIMIT :most
    )
    UPDATE deliveries SET fresh = false, waits = found.behind
    FROM (
        SELECT delivery_id, may_wait AND (
            row_number() OVER (PARTITION BY source, order_key, may_wait ORDER BY delivery_id) > 1
            OR (
                SELECT 1 FROM deliveries AS earlier
                WHERE earlier.source = new.source AND earlier.order_key = new.order_key
                    AND earlier.delivery_id < new.delivery_id AND earlier.state = 'pending' AND earlier.waits
                ORDER BY earlier.delivery_id LIMIT 1
            ) IS NOT NULL
        ) AS behind
        FROM new
    ) AS found
    WHERE deliveries.delivery_id = found.delivery_id
""")

_KEY_COLUMNS: Final = {"source": "text", "order_key": "text"}
_FIRST_WAITING: Final = """
    SELECT waiting.delivery_id FROM deliveries AS waiting
    WHERE waiting.source = given.source AND waiting.order_key = given.order_key
        AND waiting.state = 'pending' AND waiting.waits
    ORDER BY waiting.delivery_id LIMIT 1
"""
# One that somebody else has his hands on is claimed or cancelled just now. To wait for him could be to wait for ever:
# he may be waiting for the lock that we have.
_RELEASE: Final = f"""
    UPDATE deliveries SET waits = false
    WHERE delivery_id IN (
        SELECT delivery_id FROM deliveries
        WHERE delivery_id %s AND state = 'pending' AND waits AND NOT {BEHIND_UNTRIED} %s
    )
"""  # noqa: S608 - no value stands in it


def _release(engine: str) -> str:
    firsts = f"SELECT ({_FIRST_WAITING}) FROM ({given_rows(_KEY_COLUMNS, engine)}) AS given"  # noqa: S608
    return _RELEASE % (ONE_OF[engine] % firsts, SKIP_LOCKED[engine])


_RELEASE_BY: Final = {engine: text(_release(engine)) for engine in ENGINES}


def _next_key(column: str) -> str:
    """Said in two steps: SQLite finds its way in an index by the first of a pair only."""
    waiting = f"SELECT {column} FROM deliveries WHERE state = 'pending' AND waits AND"  # noqa: S608
    return f"""
        coalesce(
            ({waiting} source = keys.source AND order_key > keys.order_key ORDER BY order_key LIMIT 1),
            ({waiting} source > keys.source ORDER BY source, order_key LIMIT 1)
        )
    """


# From key to key in the index, however many wait behind each.
_WAITING_KEYS: Final = f"""
    WITH RECURSIVE keys(source, order_key, number) AS (
        SELECT CAST(:source AS text) %s, CAST(:order_key AS text) %s, 0
        UNION ALL
        SELECT {_next_key("source")}, {_next_key("order_key")}, number + 1
        FROM keys WHERE number < :most AND source IS NOT NULL
    )
    SELECT source, order_key FROM keys WHERE number > 0 AND source IS NOT NULL
"""  # noqa: S608 - no value stands in it
_COLLATED: Final = {"sqlite": "", "postgresql": 'COLLATE "C"'}
_WAITING_KEYS_BY: Final = {engine: text(_WAITING_KEYS % ((_COLLATED[engine],) * 2)) for engine in ENGINES}


async def line_up(connection: AsyncConnection, now: float, *, most: int) -> None:
    """Let ``most`` of those that are fresh, the earliest, take their places among the others of their keys."""
    if connection.dialect.name == "sqlite":
        await connection.execute(_LINE_UP, {"now": now, "most": most})


async def any_fresh(connection: AsyncConnection) -> bool:
    """Whether there are some left that are to be lined up."""
    if connection.dialect.name != "sqlite":
        return False
    return await connection.scalar(text("SELECT delivery_id FROM deliveries WHERE fresh LIMIT 1")) is not None


async def release_next(
    connection: AsyncConnection, keys: Collection[OrderKey], now: float, *, marked: bool = False
) -> int:
    """Let the first that waits of each key be claimed, unless one before it was not tried yet; how many these are.

    ``marked``: this transaction has marked some of them itself.
    """
    if not keys:
        return 0
    if connection.dialect.name == "postgresql":
        await connection.execute(_ALONE if marked else _TOGETHER)
    given = [{"source": source, "order_key": order_key} for source, order_key in sorted(keys)]
    values = {"now": now, "given": msgspec.json.encode(given).decode()}
    return (await connection.execute(_RELEASE_BY[connection.dialect.name], values)).rowcount


async def waiting_keys(connection: AsyncConnection, *, after: OrderKey = ("", ""), most: int) -> Sequence[OrderKey]:
    """Up to ``most`` keys beyond ``after`` of which one waits, in their order.

    To :func:`release_next` what is found here, over and over, frees whatever was left behind.
    """
    values = {"source": after[0], "order_key": after[1], "most": most}
    return [
        (source, order_key)
        for source, order_key in await connection.execute(_WAITING_KEYS_BY[connection.dialect.name], values)
    ]
