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

from daemon.stores.delivery_order import (
    BEHIND_FAILING,
    BEHIND_UNTRIED,
    ENGINES,
    ONE_OF,
    SKIP_LOCKED,
    given_rows,
    line_up,
    release_next,
)
from daemon.stores.schema import deliveries

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
        waits = false,
        attempts_allowed = deliveries.attempts_allowed + given.postponed
    FROM (%s) AS given
    WHERE deliveries.delivery_id = given.delivery_id AND deliveries.attempts = given.attempt
        AND deliveries.holder = :holder AND deliveries.state = 'working'
    RETURNING deliveries.delivery_id, deliveries.attempts, deliveries.source, deliveries.order_key
"""
_ADD_RUNS: Final = (
    f"INSERT INTO delivery_attempts ({', '.join(_RUN_COLUMNS)}) SELECT * FROM (%s) AS given WHERE true "  # noqa: S608
    "ON CONFLICT DO NOTHING"
)


_HAND_BACK_BY: Final = {engine: text(_HAND_BACK % given_rows(_WORKED_COLUMNS, engine)) for engine in ENGINES}
_ADD_RUNS_BY: Final = {engine: text(_ADD_RUNS % given_rows(_RUN_COLUMNS, engine)) for engine in ENGINES}


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


_LINED_UP_PER_CLAIM: Final = 4
"""Times as many are lined up as are claimed at most: some of them wait for others."""
_CLAIMED: Final = ", ".join(f"deliveries.{name}" for name in ClaimedRow.__struct_fields__)
# Of what is due and not marked: those that may be worked on, and those that are to be marked, for they stand behind one
# that is not tried yet. Both engines would read the rows again, for their bodies, if the statement did not return them.
_CLAIM: Final = f"""
    UPDATE deliveries SET waits = found.behind,
        state = CASE WHEN found.behind THEN 'pending' ELSE 'working' END,
        holder = CASE WHEN found.behind THEN NULL ELSE :holder END,
        lease_until = CASE WHEN found.behind THEN NULL ELSE CAST(:until AS float8) END,
        attempts = attempts + CASE WHEN found.behind THEN 0 ELSE 1 END
    FROM (
        SELECT delivery_id, order_key IS NOT NULL AND {BEHIND_UNTRIED} AS behind FROM deliveries
        WHERE state = 'pending' AND NOT waits AND NOT fresh AND due_at <= :now AND source NOT IN :full AND (
            order_key IS NULL
            OR CASE WHEN {BEHIND_UNTRIED} THEN failing_since IS NULL ELSE NOT {BEHIND_FAILING} END
        )
        ORDER BY due_at, delivery_id LIMIT :most %s
    ) AS found
    WHERE deliveries.delivery_id = found.delivery_id
    RETURNING {_CLAIMED}, deliveries.waits
"""  # noqa: S608 - no value stands in it

# The next of a key after one that was claimed, as many as stand there one after another, due and not tried. One that is
# at work, planned for later, or that somebody has his hands on now ends the row, for what is behind it waits for it.
_NEAR: Final = """
    SELECT %s FROM deliveries AS later
    WHERE later.source = given.source AND later.order_key = given.order_key
        AND later.state IN ('pending', 'working') AND later.failing_since IS NULL AND NOT later.fresh
        AND later.delivery_id > given.delivery_id
    ORDER BY later.delivery_id LIMIT :most
"""
# Each engine has its own way to do this once for each that is given.
_NEAR_BY: Final = {
    "sqlite": f"JOIN deliveries AS near ON near.delivery_id IN ({_NEAR % 'delivery_id'})",
    "postgresql": f"CROSS JOIN LATERAL ({_NEAR % 'delivery_id, source, order_key, state, due_at'}) AS near",
}
_FOLLOWING: Final = f"""
    WITH near AS MATERIALIZED (
        SELECT near.delivery_id, near.source, near.order_key, near.state = 'pending' AND near.due_at <= :now AS ready
        FROM (%(given)s) AS given %(near)s
        WHERE (
            SELECT 1 FROM deliveries AS failing
            WHERE failing.source = given.source AND failing.order_key = given.order_key
                AND failing.state IN ('pending', 'working') AND failing.failing_since > :patient_since
            ORDER BY failing.failing_since LIMIT 1
        ) IS NULL
    ), ours AS MATERIALIZED (
        SELECT delivery_id FROM deliveries
        WHERE delivery_id %(ready)s AND state = 'pending' %(lock)s
    ), lined_up AS (
        SELECT near.delivery_id, min(CASE WHEN near.ready AND ours.delivery_id IS NOT NULL THEN 1 ELSE 0 END)
            OVER (PARTITION BY near.source, near.order_key ORDER BY near.delivery_id) AS unbroken
        FROM near LEFT JOIN ours ON ours.delivery_id = near.delivery_id
    )
    UPDATE deliveries SET waits = true, state = 'working', holder = :holder, lease_until = :until,
        attempts = attempts + 1
    WHERE delivery_id IN (SELECT delivery_id FROM lined_up WHERE unbroken = 1)
    RETURNING {_CLAIMED}
