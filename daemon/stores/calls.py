"""Calls and their legs as rows: kept as they last stood, found again by their legs, listed page by page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.cursor import read_cursor, write_cursor
from daemon.stores.missed_calls import is_missed
from daemon.stores.schema import call_aliases, calls, legs
from daemon.stores.upsert import insert_into

_CHUNK = 500
"""How many ids go into one IN list."""


class LegRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A leg as stored. The words and units are those of ``daemon.calls.call.Leg``."""

    leg_id: str
    direction: str
    caller: str
    caller_name: str
    callee: str
    code: str
    state: str
    created_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    hangup_cause: str = ""
    parked: bool = False
    held: bool = False
    peer_id: str = ""


class CallRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A call as stored, with its legs in their order. The words and units are those of ``daemon.calls.call.Call``.

    ``sensitive`` calls are withheld from whoever may not see them; once set it stays.
    """

    call_id: str
    origin: str
    server: str
    other_id: str
    state: str
    caller: str
    caller_name: str
    callee: str
    did: str
    code: str
    app: str
    created_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    hangup_cause: str = ""
    disposition: str | None = None
    merged_into: str = ""
    sensitive: bool = False
    outcome: str = ""
    app_ending: str = ""
    legs: list[LegRow] = []


class CallFilter(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which calls a list holds; what is ``None`` does not matter.

    Code and server are compared whole; ``callers`` and ``dids`` are the spellings of one number, ``()`` is any.
    ``extension`` is the caller or callee of a leg, ``missed_by`` one that rang in vain
    (:func:`daemon.stores.missed_calls.is_missed`). ``since`` (inclusive) and ``until`` (exclusive) bound
    ``created_at``. Calls that were merged into another are left out unless ``merged`` is set.
    """

    state: Literal["live", "ended"] | None = None
    callers: tuple[str, ...] = ()
    dids: tuple[str, ...] = ()
    code: str | None = None
    server: str | None = None
    sensitive: bool | None = None
    extension: str | None = None
    missed_by: str | None = None
    since: float | None = None
    until: float | None = None
    merged: bool = False


class CallAlias(msgspec.Struct, frozen=True, gc=False):
    """``old_call_id`` is stored as ``call_id``; a seq given out under the old id is stored plus ``seq_offset``."""

    old_call_id: str
    call_id: str
    seq_offset: int


# Writing

_CALL_FIELDS = tuple(column.name for column in calls.columns)
_LEG_FIELDS = tuple(name for name in LegRow.__struct_fields__)
_KEPT_WHERE_UNKNOWN = ("caller", "caller_name", "callee", "did", "code", "app", "outcome", "app_ending")


async def save_calls(connection: AsyncConnection, rows: Sequence[CallRow]) -> None:
    """Store calls as they now stand, new or known. Of two rows of one call the later one counts.

    What names a call (``origin``, ``server``, ``other_id``) and ``created_at`` are not changed here, and what was known
    is not forgotten: an empty number, name or code and a missing answer leave what is there, and ``sensitive``
    stays set. A leg belongs to the call that named it last.
    """
    rows = list({row.call_id: row for row in rows}.values())
    if not rows:
        return
    statement = insert_into(connection, calls)
    new = statement.excluded
    changes: dict[str, Any] = {
        name: new[name] for name in ("state", "ended_at", "hangup_cause", "disposition", "merged_into")
    }
    for name in _KEPT_WHERE_UNKNOWN:
        changes[name] = func.coalesce(func.nullif(new[name], ""), calls.c[name])
    changes["answered_at"] = func.coalesce(new.answered_at, calls.c.answered_at)
    changes["sensitive"] = or_(new.sensitive, calls.c.sensitive)
    statement = statement.on_conflict_do_update(index_elements=[calls.c.call_id], set_=changes)
    await connection.execute(statement, [{name: getattr(row, name) for name in _CALL_FIELDS} for row in rows])
    await _save_legs(connection, rows)


async def _save_legs(connection: AsyncConnection, rows: Sequence[CallRow]) -> None:
    values = [
        {name: getattr(leg, name) for name in _LEG_FIELDS}
        | {"origin": row.origin, "server": row.server, "call_id": row.call_id, "position": position}
        for row in rows
        for position, leg in enumerate(row.legs)
    ]
    if not values:
        return
    statement = insert_into(connection, legs)
    keys = [legs.c.origin, legs.c.server, legs.c.leg_id]
    kept = {"origin", "server", "leg_id", "created_at"}
    changes = {column.name: statement.excluded[column.name] for column in legs.columns if column.name not in kept}
    await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), values)


async def end_lost_calls(
    connection: AsyncConnection, origin: str, server: str, *, living_legs: Collection[str], at: float
) -> list[str]:
    """End every stored call of that server that began before ``at`` and has none of ``living_legs`` (a snapshot's).

    They ended while nobody could see it: disposition ``lost``, ended at ``at``. Returns their call ids.
    """
    known = await calls_by_legs(connection, origin, server, living_legs)
    query = select(calls.c.call_id).where(
        calls.c.origin == origin, calls.c.server == server, calls.c.ended_at.is_(None), calls.c.created_at < at
    )
    living = set(known.values())
    lost = [call_id for (call_id,) in await connection.execute(query) if call_id not in living]
    if lost:
        of_lost = [{"lost": call_id} for call_id in lost]
        ended = {"state": "ended", "ended_at": at}
        await connection.execute(
            update(calls).where(calls.c.call_id == bindparam("lost")).values(disposition="lost", **ended), of_lost
        )
        await connection.execute(
            update(legs).where(legs.c.call_id == bindparam("lost"), legs.c.ended_at.is_(None)).values(**ended), of_lost
        )
    return lost


