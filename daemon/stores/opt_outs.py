"""Calls whose people opted out of being kept, and the taking out of what was stored of them before that was known.

A call is named here by its source and the order key of its deliveries, which the ids of these begin with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Column, ColumnElement, case, select
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import deliveries, opt_outs, stored_events
from daemon.stores.upsert import insert_into


async def add_opt_out(connection: AsyncConnection, source: str, key: str) -> None:
    """Remember, for good, that nothing of what is said in that call may be kept."""
    await connection.execute(insert_into(connection, opt_outs).values(source=source, key=key).on_conflict_do_nothing())


async def has_opted_out(connection: AsyncConnection, source: str, key: str) -> bool:
    """Whether that was said of the call."""
    found = select(opt_outs.c.key).where(opt_outs.c.source == source, opt_outs.c.key == key)
    return (await connection.execute(found)).first() is not None


async def redacted_body(connection: AsyncConnection, delivery_id: str, *, lock: bool = False) -> bytes | None:
    """The body of a delivery that something was taken out of; ``None`` where nothing was.

    With ``lock`` nothing is until the end of the transaction.
    """
    body = case((deliveries.c.redacted, deliveries.c.body))
    query = select(body).where(deliveries.c.delivery_id == delivery_id)
    found: bytes | None = await connection.scalar(query.with_for_update(read=True) if lock else query)
    return found


async def redact_delivery(connection: AsyncConnection, delivery_id: str, redact: Callable[[bytes], bytes]) -> None:
    """Take out of one delivery, and of the events stored of it, what ``redact`` takes out; once.

    It locks no other delivery: two that lock several, each in an order of its own, could wait for each other for good.
    """
    unredacted = (deliveries.c.delivery_id == delivery_id) & ~deliveries.c.redacted
    body: bytes | None = await connection.scalar(select(deliveries.c.body).where(unredacted).with_for_update())
    if body is None:
        return
    # Whoever stores an event of it holds its row: those that are not seen here have been told that it is redacted.
    made = select(stored_events.c.event_key, stored_events.c.body).where(
        _begins(stored_events.c.event_key, f"{delivery_id}/")
    )
    for event in (await connection.execute(made)).all():
        rewritten = stored_events.update().where(stored_events.c.event_key == event.event_key)
        await connection.execute(rewritten.values(body=redact(event.body.encode()).decode()))
    await connection.execute(deliveries.update().where(unredacted).values(body=redact(body), redacted=True))


async def deliveries_of_call(connection: AsyncConnection, source: str, key: str) -> list[tuple[str, bool]]:
    """The ids of a call's deliveries, and whether something was taken out of each."""
    columns = select(deliveries.c.delivery_id, deliveries.c.redacted).order_by(deliveries.c.delivery_id)
    mine = (deliveries.c.source == source) & (deliveries.c.order_key == key)
    rows = await connection.execute(columns.where(mine, _begins(deliveries.c.other_id, f"{key}:")))
    return [(row.delivery_id, row.redacted) for row in rows]


async def unredacted_copies(
    connection: AsyncConnection, delivery_ids: Sequence[str], copied_to: Sequence[str]
) -> list[str]:
    """The ids of what was made of deliveries for the sources ``copied_to``, and nothing was taken out of."""
    copies: list[str] = []
    for delivery_id in delivery_ids:
        for source in copied_to:
            made = (deliveries.c.source == source) & _begins(deliveries.c.other_id, f"{delivery_id}/")
            copies += await connection.scalars(select(deliveries.c.delivery_id).where(made, ~deliveries.c.redacted))
    return copies


def _begins(column: Column[str], prefix: str) -> ColumnElement[bool]:
    """As a range, which an index answers."""
    return (column >= prefix) & (column < prefix + chr(0x10FFFF))