"""  # noqa: S608 - no value stands in it
_AFTER_COLUMNS: Final = {"source": "text", "order_key": "text", "delivery_id": "text"}
_CLAIM_BY: Final = {engine: _CLAIM % SKIP_LOCKED[engine] for engine in ENGINES}


def _following(engine: str) -> str:
    ready = ONE_OF[engine] % "SELECT delivery_id FROM near WHERE ready"
    given = given_rows(_AFTER_COLUMNS, engine)
    return _FOLLOWING % {"given": given, "near": _NEAR_BY[engine], "ready": ready, "lock": SKIP_LOCKED[engine]}


_FOLLOWING_BY: Final = {engine: text(_following(engine)) for engine in ENGINES}


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
    others with its key. Where there are fewer, more may be found by claiming again, while
    :func:`~daemon.stores.delivery_order.any_fresh`.
    """
    await line_up(connection, now, most=most * _LINED_UP_PER_CLAIM)
    values = {"now": now, "patient_since": now - patience, "holder": holder, "until": until}
    claim = text(_CLAIM_BY[connection.dialect.name])
    claim = claim.bindparams(bindparam("full", value=list(full), type_=Text, expanding=True))
    claimed: list[ClaimedRow] = []
    while True:
        found = (await connection.execute(claim, values | {"most": most - len(claimed)})).all()
        # One that is marked now took the place of another, and is not come across again.
        claimed += [_claimed(row) for row in found if not row.waits]
        marked = {(row.source, row.order_key) for row in found if row.waits}
        await release_next(connection, marked, now, marked=True)
        if len(claimed) == most or not marked:
            return sorted(claimed, key=lambda row: row.delivery_id)


async def claim_following(
    connection: AsyncConnection,
    holder: str,
    firsts: Sequence[ClaimedRow],
    *,
    now: float,
    until: float,
    most: int,
    patience: float,
) -> list[ClaimedRow]:
    """What may be worked after each of ``firsts``, just claimed in this transaction, when those before it have ended.

    Up to ``most`` for each, in the order of their ids. There are none for one without a key or that has failed before,
    nor where an earlier one of the key fails and may be waited for. Who finds that one fails hands the rest back.
    """
    given = [
        {"source": row.source, "order_key": row.order_key, "delivery_id": row.delivery_id}
        for row in firsts
        if row.order_key is not None and row.failing_since is None
    ]
    if not given or most < 1:
        return []
    values = {"now": now, "patient_since": now - patience, "holder": holder, "until": until, "most": most}
    values["given"] = msgspec.json.encode(given).decode()
    rows = await connection.execute(_FOLLOWING_BY[connection.dialect.name], values)
    return sorted(map(_claimed, rows), key=lambda row: row.delivery_id)


async def hand_back_deliveries(
    connection: AsyncConnection, holder: str, worked: Sequence[WorkedRow], runs: Sequence[RunRow], *, now: float
) -> set[tuple[str, int]]:
    """Store what became of deliveries, and their runs. Those (id, attempt) that were still ``holder``'s: no other is
    touched. Who waited for one of them is free at ``now``."""
    values = {"holder": holder, "given": msgspec.json.encode(worked).decode()}
    rows = (await connection.execute(_HAND_BACK_BY[connection.dialect.name], values)).all()
    kept = {(row.delivery_id, row.attempts) for row in rows}
    await add_runs(connection, [run for run in runs if (run.delivery_id, run.attempt) in kept])
    await release_next(connection, {(row.source, row.order_key) for row in rows if row.order_key is not None}, now)
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
    """A delivery whose process went away while it worked on it, or ``waits``: on another of its key, before it."""

    delivery_id: str
    attempts: int
    attempts_allowed: int
    holder: str
    failing_since: float | None
    done_by: str
    waits: bool


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
    """When the next pending one that waits for no other is due, in Unix seconds; ``None``: there is none."""
    found: float | None = await connection.scalar(
        text("SELECT min(due_at) FROM deliveries WHERE state = 'pending' AND NOT waits AND NOT fresh")
    )
    return found


def _claimed(row: Any) -> ClaimedRow:
    values = dict(zip(ClaimedRow.__struct_fields__, row, strict=False))
    values["redacted"] = bool(values["redacted"])
    return ClaimedRow(**values)