# Finding calls again


async def calls_by_legs(
    connection: AsyncConnection, origin: str, server: str, leg_ids: Iterable[str]
) -> dict[str, str]:
    """Which stored call each of these legs belongs to: leg id → call id. Legs that are not known are left out.

    A leg known only as the one its call is named by is found too, through whatever that call was merged into.
    """
    wanted = list(dict.fromkeys(leg_ids))
    found: dict[str, str] = {}
    for chunk in _chunks(wanted):
        query = select(calls.c.other_id, calls.c.call_id, calls.c.merged_into).where(
            calls.c.origin == origin, calls.c.server == server, calls.c.other_id.in_(chunk)
        )
        found.update({row.other_id: row.merged_into or row.call_id for row in await connection.execute(query)})
        query = select(legs.c.leg_id, legs.c.call_id).where(
            legs.c.origin == origin, legs.c.server == server, legs.c.leg_id.in_(chunk)
        )
        found.update({row.leg_id: row.call_id for row in await connection.execute(query)})
    return found


async def stored_call_ids(connection: AsyncConnection, call_ids: Iterable[str]) -> set[str]:
    """Those of ``call_ids`` that have a row."""
    found: set[str] = set()
    for chunk in _chunks(list(call_ids)):
        result = await connection.execute(select(calls.c.call_id).where(calls.c.call_id.in_(chunk)))
        found.update(result.scalars())
    return found


async def aliases_of(connection: AsyncConnection, call_ids: Iterable[str]) -> dict[str, CallAlias]:
    """The aliases among ``call_ids``, by the old id."""
    found: dict[str, CallAlias] = {}
    for chunk in _chunks(list(call_ids)):
        for row in await connection.execute(select(call_aliases).where(call_aliases.c.old_call_id.in_(chunk))):
            found[row.old_call_id] = CallAlias(row.old_call_id, row.call_id, row.seq_offset)
    return found


async def add_alias(connection: AsyncConnection, alias: CallAlias) -> None:
    """Remember an alias; one that is known already stays as it is."""
    statement = insert_into(connection, call_aliases)
    await connection.execute(statement.on_conflict_do_nothing(), [msgspec.structs.asdict(alias)])


# Reading


async def get_call(connection: AsyncConnection, call_id: str) -> CallRow | None:
    """The call of that id, or the one that an old id of it now stands for."""
    for _ in range(2):
        rows = await _with_legs(connection, select(calls).where(calls.c.call_id == call_id))
        if rows:
            return rows[0]
        alias = (await aliases_of(connection, [call_id])).get(call_id)
        if alias is None:
            return None
        call_id = alias.call_id
    return None


async def page_calls(
    connection: AsyncConnection, wanted: CallFilter, limit: int, cursor: str | None = None
) -> tuple[list[CallRow], str | None]:
    """Up to ``limit`` calls, newest first, and the cursor of the next page (``None`` after the last).

    Paging is by (``created_at``, ``call_id``): calls that come in meanwhile neither shift nor repeat a page. Raises
    :class:`~daemon.stores.cursor.CursorError`.
    """
    if limit < 1:
        raise ValueError("a page holds at least one call")
    query = select(calls).where(and_(True, *_conditions(wanted)))
    if cursor is not None:
        query = query.where(tuple_(calls.c.created_at, calls.c.call_id) < tuple_(*read_cursor(cursor)))
    query = query.order_by(calls.c.created_at.desc(), calls.c.call_id.desc()).limit(limit + 1)
    rows = await _with_legs(connection, query)
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], write_cursor(rows[limit - 1].created_at, rows[limit - 1].call_id)


def _conditions(wanted: CallFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for name, spelled in (("caller", wanted.callers), ("did", wanted.dids)):
        if spelled:
            conditions.append(calls.c[name].in_(spelled))
    for name in ("code", "server", "sensitive"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(calls.c[name] == value)
    if wanted.state is not None:
        live = calls.c.ended_at.is_(None)
        conditions.append(live if wanted.state == "live" else ~live)
    if wanted.extension is not None:
        is_leg_of_it = (legs.c.caller == wanted.extension) | (legs.c.callee == wanted.extension)
        conditions.append(exists().where(legs.c.call_id == calls.c.call_id, is_leg_of_it))
    if wanted.missed_by is not None:
        rang = exists().where(legs.c.call_id == calls.c.call_id, legs.c.callee == wanted.missed_by)
        conditions += [calls.c.caller != wanted.missed_by, rang, is_missed()]
    if wanted.since is not None:
        conditions.append(calls.c.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(calls.c.created_at < wanted.until)
    if not wanted.merged:
        conditions.append(calls.c.merged_into == "")
    return conditions


async def _with_legs(connection: AsyncConnection, query: Select[Any]) -> list[CallRow]:
    heads = (await connection.execute(query)).all()
    by_call: dict[str, list[LegRow]] = {row.call_id: [] for row in heads}
    for chunk in _chunks(list(by_call)):
        of_chunk = (
            select(legs).where(legs.c.call_id.in_(chunk)).order_by(legs.c.position, legs.c.created_at, legs.c.leg_id)
        )
        for row in await connection.execute(of_chunk):
            values = row._mapping
            by_call[row.call_id].append(LegRow(**{name: values[name] for name in _LEG_FIELDS}))
    return [CallRow(**row._mapping, legs=by_call[row.call_id]) for row in heads]


def _chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[at : at + _CHUNK] for at in range(0, len(values), _CHUNK))
