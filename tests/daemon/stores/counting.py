"""How many deliveries there are, however long it takes to count them."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.deliveries import DeliveryFilter
from daemon.stores.schema import deliveries


async def count_deliveries(connection: AsyncConnection, wanted: DeliveryFilter) -> int:
    """By the same two parts as the pages are read by."""
    counting = select(func.count()).select_from(deliveries)
    return sum([await connection.scalar(counting.where(part, wanted.whole())) or 0 for part in wanted.indexed()])
