"""Events that a handler keeps as rows of their own, beyond the life of their deliveries."""

from __future__ import annotations

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import stored_events
from daemon.stores.upsert import insert_into


class StoredEventRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event of ``source``. ``event_key`` names the intent to keep it; times are Unix seconds."""

    event_key: str
    delivery_id: str
    source: str
    event: str
    received_at: float
    stored_at: float
    body: str


async def add_stored_event(connection: AsyncConnection, row: StoredEventRow) -> bool:
    """Keep ``row``. False: its key is there already, and stays as it is."""
    adding = insert_into(connection, stored_events).values(msgspec.structs.asdict(row)).on_conflict_do_nothing()
    return bool((await connection.execute(adding)).rowcount)
