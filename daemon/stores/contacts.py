"""People who call: found by their number, added and replaced many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import contacts
from daemon.stores.upsert import insert_into


class ContactRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person. ``number`` stands in its normal form (:func:`daemon.calls.numbers.normal_number`) and is theirs alone.

    ``variables`` are for an agent to speak of, ``metadata`` goes with a call without being spoken.
    """

    number: str
    name: str = ""
    variables: dict[str, str] = {}
    metadata: dict[str, Any] = {}


async def save_contacts(connection: AsyncConnection, rows: Sequence[ContactRow]) -> None:
    """Add contacts; one whose number is there already is replaced as a whole. No number may be given twice."""
    if not rows:
        return
    statement = insert_into(connection, contacts)
    changes = {name: statement.excluded[name] for name in ("name", "variables", "metadata")}
    statement = statement.on_conflict_do_update(index_elements=[contacts.c.number], set_=changes)
    await connection.execute(statement, [_values(row) for row in rows])


async def get_contact(connection: AsyncConnection, number: str) -> ContactRow | None:
    """Whose number that is."""
    row = (await connection.execute(select(contacts).where(contacts.c.number == number))).first()
    if row is None:
        return None
    return ContactRow(
        number=row.number,
        name=row.name,
        variables=msgspec.json.decode(row.variables, type=dict[str, str]),
        metadata=msgspec.json.decode(row.metadata, type=dict[str, Any]),
    )


async def count_contacts(connection: AsyncConnection) -> int:
    """How many there are."""
    return await connection.scalar(select(func.count()).select_from(contacts)) or 0


def _values(row: ContactRow) -> dict[str, str]:
    return {
        "number": row.number,
        "name": row.name,
        "variables": msgspec.json.encode(row.variables).decode(),
        "metadata": msgspec.json.encode(row.metadata).decode(),
    }
