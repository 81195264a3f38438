"""Click-to-calls as rows: placed once each, with every step that was seen of them."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.placed_calls import Asked, HourlyLimits, placed_before_in
from daemon.stores.schema import click_to_calls


class StepRow(msgspec.Struct, frozen=True, gc=False):
    """A step, when it was reached (Unix seconds), and more about it in words."""

    step: str
    at: float
    detail: str = ""


class ClickToCallRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A click-to-call. ``request_key`` is what the asker marked it with, ``None`` where nothing was placed or the key
    may be used again; ``request`` a hash of what was asked for. ``notice`` are the caller's diversions then, each on a
    line of its own: its kind, a space, its destination; ``?`` where they could not be read. ``call_id`` is ours of the
    call it became, ``""`` while that is not known. Times are Unix seconds.
    """

    click_to_call_id: str
    actor: str
    request_key: str | None
    request: str
    tenant: str
    caller: str
    callee: str
    way: str = ""
    notice: str = ""
    call_id: str = ""
    created_at: float
    ended_at: float | None = None
    steps: list[StepRow] = []


async def add_click_to_call(connection: AsyncConnection, row: ClickToCallRow) -> None:
    """Add a row; a key that its actor has used already is refused (``RowRefusedError``)."""
    await connection.execute(insert(click_to_calls).values(_values(row)))


async def save_click_to_call(connection: AsyncConnection, row: ClickToCallRow) -> None:
    """Replace what becomes known after it was added; a key that is ``None`` may be used again."""
    values = _values(row)
    known = {name: values[name] for name in ("way", "notice", "call_id", "ended_at", "steps")}
    if row.request_key is None:
        known["request_key"] = None
    of_it = click_to_calls.c.click_to_call_id == row.click_to_call_id
    await connection.execute(update(click_to_calls).where(of_it).values(known))


async def get_click_to_call(connection: AsyncConnection, click_to_call_id: str) -> ClickToCallRow | None:
    """The row of that id."""
    query = select(click_to_calls).where(click_to_calls.c.click_to_call_id == click_to_call_id)
    return _row((await connection.execute(query)).first())


async def click_to_call_before(
    connection: AsyncConnection, asked: Asked, limits: HourlyLimits
) -> ClickToCallRow | None:
    """As :func:`daemon.stores.placed_calls.placed_before_in`."""
    return _row(await placed_before_in(click_to_calls, connection, asked, limits))


async def latest_click_to_calls(connection: AsyncConnection, limit: int) -> list[ClickToCallRow]:
    """The newest ``limit``, newest first."""
    newest = click_to_calls.c.created_at.desc(), click_to_calls.c.click_to_call_id.desc()
    rows = await connection.execute(select(click_to_calls).order_by(*newest).limit(limit))
    return [_whole(row) for row in rows]


async def open_click_to_calls(connection: AsyncConnection) -> list[ClickToCallRow]:
    """Those that have not ended, oldest first."""
    query = select(click_to_calls).where(click_to_calls.c.ended_at.is_(None))
    return [_whole(row) for row in await connection.execute(query.order_by(click_to_calls.c.created_at))]


async def count_click_to_calls(connection: AsyncConnection) -> int:
    """How many rows there are."""
    return await connection.scalar(select(func.count()).select_from(click_to_calls)) or 0


def _values(row: ClickToCallRow) -> dict[str, Any]:
    values = msgspec.structs.asdict(row)
    values["steps"] = msgspec.json.encode(row.steps).decode()
    return values


def _row(row: Row[Any] | None) -> ClickToCallRow | None:
    return None if row is None else _whole(row)


def _whole(row: Row[Any]) -> ClickToCallRow:
    values = dict(row._mapping)
    values["steps"] = msgspec.json.decode(values["steps"], type=list[StepRow])
    return ClickToCallRow(**values)
