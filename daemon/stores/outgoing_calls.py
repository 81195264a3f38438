"""Calls that Parley places into an app as rows: placed once each, with what came of them."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.placed_calls import Asked, HourlyLimits, placed_before_in
from daemon.stores.schema import outgoing_calls

_LATER: Final = ("server", "variables", "state", "cause", "machine", "answered_at", "ended_at")
"""What becomes known after a row was added."""


class OutgoingCallRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One call. ``call_id`` is also that of the call that it became, once the switch has made a leg.

    ``request_key`` is what the asker marked it with, ``None`` where nothing was placed or the key may be used again;
    ``request`` a hash of what was asked for. ``holder`` is the Parley that follows it. ``state`` is a
    ``daemon.callapps.outgoing.OutgoingState``, ``cause`` a hangup cause, or why in words. Times are Unix seconds.
    """

    call_id: str
    actor: str
    request_key: str | None
    request: str
    holder: str
    server: str
    leg_id: str
    app: str
    number: str
    variables: dict[str, str]
    state: str
    cause: str = ""
    machine: bool = False
    created_at: float
    answered_at: float | None = None
    ended_at: float | None = None


async def add_outgoing_call(connection: AsyncConnection, row: OutgoingCallRow) -> None:
    """Add a row; a key that its actor has used already is refused (``RowRefusedError``)."""
    await connection.execute(insert(outgoing_calls).values(_values(row)))


async def save_outgoing_call(connection: AsyncConnection, row: OutgoingCallRow) -> None:
    """Replace what becomes known after it was added; a key that is ``None`` may be used again."""
    values = _values(row)
    known = {name: values[name] for name in _LATER}
    if row.request_key is None:
        known["request_key"] = None
    await connection.execute(update(outgoing_calls).where(outgoing_calls.c.call_id == row.call_id).values(known))


async def get_outgoing_call(connection: AsyncConnection, call_id: str) -> OutgoingCallRow | None:
    """The row of that id."""
    query = select(outgoing_calls).where(outgoing_calls.c.call_id == call_id)
    return _row((await connection.execute(query)).first())


async def outgoing_call_before(
    connection: AsyncConnection, asked: Asked, limits: HourlyLimits
) -> OutgoingCallRow | None:
    """As :func:`daemon.stores.placed_calls.placed_before_in`."""
    return _row(await placed_before_in(outgoing_calls, connection, asked, limits))


async def latest_outgoing_calls(connection: AsyncConnection, limit: int) -> list[OutgoingCallRow]:
    """The newest ``limit``, newest first."""
    newest = outgoing_calls.c.created_at.desc(), outgoing_calls.c.call_id.desc()
    return [_whole(row) for row in await connection.execute(select(outgoing_calls).order_by(*newest).limit(limit))]


async def open_outgoing_calls(connection: AsyncConnection, holder: str) -> list[OutgoingCallRow]:
    """Those of that holder that have not ended, oldest first."""
    is_open = outgoing_calls.c.ended_at.is_(None) & (outgoing_calls.c.holder == holder)
    query = select(outgoing_calls).where(is_open).order_by(outgoing_calls.c.created_at)
    return [_whole(row) for row in await connection.execute(query)]


def _values(row: OutgoingCallRow) -> dict[str, Any]:
    values = msgspec.structs.asdict(row)
    values["variables"] = msgspec.json.encode(row.variables).decode()
    return values


def _row(row: Row[Any] | None) -> OutgoingCallRow | None:
    return None if row is None else _whole(row)


def _whole(row: Row[Any]) -> OutgoingCallRow:
    values = dict(row._mapping)
    values["variables"] = msgspec.json.decode(values["variables"], type=dict[str, str])
    return OutgoingCallRow(**values)
