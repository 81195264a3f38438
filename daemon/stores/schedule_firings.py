"""Schedules and their firings: each claimed once, by whoever comes first."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import deliveries, schedule_firings, schedules
from daemon.stores.upsert import insert_into


class FiringRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``schedule`` fired ``fired_at`` for the moment ``due_at``, both in Unix seconds."""

    schedule: str
    due_at: float
    fired_at: float


async def take_up_schedule(connection: AsyncConnection, name: str, times: str, *, now: float) -> float:
    """From which moment on it is to be looked at: where it was left off, ``now`` for a schedule that is new or that
    fires at other ``times`` than before."""
    statement = insert_into(connection, schedules).values(name=name, times=times, looked_until=now)
    statement = statement.on_conflict_do_update(
        index_elements=[schedules.c.name],
        set_={"times": times, "looked_until": now},
        where=schedules.c.times != times,
    )
    await connection.execute(statement)
    found = await connection.scalar(select(schedules.c.looked_until).where(schedules.c.name == name))
    return now if found is None else min(now, float(found))


async def leave_off_schedule(connection: AsyncConnection, name: str, times: str, *, at: float) -> None:
    """It was looked at up to ``at``, by one that knows it by these ``times``; that others forgot it is made good."""
    statement = insert_into(connection, schedules).values(name=name, times=times, looked_until=at)
    statement = statement.on_conflict_do_update(
        index_elements=[schedules.c.name], set_={"looked_until": at}, where=schedules.c.times == times
    )
    await connection.execute(statement)


async def forget_schedules_but(connection: AsyncConnection, names: Iterable[str]) -> None:
    """All others are new when they are taken up the next time."""
    await connection.execute(delete(schedules).where(schedules.c.name.not_in(list(names))))


async def claim_firing(connection: AsyncConnection, row: FiringRow) -> bool:
    """Note that it fires. False: it has."""
    statement = insert_into(connection, schedule_firings).values(msgspec.structs.asdict(row))
    return bool((await connection.execute(statement.on_conflict_do_nothing())).rowcount)


async def has_fired(connection: AsyncConnection, schedule: str, due_at: float) -> bool:
    """Whether it fired for that moment."""
    same = (schedule_firings.c.schedule == schedule) & (schedule_firings.c.due_at == due_at)
    return await connection.scalar(select(schedule_firings.c.due_at).where(same)) is not None


async def last_due_at(connection: AsyncConnection, schedule: str) -> float | None:
    """The last moment for which it fired; ``None``: it never did."""
    last = select(func.max(schedule_firings.c.due_at)).where(schedule_firings.c.schedule == schedule)
    found: float | None = await connection.scalar(last)
    return found


async def last_firings(connection: AsyncConnection) -> dict[str, FiringRow]:
    """The last firing of each schedule that ever fired."""
    last = select(schedule_firings.c.schedule, func.max(schedule_firings.c.due_at).label("due_at"))
    last_of = last.group_by(schedule_firings.c.schedule).subquery()
    same = (schedule_firings.c.schedule == last_of.c.schedule) & (schedule_firings.c.due_at == last_of.c.due_at)
    rows = await connection.execute(select(schedule_firings).join(last_of, same))
    return {row.schedule: FiringRow(**row._mapping) for row in rows}


async def states_of(connection: AsyncConnection, source: str, other_ids: Iterable[str]) -> dict[str, str]:
    """What has become of deliveries of ``source``, by their ids there; those that are not there are left out."""
    wanted = deliveries.c.other_id.in_(list(other_ids)) & (deliveries.c.source == source)
    rows = await connection.execute(select(deliveries.c.other_id, deliveries.c.state).where(wanted))
    return {row.other_id: row.state for row in rows}


async def delete_old_firings(connection: AsyncConnection, *, before: float) -> int:
    """Delete those that were due before that moment, but of each schedule not the last; returns how many.

    A clock that is set back past that would let them fire again.
    """
    later = schedule_firings.alias()
    is_last = (
        ~select(1)
        .where(later.c.schedule == schedule_firings.c.schedule, later.c.due_at > schedule_firings.c.due_at)
        .exists()
    )
    old = delete(schedule_firings).where(schedule_firings.c.due_at < before, ~is_last)
    return (await connection.execute(old)).rowcount
