"""What a file of people means for those who are there: worked out before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from daemon.accounts.errors import AccountError
from daemon.accounts.names import checked_name
from daemon.accounts.people_file import PeopleFile, PeopleFileError, PersonLine
from daemon.stores.people import PersonRow, TeamRow


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """The people and teams as they will be. ``new`` and ``changed`` are names of people, ``new_teams`` of teams;
    ``freed`` are names of people whose e-mail address goes to somebody else, and ``roles`` whose role changes to what.
    """

    people: list[PersonRow]
    teams: list[TeamRow]
    new: list[str]
    changed: list[str]
    new_teams: list[str]
    freed: list[str]
    roles: dict[str, str]


def plan(file: PeopleFile, people: Sequence[PersonRow], teams: Sequence[TeamRow], tenants: Collection[str]) -> Planned:
    """What ``file`` makes of the ``people`` and ``teams`` that are there.

    ``tenants`` are the aliases that there are, none where no PBX is configured: then any is taken. Raises
    :class:`PeopleFileError`.
    """
    by_name = {person.name: person for person in people}
    by_email = {person.email: person for person in people if person.email}
    planned: dict[str, PersonRow] = {}
    line_of: dict[str, int] = {}
    mistakes: list[str] = []
    for one in file.people:
        try:
            person = _person(one, by_name, by_email, tenants)
        except AccountError as error:
            mistakes.append(f"line {one.line}: {error}")
            continue
        first = line_of.setdefault(person.name, one.line)
        if first != one.line:
            mistakes.append(f"line {one.line}: this is {person.name}, who stands on line {first} too")
        planned[person.name] = person
    mistakes += _taken_addresses(planned, line_of, by_email)
    if mistakes:
        raise PeopleFileError(sorted(mistakes, key=lambda text: int(text.split(":")[0].removeprefix("line "))))
    changed = [name for name, person in planned.items() if name in by_name and person != by_name[name]]
    return Planned(
        people=list(planned.values()),
        teams=_teams(file.teams, teams),
        new=[name for name in planned if name not in by_name],
        changed=changed,
        new_teams=[name for name in file.teams if name not in {team.name for team in teams}],
        freed=[name for name in changed if by_name[name].email not in (None, planned[name].email)],
        roles={name: planned[name].role for name in changed if planned[name].role != by_name[name].role},
    )


def _person(
    one: PersonLine,
    by_name: Mapping[str, PersonRow],
    by_email: Mapping[str, PersonRow],
    tenants: Collection[str],
) -> PersonRow:
    """Raises :class:`AccountError`."""
    if one.tenant and tenants and one.tenant not in tenants:
        raise AccountError(f'there is no tenant "{one.tenant}"; there are {", ".join(sorted(tenants))}')
    found = by_name.get(one.name) if one.name else by_email.get(one.email or "")
    if found is None:
        found = PersonRow(name=one.name or checked_name(one.email or ""), role="viewer")
        if not one.name and found.name in by_name:
            found = by_name[found.name]
    given = {
        "role": one.role,
        "full_name": one.full_name,
        "extension": one.extension,
        "tenant": one.tenant,
    }
    values: dict[str, str | None] = {name: value for name, value in given.items() if value is not None}
    values |= {name: value or None for name, value in (("email", one.email), ("team", one.team)) if value is not None}
    return msgspec.structs.replace(found, **values)


def _taken_addresses(
    planned: Mapping[str, PersonRow], line_of: Mapping[str, int], by_email: Mapping[str, PersonRow]
) -> list[str]:
    """Mistakes about addresses of people who keep theirs."""
    mistakes = []
    for name, person in planned.items():
        owner = by_email.get(person.email) if person.email else None
        if owner is not None and owner.name != name and planned.get(owner.name, owner).email == person.email:
            mistakes.append(f"line {line_of[name]}: the e-mail address is that of {owner.name}")
    return mistakes


def _teams(named: Mapping[str, str | None], there: Sequence[TeamRow]) -> list[TeamRow]:
    managers = {team.name: team.manager_email for team in there}
    return [
        TeamRow(name=name, manager_email=managers.get(name, "") if manager is None else manager)
        for name, manager in named.items()
    ]
