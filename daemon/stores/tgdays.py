"""tgday: the one date that each person has registered."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Row, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import tgdays, users
from daemon.stores.upsert import insert_into


class TgdayRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The date of the user ``user_name``, and when it was entered (Unix seconds)."""

    user_name: str
    date: date
    entered_at: float


async def save_tgday(connection: AsyncConnection, row: TgdayRow) -> None:
    """Enter a date, in the place of the one that was there.

    ``RowRefusedError`` where there is no such user.
    """
    statement = insert_into(connection, tgdays)
    changes = {name: statement.excluded[name] for name in ("date", "entered_at")}
    statement = statement.on_conflict_do_update(index_elements=[tgdays.c.user_name], set_=changes)
    values = {"user_name": row.user_name, "date": row.date.isoformat(), "entered_at": row.entered_at}
    await connection.execute(statement, values)


async def get_tgday(connection: AsyncConnection, user_name: str) -> TgdayRow | None:
    """Somebody's date."""
    row = (await connection.execute(select(tgdays).where(tgdays.c.user_name == user_name))).first()
    return None if row is None else _tgday(row)


async def remove_tgday(connection: AsyncConnection, user_name: str) -> bool:
    """Cancel somebody's date. False: there was none."""
    return (await connection.execute(delete(tgdays).where(tgdays.c.user_name == user_name))).rowcount > 0


async def list_tgdays(
    connection: AsyncConnection, first: date, last: date, *, team: str | None = None
) -> list[TgdayRow]:
    """Those from ``first`` to ``last``, both included, by date and name; of everybody, or of one team."""
    found = select(tgdays).where(tgdays.c.date.between(first.isoformat(), last.isoformat()))
    if team is not None:
        found = found.join(users, users.c.name == tgdays.c.user_name).where(users.c.team == team)
    rows = await connection.execute(found.order_by(tgdays.c.date, tgdays.c.user_name))
    return [_tgday(row) for row in rows]


def _tgday(row: Row[Any]) -> TgdayRow:
    return TgdayRow(user_name=row.user_name, date=date.fromisoformat(row.date), entered_at=row.entered_at)
