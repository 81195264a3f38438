"""The INSERT of either engine that can say what to do about a row that is already there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insert_into(connection: AsyncConnection, table: Table) -> Any:
    """``INSERT INTO table`` with ``on_conflict_do_update`` and ``on_conflict_do_nothing``; both engines take alike."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
