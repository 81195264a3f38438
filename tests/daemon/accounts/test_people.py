"""People and teams as an admin sees to them, on both engines."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from datetime import date

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.accounts.accounts import Accounts
from daemon.accounts.errors import (
    AddressTakenError,
    NameRefusedError,
    OwnAccountError,
    PersonRefusedError,
    UnknownNameError,
)
from daemon.accounts.people import People
from daemon.accounts.people_file import PeopleFileError, read_people
from daemon.actor import Actor
from daemon.stores.accounts import set_role
from daemon.stores.audit import latest_audit
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, TeamRow, get_team, remove_team, save_people, save_teams
from daemon.stores.tgdays import TgdayRow, save_tgday
from tests.daemon.accounts.conftest import Clock
from tests.daemon.held_up import until_held_up

PASSWORD = "맑은 하늘 파란 우산 한 개"
CHIEF = Actor("chief", "session", "192.0.2.7")
SHELL = Actor("", "command")
MINA = PersonRow(name="mina", role="operator", full_name="김미나", email="mina@example.com", extension="2001")
SALES = TeamRow(name="영업팀", manager_email="lead@example.com")


@pytest.fixture
def people(database: Database, accounts: Accounts, clock: Clock) -> People:
    return People(database, accounts.recogniser, tenants=["main", "busan"], clock=clock)


async def audited(database: Database) -> Sequence[tuple[str, str, dict[str, str]]]:
    """What was done to whom, oldest first."""
    async with database.read() as connection:
        rows = await latest_audit(connection, 100)
    return [(row.action, row.subject, row.detail) for row in reversed(rows)]


async def rows_of(people: People) -> list[PersonRow]:
    return [one.row for one in await people.list_people()]


async def test_somebody_is_added_changed_and_removed(people: People, database: Database) -> None:
    assert await people.save_team(SALES, by=CHIEF)
    spelled = msgspec.structs.replace(MINA, name=" MINA ", email=" Mina@Example.com", team=" 영업팀 ", tenant="main")
    assert await people.save_person(spelled, by=CHIEF)
    whole = msgspec.structs.replace(MINA, team="영업팀", tenant="main")
    async with database.transaction() as connection:
        await save_tgday(connection, TgdayRow(user_name="mina", date=date(2026, 3, 14), entered_at=1.0))
    found = await people.get_person("Mina")
    assert (found.row, found.tgday) == (whole, date(2026, 3, 14))
    assert not await people.save_person(msgspec.structs.replace(whole, role="viewer"), by=CHIEF)
    assert [(team.row, team.size) for team in await people.list_teams()] == [(SALES, 1)]
    await people.remove_person("mina", by=CHIEF)
    assert await people.list_people() == []
    assert await audited(database) == [
        ("team_added", "영업팀", {}),
        ("person_added", "mina", {}),
        ("person_changed", "mina", {}),
        ("role_changed", "mina", {"role": "viewer"}),
        ("user_removed", "mina", {}),
    ]


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ({"name": "mi na"}, NameRefusedError, "a name has"),
        ({"email": "mina"}, PersonRefusedError, "an e-mail address has"),
        ({"email": "jun@example.com"}, AddressTakenError, "that e-mail address is jun's"),
        ({"team": "없는 팀"}, PersonRefusedError, "there is no team 없는 팀"),
        ({"tenant": "daegu"}, PersonRefusedError, "there is no tenant daegu; there are busan, main"),
        ({"extension": "-1"}, PersonRefusedError, "an extension has"),
        ({"extension": "11a4"}, PersonRefusedError, "no letter right behind the digits"),
        ({"name": ".."}, NameRefusedError, "a name is neither . nor .."),
        ({"full_name": "가\n나"}, PersonRefusedError, "the name of a person has"),
        ({"full_name": "가" * 101}, PersonRefusedError, "the name of a person has"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    people: People, wrong: dict[str, str], error: type[Exception], text: str
) -> None:
    jun = PersonRow(name="jun", role="viewer", email="jun@example.com")
    await people.save_person(jun, by=CHIEF)
    with pytest.raises(error, match=text):
        await people.save_person(msgspec.structs.replace(MINA, **wrong), by=CHIEF)
    assert await rows_of(people) == [jun]


async def test_teams_are_changed_and_leave_their_people_behind(people: People, database: Database) -> None:
    with pytest.raises(PersonRefusedError, match="a team has a name"):
        await people.save_team(TeamRow(name=" "), by=CHIEF)
    with pytest.raises(PersonRefusedError, match=r"a name is neither \. nor"):
        await people.save_team(TeamRow(name=" .. "), by=CHIEF)
    with pytest.raises(PersonRefusedError, match="an e-mail address has"):
        await people.save_team(TeamRow(name="영업팀", manager_email="lead"), by=CHIEF)
    await people.save_team(SALES, by=CHIEF)
    assert not await people.save_team(TeamRow(name="영업팀", manager_email="New@example.com"), by=CHIEF)
    assert (await people.get_team("영업팀")).row.manager_email == "new@example.com"
    letters = unicodedata.normalize("NFD", "영업팀")
    assert not await people.save_team(TeamRow(name=letters, manager_email="new@example.com"), by=CHIEF)
    await people.save_person(msgspec.structs.replace(MINA, team=letters), by=CHIEF)
    assert (await people.get_team(letters)).size == 1
    await people.remove_team("영업팀", by=CHIEF)
    assert (await people.get_person("mina")).row.team is None
    for asked in (people.get_team("영업팀"), people.get_person("nobody")):
        with pytest.raises(UnknownNameError):
            await asked
    for removed in (people.remove_team("영업팀", by=CHIEF), people.remove_person("nobody", by=CHIEF)):
        with pytest.raises(UnknownNameError):
            await removed
    assert [action for action, _, _ in await audited(database)] == [
        "team_added",
        "team_changed",
        "team_changed",
        "person_added",
        "team_removed",
    ]


async def test_a_change_holds_for_sessions_at_once(people: People, accounts: Accounts) -> None:
    await accounts.add_user("mina", PASSWORD, "admin")
    token = (await accounts.sign_in("mina", PASSWORD, "192.0.2.7")).token
    account = await accounts.session(token)
    assert account is not None
    assert account.role == "admin"
    await people.save_person(MINA, by=CHIEF)
    account = await accounts.session(token)
    assert account is not None
    assert account.role == "operator"
    await people.import_people(read_people(b"name,role\nmina,viewer\n"), by=SHELL)
    account = await accounts.session(token)
    assert account is not None
    assert account.role == "viewer"
    assert (await people.get_person("mina")).row.may_sign_in, "the password stays"
    await people.remove_person("mina", by=CHIEF)
    assert await accounts.session(token) is None


async def test_nobody_takes_their_own_role_or_account_away(people: People) -> None:
    mina = Actor("mina", "session")
    await people.save_person(msgspec.structs.replace(MINA, role="admin"), by=CHIEF)
    with pytest.raises(OwnAccountError):
        await people.remove_person("MINA", by=mina)
    with pytest.raises(OwnAccountError):
        await people.save_person(MINA, by=mina)
    await people.save_person(msgspec.structs.replace(MINA, role="admin", full_name="김민아"), by=mina)
    await people.save_person(MINA, by=Actor("mina", "token"))
    assert (await people.get_person("mina")).row.role == "operator", "a token of that name is somebody else"


async def test_a_file_adds_replaces_and_makes_teams(people: People, database: Database) -> None:
    await people.save_person(msgspec.structs.replace(MINA, role="admin"), by=CHIEF)
    content = (
        "아이디,이름,이메일,팀,팀장 이메일\n"
        "mina,김민아,mina@example.com,상담팀,care@example.com\n"
        ",박준,jun@example.com,상담팀,\n"
    )
    planned = await people.import_people(read_people(content.encode()), by=SHELL, dry_run=True)
    assert (planned.new, planned.changed, planned.new_teams) == (["jun@example.com"], ["mina"], ["상담팀"])
    assert await rows_of(people) == [msgspec.structs.replace(MINA, role="admin")], "nothing was written"
    await people.import_people(read_people(content.encode()), by=SHELL)
    jun = PersonRow(name="jun@example.com", role="viewer", full_name="박준", email="jun@example.com", team="상담팀")
    mina = msgspec.structs.replace(MINA, role="admin", full_name="김민아", team="상담팀")
    assert await rows_of(people) == [jun, mina], "what no column names stays"
    assert (await people.get_team("상담팀")).row.manager_email == "care@example.com"
    assert (await audited(database))[-1] == ("people_imported", "", {"people": "2", "new": "1", "teams": "1"})
    again = await people.import_people(read_people(content.encode()), by=SHELL)
    assert (again.new, again.changed, again.new_teams) == ([], [], [])


async def test_without_a_name_the_address_says_who_it_is(people: People, database: Database) -> None:
    await people.save_person(MINA, by=CHIEF)
    await people.import_people(read_people(b"email,extension,role\nMINA@example.com,,admin\n"), by=SHELL)
    assert await rows_of(people) == [msgspec.structs.replace(MINA, extension="", role="admin")]
    assert (await audited(database))[-1] == ("role_changed", "mina", {"role": "admin"})


async def test_addresses_may_change_hands_in_one_file(people: People) -> None:
    jun = PersonRow(name="jun", role="viewer", email="jun@example.com")
    await people.save_person(MINA, by=CHIEF)
    await people.save_person(jun, by=CHIEF)
    await people.import_people(read_people(b"name,email\nmina,jun@example.com\njun,mina@example.com\n"), by=SHELL)
    assert [row.email for row in await rows_of(people)] == ["mina@example.com", "jun@example.com"]


async def test_a_file_that_does_not_fit_those_who_are_there_changes_nothing(people: People) -> None:
    await people.save_person(MINA, by=CHIEF)
    content = (
        "name,email,tenant\n"
        "jun,mina@example.com,\n"
        "sora,sora@example.com,daegu\n"
        f",{'x' * 60}@example.com,\n"
        "ok,ok@example.com,busan\n"
    )
    with pytest.raises(PeopleFileError) as refusal:
        await people.import_people(read_people(content.encode()), by=SHELL)
    assert refusal.value.mistakes == [
        "line 2: the e-mail address is that of mina",
        'line 3: there is no tenant "daegu"; there are busan, main',
        "line 4: a name has 1 to 64 characters, none of them a space or control character",
    ]
    twice = read_people(b"name,email\nmina,\n,mina@example.com\n")
    with pytest.raises(PeopleFileError, match="1 mistake"):
        await people.import_people(twice, by=SHELL)
    assert await rows_of(people) == [MINA]


async def test_what_changes_while_a_file_is_imported_is_not_undone(people: People, database: Database) -> None:
    await people.save_team(SALES, by=CHIEF)
    await people.save_person(MINA, by=CHIEF)
    file = read_people("name,full_name,team\nmina,김민아,영업팀\n".encode())
    async with database.transaction() as connection:
        await save_teams(connection, [TeamRow(name="영업팀", manager_email="new@example.com")])
        await set_role(connection, "mina", "viewer")
        importing = asyncio.create_task(people.import_people(file, by=SHELL))
        await until_held_up(database, importing)
    await importing
    changed = msgspec.structs.replace(MINA, role="viewer", full_name="김민아", team="영업팀")
    assert await rows_of(people) == [changed], "the file says nothing of roles"
    assert (await people.get_team("영업팀")).row.manager_email == "new@example.com"


async def test_two_who_add_the_same_people_and_teams_wait_for_one_another(people: People, database: Database) -> None:
    jun, mina = (PersonRow(name=name, role="viewer", team=f"{name}'s") for name in ("jun", "mina"))
    file = read_people(b"name,team\nmina,mina's\njun,jun's\n")

    async def add_one_by_one(add: Callable[[AsyncConnection, PersonRow], Awaitable[None]]) -> None:
        async with database.transaction() as connection:
            await add(connection, jun)
            importing = asyncio.create_task(people.import_people(file, by=SHELL))
            await until_held_up(database, importing)
            await add(connection, mina)
        await importing
        assert await rows_of(people) == [jun, mina]

    await add_one_by_one(lambda connection, row: save_teams(connection, [TeamRow(name=row.team or "")]))
    for row in (jun, mina):
        await people.remove_person(row.name, by=CHIEF)
    await add_one_by_one(lambda connection, row: save_people(connection, [row], now=1.0))


async def test_nobody_gets_into_a_team_that_is_being_removed(people: People, database: Database) -> None:
    await people.save_team(SALES, by=CHIEF)
    async with database.transaction() as connection:
        await remove_team(connection, "영업팀")
        saving = asyncio.create_task(people.save_person(msgspec.structs.replace(MINA, team="영업팀"), by=CHIEF))
        await until_held_up(database, saving)
    with pytest.raises(PersonRefusedError, match="there is no team 영업팀"):
        await saving
    assert await rows_of(people) == []


async def test_whoever_just_got_into_a_team_leaves_it_with_the_team(people: People, database: Database) -> None:
    await people.save_team(SALES, by=CHIEF)
    async with database.transaction() as connection:
        assert await get_team(connection, "영업팀", to_stay=True) == SALES
        await save_people(connection, [msgspec.structs.replace(MINA, team="영업팀")], now=1.0)
        removing = asyncio.create_task(people.remove_team("영업팀", by=CHIEF))
        await until_held_up(database, removing)
    await removing
    assert await rows_of(people) == [MINA]
