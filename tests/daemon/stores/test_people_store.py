"""People, teams, dates and the mail account in the store, on both engines."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from daemon.stores.accounts import set_password_hash
from daemon.stores.database import Database, RowRefusedError
from daemon.stores.people import (
    PersonRow,
    TeamRow,
    find_person_by_email,
    find_person_by_webex_id,
    get_person,
    link_person_to_webex,
    list_people,
    list_teams,
    remove_team,
    save_people,
    save_teams,
)
from daemon.stores.smtpinfo import SmtpInfoRow, get_smtpinfo, remove_smtpinfo, save_smtpinfo
from daemon.stores.tgdays import TgdayRow, get_tgday, list_tgdays, remove_tgday, save_tgday

SALES, CARE = TeamRow(name="영업팀", manager_email="lead@example.com"), TeamRow(name="상담팀")
MINA = PersonRow(
    name="mina",
    role="operator",
    full_name="김미나",
    email="mina@example.com",
    team="영업팀",
    extension="2001",
    tenant="main",
)
JUN = PersonRow(name="jun", role="viewer", full_name="박준", team="상담팀")


async def save(database: Database, *people: PersonRow) -> None:
    async with database.transaction() as connection:
        await save_teams(connection, [SALES, CARE])
        await save_people(connection, people, now=1000.0)


async def test_people_are_found_by_what_is_theirs_alone(database: Database) -> None:
    await save(database, MINA, JUN)
    async with database.transaction() as connection:
        assert await link_person_to_webex(connection, "mina", webex_person_id="P1", room_id="R1")
        assert not await link_person_to_webex(connection, "nobody", webex_person_id="P2", room_id="R2")
    linked = msgspec.structs.replace(MINA, webex_person_id="P1", room_id="R1")
    async with database.read() as connection:
        assert await get_person(connection, "jun") == JUN
        assert await find_person_by_email(connection, "mina@example.com") == linked
        assert await find_person_by_email(connection, "jun@example.com") is None
        assert await find_person_by_webex_id(connection, "P1") == linked
        assert await list_people(connection) == [JUN, linked]
        assert await list_people(connection, team="영업팀") == [linked]
    assert (MINA.called, PersonRow(name="sora", role="viewer").called) == ("김미나", "sora")


async def test_who_somebody_is_at_webex_moves_to_another_row_and_a_room_that_is_known_stays(database: Database) -> None:
    await save(database, MINA, JUN)
    async with database.transaction() as connection:
        await link_person_to_webex(connection, "mina", webex_person_id="P1", room_id="R1")
        await link_person_to_webex(connection, "jun", webex_person_id="P1", room_id="")
        await link_person_to_webex(connection, "mina", webex_person_id="P3", room_id="")
    async with database.read() as connection:
        found = await list_people(connection)
    assert [(one.webex_person_id, one.room_id) for one in found] == [("P1", ""), ("P3", "R1")]


async def test_saving_again_replaces_what_a_file_says_and_nothing_else(database: Database) -> None:
    await save(database, MINA)
    async with database.transaction() as connection:
        await link_person_to_webex(connection, "mina", webex_person_id="P1", room_id="R1")
        await set_password_hash(connection, "mina", "hashed", changed_at=2000.0)
    again = PersonRow(name="mina", role="admin", full_name="김민아", email="mina.kim@example.com", team="상담팀")
    await save(database, again)
    async with database.read() as connection:
        known = msgspec.structs.replace(again, webex_person_id="P1", room_id="R1", may_sign_in=True)
        assert await get_person(connection, "mina") == known


async def test_an_address_belongs_to_one_person(database: Database) -> None:
    await save(database, MINA)
    with pytest.raises(RowRefusedError):
        await save(database, msgspec.structs.replace(JUN, email="mina@example.com"))
    async with database.read() as connection:
        assert await list_people(connection) == [MINA]


async def test_the_people_of_a_team_that_is_removed_are_in_none(database: Database) -> None:
    await save(database, MINA, JUN)
    async with database.transaction() as connection:
        assert await remove_team(connection, "영업팀")
        assert not await remove_team(connection, "영업팀")
    async with database.read() as connection:
        assert await list_teams(connection) == [CARE]
        assert (await get_person(connection, "mina")) == msgspec.structs.replace(MINA, team=None)


async def test_somebody_has_one_date_that_goes_with_them(database: Database) -> None:
    await save(database, MINA, JUN)
    first = TgdayRow(user_name="mina", date=date(2026, 12, 1), entered_at=1.0)
    second = TgdayRow(user_name="mina", date=date(2026, 12, 24), entered_at=2.0)
    other = TgdayRow(user_name="jun", date=date(2026, 12, 31), entered_at=3.0)
    async with database.transaction() as connection:
        await save_tgday(connection, first)
        await save_tgday(connection, second)
        await save_tgday(connection, other)
    with pytest.raises(RowRefusedError):
        async with database.transaction() as connection:
            await save_tgday(connection, msgspec.structs.replace(first, user_name="nobody"))
    async with database.read() as connection:
        assert await get_tgday(connection, "mina") == second
        assert await list_tgdays(connection, date(2026, 12, 1), date(2026, 12, 31)) == [second, other]
        assert await list_tgdays(connection, date(2026, 12, 1), date(2026, 12, 30)) == [second]
        assert await list_tgdays(connection, date(2026, 12, 1), date(2026, 12, 31), team="상담팀") == [other]
    async with database.transaction() as connection:
        assert await remove_tgday(connection, "mina")
        assert not await remove_tgday(connection, "mina")
    async with database.read() as connection:
        assert await get_tgday(connection, "mina") is None


async def test_there_is_one_mail_account(database: Database) -> None:
    async with database.read() as connection:
        assert await get_smtpinfo(connection) is None
    first = SmtpInfoRow(sender="bot@example.com", host="mail.example.com", port=587, tls="starttls", password="gAAAA")
    second = SmtpInfoRow(
        sender="bot@example.com", host="mx.example.com", port=25, tls="none", recipient="a@example.com"
    )
    for row in (first, second):
        async with database.transaction() as connection:
            await save_smtpinfo(connection, row)
        async with database.read() as connection:
            assert await get_smtpinfo(connection) == row
    async with database.transaction() as connection:
        assert await remove_smtpinfo(connection)
        assert not await remove_smtpinfo(connection)
