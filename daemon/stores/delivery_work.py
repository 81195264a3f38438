"""Deliveries at work: claimed by one process for a while, and handed back with what became of them.

Many at once, each time in few statements: what is handed over goes to the engine as one JSON text.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Text, bindparam, literal_column, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import deliveries

_WORKED: Final = (
    "delivery_id, source, event, other_id, order_key, received_at, attempts, attempts_allowed, replays, failing_since, "
    "done_by, address, redacted, headers, body"
)

# What came earlier with the same key is waited for until it was tried once. One that failed, and waits for another try
# or is at it, blocks a later one only while both hold: it has been failing for less than `patience`, and the later one
# has been due for less than that. So the waits for several that fail do not add up.
_FREE: Final = """
    state = 'pending' AND due_at <= :now AND (order_key IS NULL OR NOT EXISTS (
        SELECT 1 FROM deliveries AS earlier
        WHERE earlier.source = deliveries.source AND earlier.order_key = deliveries.order_key
            AND earlier.state IN ('pending', 'working') AND earlier.delivery_id < deliveries.delivery_id
            AND (CASE WHEN earlier.failing_since IS NULL THEN earlier.state = 'working' OR earlier.due_at <= :now
                ELSE earlier.failing_since > :patient_since AND deliveries.due_at > :patient_since END)
    ))
"""

# Both engines would read the rows again, for their bodies, if the statement did not return them.
_CLAIM: Final = f"""
    UPDATE deliveries SET state = 'working', holder = :holder, lease_until = :until, attempts = attempts + 1
    WHERE delivery_id IN (
        SELECT delivery_id FROM deliveries WHERE {_FREE} AND source NOT IN :full
        ORDER BY due_at, delivery_id LIMIT :most %s
    )
    RETURNING {_WORKED}
"""  # noqa: S608 - no value stands in it

_WORKED_COLUMNS: Final = {
    "delivery_id": "text",
    "attempt": "int",
    "state": "text",
    "due_at": "float8",
    "failing_since": "float8",
    "finished_at": "float8",
    "error": "text",
    "done_by": "text",
    "postponed": "int",
}
_RUN_COLUMNS: Final = {
    "delivery_id": "text",
    "attempt": "int",
    "handler": "text",
    "started_at": "float8",
    "finished_at": "float8",
    "outcome": "text",
    "error": "text",
}
_HAND_BACK: Final = """
    UPDATE deliveries SET state = given.state, due_at = coalesce(given.due_at, deliveries.due_at),
        failing_since = given.failing_since, finished_at = given.finished_at, error = given.error,
        done_by = given.done_by, holder = NULL, lease_until = NULL,
        attempts_allowed = deliveries.attempts_allowed + given.postponed
    FROM (%s) AS given
    WHERE deliveries.delivery_id = given.delivery_id AND deliveries.attempts = given.attempt
        AND deliveries.holder = :holder AND deliveries.state = 'working'
    RETURNING deliveries.delivery_id, deliveries.attempts
"""
_ADD_RUNS: Final = (
    f"INSERT INTO delivery_attempts ({', '.join(_RUN_COLUMNS)}) SELECT * FROM (%s) AS given WHERE true "  # noqa: S608
    "ON CONFLICT DO NOTHING"
)


def _given(columns: dict[str, str], engine: str) -> str:
    """A query of the rows in ``:given``, a JSON array of objects."""
    if engine == "postgresql":
        named = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        return f"SELECT * FROM json_to_recordset(CAST(:given AS json)) AS rows({named})"  # noqa: S608
    named = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
    return f"SELECT {named} FROM json_each(:given)"  # noqa: S608


_ENGINES: Final = ("sqlite", "postgresql")
_HAND_BACK_BY: Final = {engine: text(_HAND_BACK % _given(_WORKED_COLUMNS, engine)) for engine in _ENGINES}
_ADD_RUNS_BY: Final = {engine: text(_ADD_RUNS % _given(_RUN_COLUMNS, engine)) for engine in _ENGINES}


class DeliveryState(StrEnum):
    """Where a delivery is. The last three end it, until it is replayed."""

    PENDING = "pending"
    WORKING = "working"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


class ClaimedRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A delivery that is this process' to work on. ``attempts`` counts this one."""

    delivery_id: str
    source: str
    event: str
    other_id: str | None
    order_key: str | None
    received_at: float
    attempts: int
    attempts_allowed: int
    replays: int
    failing_since: float | None
    done_by: str
    address: str
    redacted: bool
    headers: str
    body: bytes


