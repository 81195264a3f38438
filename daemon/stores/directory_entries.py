"""Entries of the directory: services, people and teams, added and replaced many at once.

An engine keeps an index of them. It asks for the revision now and then, and where that has grown for what has changed
since the one it knows.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import directory_entries, revisions
from daemon.stores.upsert import insert_into

_DIRECTORY: Final = "directory"
_STORE: Final = "directory-store"
_AT_ONCE: Final = 500
"""Entries named in one statement: engines bound the parameters of each."""

EntryKind = Literal["service", "person", "team"]


class DirectoryEntryRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry.

    ``name`` is what people are told, ``keywords`` are further names in any language, ``description`` says to people
    what it is. ``code`` is the service's code, or the person's number in the house; ``number`` the extension or phone
    number to transfer a caller to, in its normal form (:func:`daemon.calls.numbers.normal_number`); ``team`` the name
    of the team it belongs to. All but the first three may be empty.
    """

    entry_id: str
    kind: EntryKind
    name: str
    description: str = ""
    keywords: tuple[str, ...] = ()
    code: str = ""
    number: str = ""
    team: str = ""


async def save_directory_entries(
    connection: AsyncConnection, rows: Sequence[DirectoryEntryRow], *, all_there_is: bool = False
) -> None:
    """Add entries; one whose id is there already is replaced as a whole. No id may be given twice.

    With ``all_there_is`` those not given are removed.
    """
    revision = await _next_revision(connection)
    if all_there_is:
        await _delete(connection, await directory_entry_ids(connection) - {row.entry_id for row in rows})
    if not rows:
        return
    statement = insert_into(connection, directory_entries)
    changes = {column.name: statement.excluded[column.name] for column in directory_entries.c if not column.primary_key}
    statement = statement.on_conflict_do_update(index_elements=[directory_entries.c.entry_id], set_=changes)
    await connection.execute(statement, [_values(row, revision) for row in rows])


async def remove_directory_entries(connection: AsyncConnection, entry_ids: Collection[str]) -> None:
    """Remove entries; an id that is not there is none to remove."""
    await _next_revision(connection)
    await _delete(connection, entry_ids)


async def renew_directory_entries(connection: AsyncConnection) -> None:
    """Let every entry count as changed, so that each engine takes all of them in again."""
    await connection.execute(directory_entries.update().values(revision=await _next_revision(connection)))


async def directory_revision(connection: AsyncConnection) -> int:
    """What every change makes greater; 0 before the first."""
    found = select(revisions.c.revision).where(revisions.c.name == _DIRECTORY)
    return await connection.scalar(found) or 0


async def directory_store_id(connection: AsyncConnection) -> str:
    """What this store's directory is told from that of every other by; made when it is first asked for."""
    made = insert_into(connection, revisions).values(name=_STORE, revision=secrets.randbits(62))
    await connection.execute(made.on_conflict_do_nothing())
    found = await connection.execute(select(revisions.c.revision).where(revisions.c.name == _STORE))
    return f"{found.scalar_one():016x}"


async def directory_entries_since(connection: AsyncConnection, revision: int) -> list[DirectoryEntryRow]:
    """What was added or replaced after ``revision``, in the order of the ids; with 0 all there is."""
    found = select(directory_entries).where(directory_entries.c.revision > revision)
    return [_row(row) for row in await connection.execute(found.order_by(directory_entries.c.entry_id))]


async def directory_entry_ids(connection: AsyncConnection) -> set[str]:
    """The ids of all entries."""
    return set(await connection.scalars(select(directory_entries.c.entry_id)))


async def count_directory_entries(connection: AsyncConnection) -> int:
    """How many there are."""
    return await connection.scalar(select(func.count()).select_from(directory_entries)) or 0


async def _next_revision(connection: AsyncConnection) -> int:
    """A revision for what is changed in this transaction. Others that change something wait for its end."""
    statement = insert_into(connection, revisions).values(name=_DIRECTORY, revision=1)
    grown = {"revision": revisions.c.revision + 1}
    statement = statement.on_conflict_do_update(index_elements=[revisions.c.name], set_=grown)
    revision: int = await connection.scalar(statement.returning(revisions.c.revision))
    return revision


async def _delete(connection: AsyncConnection, entry_ids: Collection[str]) -> None:
    ordered = sorted(entry_ids)
    for at in range(0, len(ordered), _AT_ONCE):
        some = directory_entries.c.entry_id.in_(ordered[at : at + _AT_ONCE])
        await connection.execute(directory_entries.delete().where(some))


def _values(row: DirectoryEntryRow, revision: int) -> dict[str, Any]:
    values = msgspec.structs.asdict(row)
    return values | {"keywords": msgspec.json.encode(row.keywords).decode(), "revision": revision}


def _row(row: Row[Any]) -> DirectoryEntryRow:
    return DirectoryEntryRow(
        entry_id=row.entry_id,
        kind=row.kind,
        name=row.name,
        description=row.description,
        keywords=msgspec.json.decode(row.keywords, type=tuple[str, ...]),
        code=row.code,
        number=row.number,
        team=row.team,
    )
