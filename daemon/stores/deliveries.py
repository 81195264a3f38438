"""Deliveries as people look at them: one whole, pages of them, counts; and what people do to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import (
    Boolean,
    LargeBinary,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from daemon.stores.delivery_order import release_next
from daemon.stores.delivery_work import DeliveryState, RunOutcome, RunRow
from daemon.stores.schema import deliveries, delivery_attempts

_LISTED: Final = (
    deliveries.c.delivery_id,
    deliveries.c.source,
    deliveries.c.event,
    deliveries.c.other_id,
    deliveries.c.order_key,
    deliveries.c.state,
    deliveries.c.received_at,
    deliveries.c.due_at,
    deliveries.c.attempts,
    deliveries.c.attempts_allowed,
    deliveries.c.replays,
    deliveries.c.finished_at,
    deliveries.c.error,
    deliveries.c.redacted,
    func.length(deliveries.c.body).label("size"),
)
# The conditions of indexes, in their own words: by a parameter the engines would not know them again.
_UNFINISHED: Final = deliveries.c.state != literal_column("'done'")
_LINED_UP: Final = text("NOT fresh")
_FRESH: Final = text("fresh")
_DONE: Final = deliveries.c.state == literal_column("'done'")
_DEAD: Final = deliveries.c.state.in_([literal_column("'dead'"), literal_column("'cancelled'")])
_ENDED: Final = (DeliveryState.DONE, DeliveryState.DEAD, DeliveryState.CANCELLED)


class DeliveryRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A delivery in a list. Times are Unix seconds; ``size`` is the bytes of its body."""

    delivery_id: str
    source: str
    event: str
    other_id: str | None
    order_key: str | None
    state: DeliveryState
    received_at: float
    due_at: float
    attempts: int
    attempts_allowed: int
    replays: int
    finished_at: float | None
    error: str
    redacted: bool
    size: int


