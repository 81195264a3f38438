"""Everybody whom Parley knows, as an admin sees to them: who they are, their teams, and what they may do."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable, Collection
from datetime import date
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.accounts.errors import AddressTakenError, OwnAccountError, PersonRefusedError, UnknownNameError
from daemon.accounts.names import NO_SEGMENT_RULE, NO_SEGMENTS, checked_name, normal_name
from daemon.accounts.people_file import PeopleFile, PeopleFileError
from daemon.accounts.people_import import Planned, plan
from daemon.accounts.recogniser import Recogniser
from daemon.actor import Actor
from daemon.calls.numbers import EXTENSION, EXTENSION_RULE
from daemon.stores import people as store
from daemon.stores.accounts import remove_user
from daemon.stores.audit import AuditRow, add_audit
from daemon.stores.database import Database, RowRefusedError
from daemon.stores.people import PersonRow, TeamRow
from daemon.stores.tgdays import get_tgday, list_tgdays
from protocols.mail_addresses import MailAddressError, mail_address

LONGEST: Final = 100
"""Characters of a person's or a team's name."""


class Person(msgspec.Struct, frozen=True):
    """A person, and the date that they have registered."""

    row: PersonRow
    tgday: date | None


class Team(msgspec.Struct, frozen=True):
    """A team, and how many people are in it."""

    row: TeamRow
    size: int


class People:
    """People and teams. ``recogniser`` is told of changes, so that they hold at once; it is that of the ``Accounts``.

    ``tenants`` are the aliases that a person may be of, none where no PBX is configured: then any is taken. Every
    change leaves an audit row. Every method raises ``DatabaseAwayError`` where the database is.
    """

    def __init__(
        self,
        database: Database,
        recogniser: Recogniser | None = None,
        *,
        tenants: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._recogniser = recogniser
        self._tenants = frozenset(tenants)
        self._clock = clock

    # People

    async def list_people(self) -> list[Person]:
        """All of them by name."""
        async with self._database.read() as connection:
            rows = await store.list_people(connection)
            dates = await list_tgdays(connection, date.min, date.max)
        registered = {one.user_name: one.date for one in dates}
        return [Person(row, registered.get(row.name)) for row in rows]

    async def get_person(self, name: str) -> Person:
        """One of them. Raises :class:`UnknownNameError`."""
        name = normal_name(name)
        async with self._database.read() as connection:
            row = await store.get_person(connection, name)
            registered = await get_tgday(connection, name)
        if row is None:
            raise UnknownNameError(f"there is nobody called {name}")
        return Person(row, None if registered is None else registered.date)

    async def save_person(self, row: PersonRow, *, by: Actor) -> bool:
        """Add somebody, or replace what is said of them but password, room and Webex. True: they are new.

        Raises :class:`NameRefusedError`, :class:`PersonRefusedError`, :class:`AddressTakenError` or
        :class:`OwnAccountError`.
        """
        row = self._checked(row)
        try:
            async with self._database.transaction() as connection:
                await self._check_team(connection, row)
                before = await store.get_person(connection, row.name, to_change=True)
                self._spare_oneself(row.name, by, loses=before is not None and before.role != row.role)
                await self._check_address(connection, row)
                await store.save_people(connection, [row], now=self._clock())
                await self._audit(connection, by, "person_added" if before is None else "person_changed", row.name)
                if before is not None and before.role != row.role:
                    await self._audit(connection, by, "role_changed", row.name, role=row.role)
        except RowRefusedError as error:  # somebody else was given it in this moment
            raise AddressTakenError("that e-mail address is another's") from error
        self._forget(row.name)
        return before is None

    async def remove_person(self, name: str, *, by: Actor) -> None:
        """Remove somebody, which signs them out. Raises :class:`UnknownNameError` or :class:`OwnAccountError`."""
        name = normal_name(name)
        self._spare_oneself(name, by, loses=True)
        async with self._database.transaction() as connection:
            if not await remove_user(connection, name):
                raise UnknownNameError(f"there is nobody called {name}")
            await self._audit(connection, by, "user_removed", name)
        self._forget(name)

    async def import_people(self, file: PeopleFile, *, by: Actor, dry_run: bool = False) -> Planned:
        """Save all that a file says, or nothing; a ``dry_run`` only says what would come of it.

        Raises :class:`~daemon.accounts.people_file.PeopleFileError`.
        """
        try:
            planned = await self._import(file, by, dry_run=dry_run)
        except RowRefusedError as error:
            raise PeopleFileError(["line 1: somebody was changed in this moment, try again"]) from error
        if not dry_run:
            for name in planned.changed:
                self._forget(name)
        return planned

    async def _import(self, file: PeopleFile, by: Actor, *, dry_run: bool) -> Planned:
        async with self._database.transaction() as connection:
            teams = await store.list_teams(connection, to_change=True)
            people = await store.list_people(connection, to_change=True)
            planned = plan(file, people, teams, self._tenants)
            if dry_run:
                return planned
            await store.save_teams(connection, planned.teams)
            now = self._clock()
            # An address may go from one to another, whichever of the two is written first.
            freed = [msgspec.structs.replace(row, email=None) for row in planned.people if row.name in planned.freed]
            await store.save_people(connection, freed, now=now)
            await store.save_people(connection, planned.people, now=now)
            counts = {"people": len(planned.people), "new": len(planned.new), "teams": len(planned.teams)}
            await self._audit(
                connection, by, "people_imported", "", **{name: str(count) for name, count in counts.items()}
            )
            for name, role in planned.roles.items():
                await self._audit(connection, by, "role_changed", name, role=role)
        return planned

    # Teams

    async def list_teams(self) -> list[Team]:
        """All of them by name."""
        async with self._database.read() as connection:
            rows = await store.list_teams(connection)
            sizes = await store.team_sizes(connection)
        return [Team(row, sizes.get(row.name, 0)) for row in rows]

    async def get_team(self, name: str) -> Team:
        """One of them. Raises :class:`UnknownNameError`."""
        for team in await self.list_teams():
            if team.row.name == _normal(name):
                return team
        raise UnknownNameError(f"there is no team {name.strip()}")

    async def save_team(self, row: TeamRow, *, by: Actor) -> bool:
        """Add a team, or replace what is said of it. True: it is new. Raises :class:`PersonRefusedError`."""
        row = TeamRow(name=_name_of("team", row.name), manager_email=_address(row.manager_email) or "")
        if not row.name:
            raise PersonRefusedError("a team has a name")
        if row.name in NO_SEGMENTS:
            raise PersonRefusedError(NO_SEGMENT_RULE)
        async with self._database.transaction() as connection:
            is_new = await store.get_team(connection, row.name) is None
            await store.save_teams(connection, [row])
            await self._audit(connection, by, "team_added" if is_new else "team_changed", row.name)
        return is_new

    async def remove_team(self, name: str, *, by: Actor) -> None:
        """Remove a team; its people are in none then. Raises :class:`UnknownNameError`."""
        name = _normal(name)
        async with self._database.transaction() as connection:
            if not await store.remove_team(connection, name):
                raise UnknownNameError(f"there is no team {name}")
            await self._audit(connection, by, "team_removed", name)

    # Within

    def _checked(self, row: PersonRow) -> PersonRow:
        if row.extension and re.fullmatch(EXTENSION, row.extension) is None:
            raise PersonRefusedError(EXTENSION_RULE)
        if row.tenant and self._tenants and row.tenant not in self._tenants:
            raise PersonRefusedError(f"there is no tenant {row.tenant}; there are {', '.join(sorted(self._tenants))}")
        return msgspec.structs.replace(
            row,
            name=checked_name(row.name),
            full_name=_name_of("person", row.full_name),
            tenant=_name_of("tenant", row.tenant),
            email=_address(row.email or ""),
            team=_normal(row.team or "") or None,
        )

    async def _check_team(self, connection: AsyncConnection, row: PersonRow) -> None:
        if row.team is not None and await store.get_team(connection, row.team, to_stay=True) is None:
            raise PersonRefusedError(f"there is no team {row.team}")

    async def _check_address(self, connection: AsyncConnection, row: PersonRow) -> None:
        if row.email is not None:
            owner = await store.find_person_by_email(connection, row.email)
            if owner is not None and owner.name != row.name:
                raise AddressTakenError(f"that e-mail address is {owner.name}'s")

    def _spare_oneself(self, name: str, by: Actor, *, loses: bool) -> None:
        if loses and by.via == "session" and by.name == name:
            raise OwnAccountError("nobody takes away their own role or account; ask another admin")

    def _forget(self, name: str) -> None:
        if self._recogniser is not None:
            self._recogniser.forget_user(name)

    async def _audit(self, connection: AsyncConnection, by: Actor, action: str, subject: str, **detail: str) -> None:
        row = AuditRow(
            at=self._clock(),
            actor=by.name,
            via=by.via,
            action=action,
            subject=subject,
            address=by.address,
            detail=detail,
        )
        await add_audit(connection, row)


def _normal(name: str) -> str:
    """One spelling for what keyboards and systems write in several: a syllable, or its letters."""
    return unicodedata.normalize("NFC", name).strip()


def _name_of(whose: str, name: str) -> str:
    name = _normal(name)
    if len(name) > LONGEST or not name.isprintable():
        raise PersonRefusedError(f"the name of a {whose} has at most {LONGEST} characters, all of them visible")
    return name


def _address(text: str) -> str | None:
    if not text.strip():
        return None
    try:
        return mail_address(text).lower()
    except MailAddressError as error:
        raise PersonRefusedError(str(error)) from error
