"""People and teams: who somebody is beside the name that they sign in by (:mod:`daemon.stores.accounts`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import teams, users
from daemon.stores.upsert import insert_into


class TeamRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A team. ``manager_email`` is where its list goes, ``""`` for nowhere."""

    name: str
    manager_email: str = ""


class PersonRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person. ``name`` is the one that they sign in by, ``full_name`` what people call them.

    ``email`` is in lower case and theirs alone, ``None`` where it is not known, as ``webex_person_id``. ``room_id`` is
    the room that they and the bot have to themselves, ``tenant`` an alias of ``[[pbx.tenant]]``; of these and of
    ``extension`` ``""`` means that it is not known. ``role`` is viewer, operator or admin.
    """

    name: str
    role: str
    full_name: str = ""
    email: str | None = None
    team: str | None = None
    extension: str = ""
    tenant: str = ""
    room_id: str = ""
    webex_person_id: str | None = None
    may_sign_in: bool = False

    @property
    def called(self) -> str:
        """What to call them."""
        return self.full_name or self.name


_SAVED: Final = ("role", "full_name", "email", "team", "extension", "tenant")
_NAMES: Final = [name for name in PersonRow.__struct_fields__ if name != "may_sign_in"]


async def list_people(
    connection: AsyncConnection, *, team: str | None = None, to_change: bool = False
) -> list[PersonRow]:
    """All people by name, or those of one team. ``to_change``: nobody else changes them before the transaction ends."""
    found = _people() if team is None else _people().where(users.c.team == team)
    if to_change:
        found = found.with_for_update(key_share=True)
    return [_person(row) for row in await connection.execute(found.order_by(users.c.name))]


async def get_person(connection: AsyncConnection, name: str, *, to_change: bool = False) -> PersonRow | None:
    """The person who signs in by that exact name; ``to_change`` as for :func:`list_people`."""
    found = _people().where(users.c.name == name)
    return await _first(connection, found.with_for_update(key_share=True) if to_change else found)


async def find_person_by_email(connection: AsyncConnection, email: str) -> PersonRow | None:
    """Whose e-mail address that is, in lower case."""
    return await _first(connection, _people().where(users.c.email == email))


async def find_person_by_webex_id(connection: AsyncConnection, webex_person_id: str) -> PersonRow | None:
    """Who that is at Webex."""
    return await _first(connection, _people().where(users.c.webex_person_id == webex_person_id))


async def save_people(connection: AsyncConnection, rows: Sequence[PersonRow], *, now: float) -> None:
    """Add people, without a password; of those whose name is there already everything but password, room and Webex is
    replaced. Whoever saves them sees to it that their teams are there and stay (:func:`get_team`); no name may be given
    twice.

    ``RowRefusedError`` for an e-mail address that is another's.
    """
    if not rows:
        return
    statement = insert_into(connection, users)
    changes = {name: statement.excluded[name] for name in _SAVED}
    statement = statement.on_conflict_do_update(index_elements=[users.c.name], set_=changes)
    new = {"password_hash": "", "created_at": now, "password_changed_at": now}
    values = [{name: getattr(row, name) for name in ("name", *_SAVED)} for row in sorted(rows, key=_by_name)]
    await connection.execute(statement, [one | new for one in values])


async def link_person_to_webex(connection: AsyncConnection, name: str, *, webex_person_id: str, room_id: str) -> bool:
    """Note who somebody is at Webex, and the room they have with the bot (``""``: the one that is known stays).

    Whoever was noted as that before is so no more. False: no such person.
    """
    nobody = update(users).where(users.c.webex_person_id == webex_person_id, users.c.name != name)
    await connection.execute(nobody.values(webex_person_id=None))
    values = {"webex_person_id": webex_person_id} | ({"room_id": room_id} if room_id else {})
    return (await connection.execute(update(users).where(users.c.name == name).values(values))).rowcount > 0


async def list_teams(connection: AsyncConnection, *, to_change: bool = False) -> list[TeamRow]:
    """All teams by name; ``to_change`` as for :func:`list_people`, before which it is asked for: so nobody waits for
    another who waits for him."""
    found = select(teams).order_by(teams.c.name)
    rows = await connection.execute(found.with_for_update() if to_change else found)
    return [TeamRow(**row._mapping) for row in rows]


async def get_team(connection: AsyncConnection, name: str, *, to_stay: bool = False) -> TeamRow | None:
    """The team of that name. ``to_stay``: nobody removes it before the transaction ends; asked for before people."""
    found = select(teams).where(teams.c.name == name)
    row = (await connection.execute(found.with_for_update(read=True) if to_stay else found)).first()
    return None if row is None else TeamRow(**row._mapping)


async def team_sizes(connection: AsyncConnection) -> dict[str, int]:
    """How many people are in each team that has any."""
    counted = select(users.c.team, func.count().label("size")).where(users.c.team.is_not(None)).group_by(users.c.team)
    return {row.team: row.size for row in await connection.execute(counted)}


async def save_teams(connection: AsyncConnection, rows: Sequence[TeamRow]) -> None:
    """Add teams; one whose name is there already is replaced. No name may be given twice."""
    if not rows:
        return
    statement = insert_into(connection, teams)
    changes = {"manager_email": statement.excluded.manager_email}
    statement = statement.on_conflict_do_update(index_elements=[teams.c.name], set_=changes)
    await connection.execute(statement, [msgspec.structs.asdict(row) for row in sorted(rows, key=_by_name)])


async def remove_team(connection: AsyncConnection, name: str) -> bool:
    """Remove a team; its people are in none then. False: no such team."""
    # The team first: whoever is just getting into it is waited for, and found.
    removed = (await connection.execute(teams.delete().where(teams.c.name == name))).rowcount > 0
    await connection.execute(update(users).where(users.c.team == name).values(team=None))
    return removed


def _by_name(row: PersonRow | TeamRow) -> str:
    """In the order of this, two who save the same rows wait for one another, and not each for the other."""
    return row.name


def _people() -> Select[Any]:
    return select(*(users.c[name] for name in _NAMES), (users.c.password_hash != "").label("may_sign_in"))


async def _first(connection: AsyncConnection, query: Select[Any]) -> PersonRow | None:
    row = (await connection.execute(query)).first()
    return None if row is None else _person(row)


def _person(row: Row[Any]) -> PersonRow:
    values = dict(zip(PersonRow.__struct_fields__, row, strict=True))
    return PersonRow(**values | {"may_sign_in": bool(values["may_sign_in"])})