class WholeDelivery(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A delivery with all there is of it, its runs oldest first."""

    row: DeliveryRow
    address: str
    headers: list[tuple[str, str]]
    body: bytes
    runs: list[RunRow]


class _HasBytes(FunctionElement[bool]):
    """Whether the first bytes have the second in them: each engine has its own word for it."""

    type = Boolean()
    inherit_cache = True


@compiles(_HasBytes, "sqlite")
def _has_bytes_in_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"(instr({compiler.process(element.clauses, **options)}) > 0)"


@compiles(_HasBytes, "postgresql")
def _has_bytes_in_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    whole, part = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(position({part} IN {whole}) > 0)"


class DeliveryFilter(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which deliveries: every field that is given must be true of one.

    ``since`` and ``until`` bound when they were received, in Unix seconds. ``text`` is a delivery's id, the
    provider's, or its key, whole, or part of its event or error; ``body`` is part of its body.
    """

    source: str | None = None
    event: str | None = None
    state: DeliveryState | None = None
    since: float | None = None
    until: float | None = None
    text: str | None = None
    body: str | None = None

    def indexed(self) -> list[ColumnElement[bool]]:
        """The part of it that an index answers: one of its names, and the time. There are two where fresh ones may be
        meant: no index of a name has them, but one of their own."""
        column = deliveries.c
        times: list[ColumnElement[bool]] = []
        if self.since is not None:
            times.append(column.delivery_id >= id_at(self.since))
        if self.until is not None:
            times.append(column.delivery_id < id_at(self.until))
        names: list[ColumnElement[bool]] = []
        if self.state not in (None, DeliveryState.DONE):
            # The index is of these alone, which the engines only see where it is said as the index says it.
            names += [column.state == self.state, _UNFINISHED]
        elif self.event is not None:
            names.append(column.event == self.event)
        elif self.source is not None:
            names.append(column.source == self.source)
        if not names:
            return [and_(true(), *times)]
        lined_up = and_(_LINED_UP, *names, *times)
        return [lined_up, and_(_FRESH, *times)] if self.state in (None, DeliveryState.PENDING) else [lined_up]

    def whole(self) -> ColumnElement[bool]:
        """All of it, but what :meth:`indexed` says of the time."""
        column = deliveries.c
        parts: list[ColumnElement[bool]] = [true()]
        if self.source is not None:
            # Not by the index of the providers' ids, which has all that a source ever delivered: SQLite, which knows
            # nothing of how many these are, would go by that.
            parts.append(column.source.concat("") == self.source)
        if self.event is not None:
            parts.append(column.event == self.event)
        if self.state is not None:
            parts.append(column.state == self.state)
        if self.text:
            same = [column[name] == self.text for name in ("delivery_id", "other_id", "order_key")]
            part = [column[name].icontains(self.text, autoescape=True) for name in ("event", "error")]
            parts.append(or_(*same, *part))
        if self.body:
            parts.append(_HasBytes(column.body, bindparam(None, self.body.encode(), LargeBinary)))
        return and_(*parts)


def id_at(moment: float) -> str:
    """The smallest id that a delivery of that moment (Unix seconds) can have: ids are UUIDs of version 7 (RFC 9562)."""
    milliseconds = min(max(int(moment * 1000), 0), (1 << 48) - 1)
    digits = f"{milliseconds:012x}70008000000000000000"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def moment_of(delivery_id: str) -> float:
    """When the delivery of that id was received, in Unix seconds; 0 for what is no id."""
    try:
        return int(delivery_id.replace("-", "")[:12], 16) / 1000
    except ValueError:
        return 0.0


class DeliveryPage(msgspec.Struct, frozen=True, gc=False):
    """Some deliveries, newest first; ``before`` is where to go on, ``None`` where nothing is left to look at."""

    rows: list[DeliveryRow]
    before: str | None


async def page_of_deliveries(
    connection: AsyncConnection, wanted: DeliveryFilter, *, before: str | None, limit: int, most_read: int = 20_000
) -> DeliveryPage:
    """Up to ``limit`` of them whose ids are less than ``before``.

    So that the time it takes is bounded, no more than ``most_read`` rows are looked at, and as many fresh ones: a page
    may be short, or empty, and yet not the last.
    """
    older = true() if before is None else deliveries.c.delivery_id < before
    newest_first = deliveries.c.delivery_id.desc()
    parts = [and_(part, older) for part in wanted.indexed()]
    edges = [select(deliveries.c.delivery_id).where(part).order_by(newest_first) for part in parts]
    found = [await connection.scalar(one.limit(1).offset(most_read - 1)) for one in edges]
    edge: str | None = max((one for one in found if one is not None), default=None)
    near = true() if edge is None else deliveries.c.delivery_id >= edge
    rows = []
    for part in parts:
        query = select(*_LISTED).where(part, wanted.whole(), near).order_by(newest_first).limit(limit)
        rows += [_row(row) for row in await connection.execute(query)]
    rows = sorted(rows, key=lambda row: row.delivery_id, reverse=True)[:limit]
    return DeliveryPage(rows, rows[-1].delivery_id if len(rows) == limit else edge)


async def get_delivery(connection: AsyncConnection, delivery_id: str) -> WholeDelivery | None:
    """All there is of one."""
    more = (deliveries.c.address, deliveries.c.headers, deliveries.c.body)
    query = select(*_LISTED, *more).where(deliveries.c.delivery_id == delivery_id)
    found = (await connection.execute(query)).first()
    if found is None:
        return None
    of_it = delivery_attempts.c.delivery_id == delivery_id
    order = (delivery_attempts.c.attempt, delivery_attempts.c.started_at, delivery_attempts.c.handler)
    runs = [_run(row) for row in await connection.execute(select(delivery_attempts).where(of_it).order_by(*order))]
    headers = msgspec.json.decode(found.headers, type=list[tuple[str, str]])
    return WholeDelivery(row=_row(found), address=found.address, headers=headers, body=found.body, runs=runs)


class SourceCount(msgspec.Struct, frozen=True, gc=False):
    """How many deliveries of a source are in a state that is not ``done``, when the oldest was received, and when the
    first was or will be due."""

    source: str
    state: DeliveryState
    count: int
    oldest: float
    due_at: float


async def count_unfinished(connection: AsyncConnection) -> list[SourceCount]:
    """By source and state, from two indexes alone; what is done is not looked at."""
    source, state, received_at, due_at = (deliveries.c[name] for name in ("source", "state", "received_at", "due_at"))
    lined_up = (
        select(source, state, func.count(), func.min(received_at), func.min(due_at))
        .where(_LINED_UP, _UNFINISHED)
        .group_by(source, state)
    )
    # Fresh ones are pending. By themselves first: SQLite would walk along all there are for the order of the sources.
    found = select(source, received_at, due_at).where(_FRESH).cte("found", nesting=True).prefix_with("MATERIALIZED")
    fresh = select(found.c.source, func.count(), func.min(found.c.received_at), func.min(found.c.due_at)).group_by(
        found.c.source
    )
    counted = {
        (source, DeliveryState(state)): figures for source, state, *figures in await connection.execute(lined_up)
    }
    for name, number, *moments in await connection.execute(fresh):
        others, *their_moments = counted.get((name, DeliveryState.PENDING), (0, *moments))
        counted[name, DeliveryState.PENDING] = [number + others, *map(min, moments, their_moments)]
    return [SourceCount(*key, *figures) for key, figures in counted.items()]


class FoundDeliveries(msgspec.Struct, frozen=True, gc=False):
    """The ids of some deliveries, oldest first; ``after`` is where to go on, ``None`` where nothing is left."""

    ids: list[str]
    after: str | None


async def find_deliveries(
    connection: AsyncConnection, wanted: DeliveryFilter, *, after: str, limit: int, most_read: int = 20_000
) -> FoundDeliveries:
    """Up to ``limit`` that have ended and whose ids are more than ``after``.

    As with :func:`page_of_deliveries`, no more than ``most_read`` rows are looked at.
    """
    newer = and_(wanted.indexed()[0], deliveries.c.delivery_id > after)  # the fresh ones have not ended
    oldest_first = deliveries.c.delivery_id.asc()
    edges = select(deliveries.c.delivery_id).where(newer).order_by(oldest_first)
    edge: str | None = await connection.scalar(edges.limit(1).offset(most_read - 1))
    near = true() if edge is None else deliveries.c.delivery_id <= edge
    found = select(deliveries.c.delivery_id).where(newer, wanted.whole(), near, deliveries.c.state.in_(_ENDED))
    ids = list(await connection.scalars(found.order_by(oldest_first).limit(limit)))
    return FoundDeliveries(ids, ids[-1] if len(ids) == limit else edge)


async def replay_deliveries(
    connection: AsyncConnection, due: Sequence[tuple[str, float]], attempts_allowed: int
) -> int:
    """Let those (id, when it is due) that have ended be worked again; how many these are.

    Of a dead one the handlers that failed run again, of a done one all of them.
    """
    if not due:
        return 0
    when = case(dict(due), value=deliveries.c.delivery_id)
    result = await connection.execute(
        update(deliveries)
        .where(deliveries.c.delivery_id.in_([delivery_id for delivery_id, _ in due]), deliveries.c.state.in_(_ENDED))
        .values(
            done_by=case((deliveries.c.state == DeliveryState.DONE, "[]"), else_=deliveries.c.done_by),
            state=DeliveryState.PENDING.value,
            due_at=when,
            attempts_allowed=deliveries.c.attempts + attempts_allowed,
            replays=deliveries.c.replays + 1,
            failing_since=None,
            finished_at=None,
        )
    )
    return result.rowcount


async def cancel_delivery(connection: AsyncConnection, delivery_id: str, now: float) -> bool:
    """Let it not be worked any more; what works on it now comes to nothing. False: it has ended already."""
    live = (DeliveryState.PENDING, DeliveryState.WORKING)
    rows = await connection.execute(
        update(deliveries)
        .where(deliveries.c.delivery_id == delivery_id, deliveries.c.state.in_(live))
        .values(
            state=DeliveryState.CANCELLED.value,
            finished_at=now,
            holder=None,
            lease_until=None,
            waits=False,
            fresh=False,
        )
        .returning(deliveries.c.source, deliveries.c.order_key)
    )
    cancelled = rows.first()
    if cancelled is not None and cancelled.order_key is not None:
        await release_next(connection, [(cancelled.source, cancelled.order_key)], now)
    return cancelled is not None


async def delete_ended(connection: AsyncConnection, *, done_before: float, dead_before: float, most: int = 500) -> int:
    """Delete up to ``most`` that were done, or died or were cancelled, before then; how many these are.

    What somebody replays in this moment stays.
    """
    deleted = 0
    for ended, before in ((_DONE, done_before), (_DEAD, dead_before)):
        old = ended & (deliveries.c.finished_at < before)
        ids = select(deliveries.c.delivery_id).where(old).order_by(deliveries.c.finished_at).limit(most - deleted)
        # Found once and locked; a row that became another since it was found does not match any more.
        found = ids.with_for_update(skip_locked=True).cte("found", nesting=True).prefix_with("MATERIALIZED")
        deleting = delete(deliveries).where(deliveries.c.delivery_id.in_(select(found.c.delivery_id)), old)
        deleted += (await connection.execute(deleting)).rowcount
    return deleted


def _row(row: Any) -> DeliveryRow:
    values = {name: getattr(row, name) for name in DeliveryRow.__struct_fields__}
    values["state"] = DeliveryState(values["state"])
    return DeliveryRow(**values)


def _run(row: Any) -> RunRow:
    values = dict(row._mapping)
    values["outcome"] = RunOutcome(values["outcome"])
    return RunRow(**values)
