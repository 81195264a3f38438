"""People and teams over REST, for admins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final, Literal, cast

from aiohttp import web

from daemon.accounts.errors import AccountError, AddressTakenError, OwnAccountError, UnknownNameError
from daemon.accounts.people import People, Person, Team
from daemon.config import Role
from daemon.stores.database import DatabaseAwayError
from daemon.stores.people import PersonRow, TeamRow
from web.auth import Auth, Needs
from web.endpoint import JSON, Answer, Asked, Endpoint, Handler, json_response
from web.people_payloads import (
    PasswordWish,
    PeoplePayload,
    PersonPayload,
    PersonWish,
    TeamPayload,
    TeamsPayload,
    TeamWish,
)
from web.problems import ProblemError
from web.sources import Sources

_PERSON: Final = "/api/v1/people/{name}"
_PERSON_NAME: Final = {"name": "The name that the person signs in by."}
_TEAM: Final = "/api/v1/teams/{name}"
_TEAM_NAME: Final = {"name": "The team's name."}
_ANY: Final = {"name": "[^/]+"}
"""Any sign may stand in a name."""


class PeopleRoutes:
    """Everybody, and what may be changed of them. A change of role holds at once, for who is signed in too."""

    def __init__(self, sources: Sources) -> None:
        self._people: People = sources.people
        self._accounts = sources.accounts
        self._auth: Auth = sources.auth
        self._live = sources.live
        self._tenants = [tenant.name for tenant in sources.config.pbx.tenant if sources.config.pbx.url]

    def endpoints(self) -> list[Endpoint]:
        """Its routes."""
        return [*self._of_people(), *self._of_teams()]

    def _of_people(self) -> list[Endpoint]:
        one = {JSON: PersonPayload}
        return [
            _endpoint("GET", "/api/v1/people", "Everybody", self.list_people, {JSON: PeoplePayload}),
            _endpoint("GET", _PERSON, "One person", self.get_person, one, named=_PERSON_NAME, errors=(404,)),
            Endpoint(
                method="PUT",
                path=_PERSON,
                tag="people",
                summary="Add a person, or replace what is said of them",
                description="Their password stays. Nobody can take away their own role.",
                handler=self.put_person,
                needs=Needs.ADMIN,
                path_parameters=_PERSON_NAME,
                patterns=_ANY,
                body=PersonWish,
                answers=(Answer(200, "Replaced.", one), Answer(201, "Added.", one)),
                errors=(409,),
            ),
            Endpoint(
                method="PUT",
                path=f"{_PERSON}/password",
                tag="people",
                summary="Give a person a password",
                description="It ends their sessions.",
                handler=self.put_password,
                needs=Needs.ADMIN,
                path_parameters=_PERSON_NAME,
                patterns=_ANY,
                body=PasswordWish,
                answers=(Answer(204, "It is theirs now."),),
                errors=(404,),
            ),
            _endpoint(
                "DELETE", _PERSON, "Remove a person", self.delete_person, None, named=_PERSON_NAME, errors=(404, 409)
            ),
        ]

    def _of_teams(self) -> list[Endpoint]:
        one = {JSON: TeamPayload}
        return [
            _endpoint("GET", "/api/v1/teams", "All teams", self.list_teams, {JSON: TeamsPayload}),
            _endpoint("GET", _TEAM, "One team", self.get_team, one, named=_TEAM_NAME, errors=(404,)),
            Endpoint(
                method="PUT",
                path=_TEAM,
                tag="people",
                summary="Add a team, or replace what is said of it",
                handler=self.put_team,
                needs=Needs.ADMIN,
                path_parameters=_TEAM_NAME,
                patterns=_ANY,
                body=TeamWish,
                answers=(Answer(200, "Replaced.", one), Answer(201, "Added.", one)),
            ),
            _endpoint(
                "DELETE",
                _TEAM,
                "Remove a team; its people stay",
                self.delete_team,
                None,
                named=_TEAM_NAME,
                errors=(404,),
            ),
        ]

    # People

    async def list_people(self, _: Asked[None, None]) -> PeoplePayload:
        """All of them."""
        return PeoplePayload([_person(one) for one in await self._people.list_people()], self._tenants)

    async def get_person(self, asked: Asked[None, None]) -> PersonPayload:
        """One of them."""
        with _problems():
            return _person(await self._people.get_person(asked.path("name")))

    async def put_person(self, asked: Asked[None, PersonWish]) -> web.Response:
        """Add or replace."""
        wish = asked.body
        row = PersonRow(
            name=asked.path("name"),
            role=wish.role,
            full_name=wish.full_name,
            email=wish.email or None,
            team=wish.team or None,
            extension=wish.extension.strip(),
            tenant=wish.tenant,
        )
        with _problems():
            is_new = await self._people.save_person(row, by=self._auth.actor(asked.request))
            await self._recheck()
            person = await self._people.get_person(row.name)
        return json_response(_person(person), 201 if is_new else 200)

    async def put_password(self, asked: Asked[None, PasswordWish]) -> None:
        """Give one."""
        with _problems():
            await self._accounts.set_password(
                asked.path("name"), asked.body.password, by=self._auth.actor(asked.request)
            )
        await self._recheck()

    async def delete_person(self, asked: Asked[None, None]) -> None:
        """Remove."""
        with _problems():
            await self._people.remove_person(asked.path("name"), by=self._auth.actor(asked.request))
        await self._recheck()

    async def _recheck(self) -> None:
        """Whoever looks at live calls as somebody they are no more is signed out now, and not at the next look."""
        with suppress(DatabaseAwayError):
            await self._live.recheck()

    # Teams

    async def list_teams(self, _: Asked[None, None]) -> TeamsPayload:
        """All of them."""
        return TeamsPayload([_team(one) for one in await self._people.list_teams()])

    async def get_team(self, asked: Asked[None, None]) -> TeamPayload:
        """One of them."""
        with _problems():
            return _team(await self._people.get_team(asked.path("name")))

    async def put_team(self, asked: Asked[None, TeamWish]) -> web.Response:
        """Add or replace."""
        row = TeamRow(name=asked.path("name"), manager_email=asked.body.manager_email)
        with _problems():
            is_new = await self._people.save_team(row, by=self._auth.actor(asked.request))
            team = await self._people.get_team(row.name)
        return json_response(_team(team), 201 if is_new else 200)

    async def delete_team(self, asked: Asked[None, None]) -> None:
        """Remove."""
        with _problems():
            await self._people.remove_team(asked.path("name"), by=self._auth.actor(asked.request))


def _endpoint(
    method: Literal["GET", "DELETE"],
    path: str,
    summary: str,
    handler: Handler,
    content: Mapping[str, type] | None,
    *,
    named: Mapping[str, str] | None = None,
    errors: tuple[int, ...] = (),
) -> Endpoint:
    """One without a body, which answers ``content`` or nothing."""
    answer = Answer(204, "Done.") if content is None else Answer(200, "As it stands.", content)
    return Endpoint(
        method=method,
        path=path,
        tag="people",
        summary=summary,
        handler=handler,
        needs=Needs.ADMIN,
        path_parameters=named or {},
        patterns=_ANY if named else {},
        answers=(answer,),
        errors=errors,
    )


@contextmanager
def _problems() -> Iterator[None]:
    """Turn what accounts say no to into problems."""
    try:
        yield
    except UnknownNameError as error:
        raise ProblemError(404, "Not found", _sentence(error)) from error
    except (AddressTakenError, OwnAccountError) as error:
        raise ProblemError(409, "Not possible", _sentence(error)) from error
    except AccountError as error:
        raise ProblemError(422, "Not understood", _sentence(error)) from error


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _person(person: Person) -> PersonPayload:
    row = person.row
    return PersonPayload(
        name=row.name,
        full_name=row.full_name,
        email=row.email or "",
        team=row.team or "",
        role=cast(Role, row.role),
        extension=row.extension,
        tenant=row.tenant,
        may_sign_in=row.may_sign_in,
        in_webex=row.webex_person_id is not None,
        tgday=None if person.tgday is None else person.tgday.isoformat(),
    )


def _team(team: Team) -> TeamPayload:
    return TeamPayload(team.row.name, team.row.manager_email, team.size)
