"""Signing in and being recognised, on both engines."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import event, text

from daemon.accounts.account import Account
from daemon.accounts.accounts import Accounts
from daemon.accounts.errors import (
    ExtensionRefusedError,
    NameRefusedError,
    NameTakenError,
    PasswordRefusedError,
    SignInRefused,
    TooManyAttempts,
    UnknownNameError,
)
from daemon.accounts.passwords import Passwords
from daemon.accounts.recogniser import COARSE, FRESH_FOR
from daemon.config import WebConfig
from daemon.stores.audit import AuditRow, latest_audit
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.people import PersonRow, save_people
from tests.daemon.accounts.conftest import CHEAP, Clock
from tests.services.postgres import PostgresServer

PASSWORD = "맑은 하늘 파란 우산 한 개"
HERE = "192.0.2.7"
ADMIN = Account("chief", "admin", "session")


async def audited(database: Database) -> list[AuditRow]:
    async with database.read() as connection:
        return await latest_audit(connection, 100)


async def everything_stored(database: Database) -> str:
    async with database.read() as connection:
        tables = ("users", "sessions", "api_tokens", "audit")
        rows = [(await connection.execute(text(f"SELECT * FROM {table}"))).all() for table in tables]
    return str(rows)


def test_roles_are_ordered() -> None:
    allowed = {
        role: [needed for needed in ("viewer", "operator", "admin") if Account("a", role, "token").may(needed)]
        for role in ("viewer", "operator", "admin")
    }
    assert allowed == {
        "viewer": ["viewer"],
        "operator": ["viewer", "operator"],
        "admin": ["viewer", "operator", "admin"],
    }


async def test_a_user_signs_in_is_recognised_and_signs_out(accounts: Accounts, clock: Clock) -> None:
    await accounts.add_user("Kim", PASSWORD, "operator")
    session = await accounts.sign_in("ＫＩＭ ", PASSWORD, HERE)
    assert session.account == Account("kim", "operator", "session")
    assert session.expires_at == clock.now + 43_200.0
    assert await accounts.session(session.token) == session.account
    await accounts.sign_out(session.token)
    assert await accounts.session(session.token) is None
    await accounts.sign_out(session.token)


async def test_a_session_ends_by_itself(accounts: Accounts, database: Database, clock: Clock) -> None:
    await accounts.add_user("kim", PASSWORD, "viewer")
    session = await accounts.sign_in("kim", PASSWORD, HERE)
    clock.pass_by(43_199)
    assert await accounts.session(session.token) == session.account
    clock.pass_by(1)
    assert await accounts.session(session.token) is None
    await accounts.sign_in("kim", PASSWORD, HERE)
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM sessions"))).scalar() == 1


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("kim", PASSWORD[:-1]),
        ("kim", PASSWORD * 100),
        ("lee", PASSWORD),
        ("", PASSWORD),
        ("a\0b", PASSWORD),
        ("kim", "\ud800"),
    ],
)
async def test_a_wrong_name_or_password_is_refused_alike(accounts: Accounts, name: str, password: str) -> None:
    await accounts.add_user("kim", PASSWORD, "viewer")
    with pytest.raises(SignInRefused, match="the name or the password is not right"):
        await accounts.sign_in(name, password, HERE)


async def test_hangul_typed_as_letters_is_the_same_password(accounts: Accounts) -> None:
    composed = unicodedata.normalize("NFC", "한글 비밀번호 예시 입니다")
    decomposed = unicodedata.normalize("NFD", composed)
    assert decomposed != composed
    await accounts.add_user("kim", composed, "viewer")
    assert (await accounts.sign_in("kim", decomposed, HERE)).account.name == "kim"


async def test_no_secret_is_stored_or_audited(accounts: Accounts, database: Database) -> None:
    await accounts.add_user("kim", PASSWORD, "viewer")
    session = await accounts.sign_in("kim", PASSWORD, HERE)
    token = await accounts.new_token("wallboard", "viewer")
    stored = await everything_stored(database)
    for secret in (PASSWORD, session.token, token, token.removeprefix("parley_")):
        assert secret not in stored
    assert "wallboard" in stored


async def test_wrong_passwords_are_limited_by_name_and_by_address(accounts: Accounts, clock: Clock) -> None:
    await accounts.add_user("kim", PASSWORD, "viewer")

    async def fail(name: str, address: str) -> None:
        with pytest.raises(SignInRefused):
            await accounts.sign_in(name, "not the password", address)

    for _ in range(5):
        await fail("kim", "192.0.2.1")
        clock.pass_by(1)
    with pytest.raises(TooManyAttempts) as refused:
        await accounts.sign_in("kim", PASSWORD, "192.0.2.1")
    assert refused.value.retry_after == 295.0
    assert (await accounts.sign_in("kim", PASSWORD, HERE)).account.name == "kim", "a stranger keeps nobody out"
    for number in range(45):
        await fail("kim", f"203.0.113.{number}")
    with pytest.raises(TooManyAttempts):
        await accounts.sign_in("kim", PASSWORD, HERE)
    for number in range(5):
        await fail(f"somebody-{number}", "198.51.100.1")
    with pytest.raises(TooManyAttempts):
        await accounts.sign_in("somebody-else", PASSWORD, "198.51.100.1")
    clock.pass_by(300)
    assert (await accounts.sign_in("kim", PASSWORD, "192.0.2.200")).account.name == "kim"


async def test_many_attempts_at_once_are_not_more_than_many_in_turn(accounts: Accounts) -> None:
    await accounts.add_user("kim", PASSWORD, "viewer")
    attempts = [accounts.sign_in("kim", f"a wrong password {number}", HERE) for number in range(20)]
    outcomes = [type(outcome) for outcome in await asyncio.gather(*attempts, return_exceptions=True)]
    assert outcomes.count(SignInRefused) == 5
    assert outcomes.count(TooManyAttempts) == 15


async def test_right_passwords_are_not_limited(accounts: Accounts) -> None:
    await accounts.add_user("kim", PASSWORD, "viewer")
    for _ in range(12):
        await accounts.sign_in("kim", PASSWORD, HERE)


async def test_a_new_password_ends_the_users_sessions(accounts: Accounts) -> None:
    await accounts.add_user("kim", PASSWORD, "viewer")
    await accounts.add_user("lee", PASSWORD, "viewer")
    mine, other = [await accounts.sign_in(name, PASSWORD, HERE) for name in ("kim", "lee")]
    assert await accounts.session(mine.token)
    await accounts.set_password("Kim", "another long password")
    assert await accounts.session(mine.token) is None
    assert await accounts.session(other.token) == other.account
    with pytest.raises(SignInRefused):
        await accounts.sign_in("kim", PASSWORD, HERE)
    await accounts.sign_in("kim", "another long password", HERE)


async def test_a_person_has_an_extension(accounts: Accounts, database: Database) -> None:
    await accounts.add_user("kim", PASSWORD, "operator")
    kim = (await accounts.sign_in("kim", PASSWORD, HERE)).account
    assert await accounts.extension_of(kim) == ""
    await accounts.set_extension("KIM", "2002", by=ADMIN)
    assert await accounts.extension_of(kim) == "2002"
    assert [user.extension for user in await accounts.list_users()] == ["2002"]
    changed = (await audited(database))[0]
    assert (changed.actor, changed.action, changed.detail) == ("chief", "extension_changed", {"extension": "2002"})
    await accounts.set_extension("kim", "")
    assert await accounts.extension_of(kim) == ""


async def test_who_has_no_extension(accounts: Accounts) -> None:
    await accounts.add_user("kim", PASSWORD, "operator")
    await accounts.set_extension("kim", "2002")
    assert await accounts.extension_of(Account("kim", "operator", "token")) == "", "a token of the same name is nobody"
    assert await accounts.extension_of(Account("lee", "operator", "session")) == ""
    with pytest.raises(UnknownNameError):
        await accounts.set_extension("lee", "2002")
    for extension in ("20 02", "2002\n", "1" * 65, "-both", "11a4"):
        with pytest.raises(ExtensionRefusedError):
            await accounts.set_extension("kim", extension)


async def test_a_new_role_holds_at_once_and_a_removed_user_is_gone(accounts: Accounts) -> None:
    await accounts.add_user("kim", PASSWORD, "admin")
    session = await accounts.sign_in("kim", PASSWORD, HERE)
    assert await accounts.session(session.token) == Account("kim", "admin", "session")
    await accounts.set_role("kim", "viewer")
    assert await accounts.session(session.token) == Account("kim", "viewer", "session")
    assert [(user.name, user.role) for user in await accounts.list_users()] == [("kim", "viewer")]
    await accounts.remove_user("kim")
    assert await accounts.session(session.token) is None
    assert await accounts.list_users() == []


async def test_names_are_unique_whatever_their_case(accounts: Accounts) -> None:
    await accounts.add_user("kim", PASSWORD, "admin")
    with pytest.raises(NameTakenError, match="there is a user kim already"):
        await accounts.add_user("KIM", PASSWORD, "viewer")
    await accounts.new_token("board", "viewer")
    with pytest.raises(NameTakenError):
        await accounts.new_token("Board", "viewer")


@pytest.mark.parametrize("name", ["", "   ", "a b", "a\tb", "a\0b", "x" * 65, "\ud800", ".", " .. ", "\u2025"])
async def test_names_that_cannot_be(accounts: Accounts, name: str) -> None:
    for attempt in (accounts.add_user(name, PASSWORD, "viewer"), accounts.new_token(name, "viewer")):
        with pytest.raises(NameRefusedError):
            await attempt
    with pytest.raises(NameRefusedError):
        accounts.one_time_code("viewer", name)


@pytest.mark.parametrize(
    ("password", "word"),
    [("short", "at least 12"), ("x" * 1025, "at most 1024"), ("abababababababab", "few"), ("kim.operator", "the name")],
)
async def test_passwords_that_are_refused(accounts: Accounts, password: str, word: str) -> None:
    with pytest.raises(PasswordRefusedError, match=word):
        await accounts.add_user("kim.operator", password, "viewer")
    assert await accounts.list_users() == []


async def test_who_is_not_there_cannot_be_changed(accounts: Accounts) -> None:
    for change in (
        accounts.set_password("nobody", PASSWORD),
        accounts.set_role("nobody", "admin"),
        accounts.remove_user("nobody"),
        accounts.revoke_token("nobody"),
    ):
        with pytest.raises(UnknownNameError, match="nobody"):
            await change


async def test_api_tokens(accounts: Accounts, clock: Clock) -> None:
    token = await accounts.new_token("wallboard", "operator")
    assert token.startswith("parley_")
    (listed,) = await accounts.list_tokens()
    assert (listed.name, listed.role, listed.last_used_at) == ("wallboard", "operator", None)
    first_use = clock.now
    assert await accounts.by_api_token(token) == Account("wallboard", "operator", "token")
    clock.pass_by(COARSE / 2)
    assert await accounts.by_api_token(token)
    assert (await accounts.list_tokens())[0].last_used_at == first_use
    clock.pass_by(COARSE)
    assert await accounts.by_api_token(token)
    assert (await accounts.list_tokens())[0].last_used_at == clock.now
    await accounts.revoke_token("wallboard")
    assert await accounts.by_api_token(token) is None
    assert await accounts.list_tokens() == []


@pytest.mark.parametrize("token", ["", "x", "parley_", "parley_" + "x" * 43, "x" * 43, "\ud800" * 43, "가" * 43])
async def test_tokens_that_are_nobodys(accounts: Accounts, token: str) -> None:
    assert await accounts.session(token) is None
    assert await accounts.by_api_token(token) is None


async def test_a_one_time_code_works_once_and_not_for_long(accounts: Accounts, clock: Clock) -> None:
    code = accounts.one_time_code("admin", "demo")
    session = await accounts.redeem(code)
    assert session.account == Account("demo", "admin", "session")
    assert await accounts.session(session.token) == session.account
    old = accounts.one_time_code("admin", "demo")
    clock.pass_by(600)
    for worthless in (code, old, "", "never was"):
        with pytest.raises(SignInRefused):
            await accounts.redeem(worthless)


async def test_a_one_time_code_is_not_used_up_while_the_database_is_away(
    accounts: Accounts, database: Database
) -> None:
    code = accounts.one_time_code("admin", "demo")
    async with database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE sessions RENAME TO gone")
    with pytest.raises(DatabaseAwayError):
        await accounts.redeem(code)
    async with database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE gone RENAME TO sessions")
    assert (await accounts.redeem(code)).account.name == "demo"
    with pytest.raises(SignInRefused):
        await accounts.redeem(code)


async def test_changes_leave_a_trail(accounts: Accounts, database: Database) -> None:
    await accounts.add_user("kim", PASSWORD, "viewer")
    await accounts.set_role("kim", "operator", by=ADMIN)
    await accounts.sign_in("kim", PASSWORD, HERE)
    await accounts.new_token("board", "viewer", by=ADMIN)
    trail = [(row.actor, row.via, row.action, row.subject, row.address) for row in await audited(database)]
    assert trail == [
        ("chief", "session", "token_added", "board", ""),
        ("kim", "session", "signed_in", "kim", HERE),
        ("chief", "session", "role_changed", "kim", ""),
        ("", "command", "user_added", "kim", ""),
    ]
    assert (await audited(database))[2].detail == {"role": "operator"}


async def test_a_hash_of_older_parameters_is_renewed(database: Database, clock: Clock) -> None:
    older = Accounts(database, WebConfig(), clock=clock, passwords=Passwords(CHEAP))
    await older.add_user("kim", PASSWORD, "viewer")
    stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    newer = Accounts(database, WebConfig(), clock=clock, passwords=stronger)
    clock.pass_by(60)
    session = await newer.sign_in("kim", PASSWORD, HERE)
    assert "m=16,t=2" in await everything_stored(database)
    assert await newer.session(session.token) == session.account
    assert (await newer.list_users())[0].password_changed_at == clock.now - 60
    await newer.sign_in("kim", PASSWORD, HERE)


def count_statements(database: Database) -> list[str]:
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(database._engine.sync_engine, "before_cursor_execute", note)
    return statements


async def test_being_recognised_again_asks_no_database(accounts: Accounts, database: Database, clock: Clock) -> None:
    await accounts.add_user("kim", PASSWORD, "viewer")
    session = await accounts.sign_in("kim", PASSWORD, HERE)
    token = await accounts.new_token("board", "viewer")
    asked: list[tuple[Callable[[str], Awaitable[Account | None]], str]] = [
        (accounts.session, session.token),
        (accounts.by_api_token, token),
        (accounts.session, "x" * 43),
    ]
    first = [await ask(value) for ask, value in asked]
    statements = count_statements(database)
    for _ in range(50):
        assert [await ask(value) for ask, value in asked] == first
    assert statements == []
    clock.pass_by(FRESH_FOR)
    assert [await ask(value) for ask, value in asked] == first
    assert statements


async def test_another_process_s_change_is_seen_soon(accounts: Accounts, database: Database, clock: Clock) -> None:
    await accounts.add_user("kim", PASSWORD, "admin")
    session = await accounts.sign_in("kim", PASSWORD, HERE)
    assert await accounts.session(session.token)
    await Accounts(database, WebConfig(), clock=clock, passwords=Passwords(CHEAP)).remove_user("kim")
    clock.pass_by(FRESH_FOR)
    assert await accounts.session(session.token) is None


async def test_the_recognised_stay_so_while_the_database_is_away(postgres_server: PostgresServer) -> None:
    database = Database.of(postgres_server.url(), timeout=5.0)
    await database.upgrade()
    clock = Clock()
    accounts = Accounts(database, WebConfig(login_attempts=1), clock=clock, passwords=Passwords(CHEAP))
    await accounts.add_user("kim", PASSWORD, "viewer")
    session = await accounts.sign_in("kim", PASSWORD, HERE)
    assert await accounts.session(session.token) == session.account
    await asyncio.to_thread(postgres_server.stop)
    for _ in range(3):
        clock.pass_by(FRESH_FOR)
        assert await accounts.session(session.token) == session.account
    with pytest.raises(DatabaseAwayError):
        await accounts.session("x" * 43)
    for _ in range(3):
        with pytest.raises(DatabaseAwayError):
            await accounts.sign_in("kim", PASSWORD, HERE)
    await asyncio.to_thread(postgres_server.start)
    await accounts.sign_in("kim", PASSWORD, HERE)
    postgres_server.pause()
    clock.pass_by(FRESH_FOR)
    assert await accounts.session(session.token) == session.account
    clock.pass_by(43_200)
    assert await accounts.session(session.token) is None
    postgres_server.resume()
    await database.close()


async def test_somebody_without_a_password_cannot_sign_in(accounts: Accounts, database: Database) -> None:
    async with database.transaction() as connection:
        await save_people(connection, [PersonRow(name="mina", role="admin")], now=1000.0)
    for password in ("", PASSWORD):
        with pytest.raises(SignInRefused):
            await accounts.sign_in("mina", password, HERE)
    await accounts.set_password("mina", PASSWORD)
    assert (await accounts.sign_in("mina", PASSWORD, HERE)).account.may("admin")