class RunOutcome(StrEnum):
    """How one run of a handler ended."""

    DONE = "done"
    FAILED = "failed"
    """It may be tried again."""
    REFUSED = "refused"
    """Another try would be of no use."""
    LOST = "lost"
    """Its process went away."""


class RunRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One run of ``handler`` (``""``: of whichever it was), in Unix seconds; ``error`` is why it failed."""

    delivery_id: str
    attempt: int
    handler: str
    started_at: float
    finished_at: float
    outcome: RunOutcome
    error: str = ""


class WorkedRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What becomes of a delivery after an attempt. ``due_at`` is for one that is pending again.

    ``postponed`` is 1 where nothing was tried: the attempt does not count.
    """

    delivery_id: str
    attempt: int
    state: DeliveryState
    due_at: float | None = None
    failing_since: float | None = None
    finished_at: float | None = None
    error: str = ""
    done_by: str = "[]"
    postponed: int = 0


async def claim_deliveries(
    connection: AsyncConnection,
    holder: str,
    *,
    now: float,
    until: float,
    most: int,
    patience: float,
    full: Sequence[str] = (),
) -> list[ClaimedRow]:
    """Up to ``most`` that are due, ``holder``'s alone until ``until`` (Unix seconds), those due longest first.

    None is of a source in ``full``. One waits ``patience`` seconds at most, from when it is due, for the retries of all
    others with its key.
    """
    lock = "FOR UPDATE SKIP LOCKED" if connection.dialect.name == "postgresql" else ""
    values = {"now": now, "patient_since": now - patience, "holder": holder, "until": until, "most": most}
    claim = text(_CLAIM % lock).bindparams(bindparam("full", value=list(full), type_=Text, expanding=True))
    rows = [_claimed(row) for row in await connection.execute(claim, values)]
    return sorted(rows, key=lambda row: row.delivery_id)


async def hand_back_deliveries(
    connection: AsyncConnection, holder: str, worked: Sequence[WorkedRow], runs: Sequence[RunRow]
) -> set[tuple[str, int]]:
    """Store what became of deliveries, and their runs. Those (id, attempt) that were still ``holder``'s: no other is
    touched."""
    values = {"holder": holder, "given": msgspec.json.encode(worked).decode()}
    rows = await connection.execute(_HAND_BACK_BY[connection.dialect.name], values)
    kept = {(delivery_id, attempt) for delivery_id, attempt in rows}
    await add_runs(connection, [run for run in runs if (run.delivery_id, run.attempt) in kept])
    return kept


async def add_runs(connection: AsyncConnection, runs: Sequence[RunRow]) -> None:
    """Store runs of handlers; one that is there already stays as it is."""
    if runs:
        given = msgspec.json.encode(runs).decode()
        await connection.execute(_ADD_RUNS_BY[connection.dialect.name], {"given": given})


async def renew_leases(connection: AsyncConnection, holder: str, ids: Sequence[str], until: float) -> int:
    """Let those that ``holder`` works on be its own until ``until``; how many these are."""
    own = (deliveries.c.state == "working") & (deliveries.c.holder == holder) & deliveries.c.delivery_id.in_(ids)
    return (await connection.execute(update(deliveries).where(own).values(lease_until=until))).rowcount


class LostRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A delivery whose process went away while it worked on it."""

    delivery_id: str
    attempts: int
    attempts_allowed: int
    holder: str
    failing_since: float | None
    done_by: str


async def lost_deliveries(
    connection: AsyncConnection,
    now: float,
    *,
    holder: str | None = None,
    apart_from: Sequence[str] = (),
    most: int = 500,
) -> list[LostRow]:
    """Those whose lease is over, or that were ``holder``'s, ``apart_from`` some; locked until the end of the
    transaction."""
    which = deliveries.c.lease_until < now if holder is None else deliveries.c.holder == holder
    # The index of leases is of these alone, which the engines see where it is said as the index says it.
    working = deliveries.c.state == literal_column("'working'")
    columns = [deliveries.c[name] for name in LostRow.__struct_fields__]
    query = select(*columns).where(working, which, deliveries.c.delivery_id.not_in(apart_from)).limit(most)
    rows = await connection.execute(query.with_for_update(skip_locked=True))
    return [LostRow(**row._mapping) for row in rows]


async def next_due(connection: AsyncConnection) -> float | None:
    """When the next pending one is due, in Unix seconds; ``None``: there is none."""
    found: float | None = await connection.scalar(text("SELECT min(due_at) FROM deliveries WHERE state = 'pending'"))
    return found


def _claimed(row: Any) -> ClaimedRow:
    values = dict(row._mapping)
    values["redacted"] = bool(values["redacted"])
    return ClaimedRow(**values)
