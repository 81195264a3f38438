"""How mail is sent: stored with an encrypted password, else as the configuration says."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from daemon.config import MailConfig
from daemon.mail.errors import KeyMissingError, NotReadyError, SettingsRefusedError
from daemon.mail.sealing import Seals, UnsealableError, new_key
from daemon.mail.settings import MailAccount, MailSettings
from daemon.secrets import Secrets
from daemon.stores.audit import latest_audit
from daemon.stores.database import Database
from daemon.stores.smtpinfo import get_smtpinfo, save_smtpinfo
from tests.daemon.mail.conftest import ADMIN, KEY

PASSWORD = "비밀번호 하나"
ACCOUNT = MailAccount(
    sender="parley@example.com",
    host="mail.example.com",
    port=587,
    tls="starttls",
    password=PASSWORD,
    recipient="lead@example.com",
)
CONFIGURED = MailConfig(host="relay.example.com", port=465, tls="implicit", sender="config@example.com")


def settings(database: Database, config: MailConfig | None = None, *keys: str, password: str = "") -> MailSettings:
    environment = {"PARLEY_MAIL_PASSWORD": password}
    for name, key in zip(("PARLEY_MAIL_PASSWORD_KEY", "PARLEY_MAIL_PASSWORD_KEY_2"), keys or (KEY,), strict=False):
        environment[name] = key
    return MailSettings(database, config or MailConfig(), Secrets(environment))


async def test_what_was_said_is_kept_and_the_password_never_in_the_clear(database: Database) -> None:
    kept = settings(database)
    assert await kept.shown() is None
    with pytest.raises(NotReadyError, match="nobody has said how mail is sent"):
        await kept.account()
    await kept.save(ACCOUNT, keep_password=False, by=ADMIN)
    assert await kept.account() == ACCOUNT
    shown = await kept.shown()
    assert shown is not None
    assert (shown.account, shown.has_password, shown.is_stored) == (replace(ACCOUNT, password=""), True, True)
    async with database.read() as connection:
        row = await get_smtpinfo(connection)
        [audit] = await latest_audit(connection, 5)
    assert row is not None
    assert PASSWORD not in row.password
    assert (audit.actor, audit.action, audit.subject) == ("chief", "mail_settings_changed", "parley@example.com")
    assert audit.detail == {"host": "mail.example.com", "port": "587", "tls": "starttls", "password": "given"}
    assert await kept.remove(by=ADMIN)
    assert not await kept.remove(by=ADMIN)
    assert await kept.shown() is None


async def test_the_password_stays_unless_another_is_given(database: Database) -> None:
    kept = settings(database)
    await kept.save(ACCOUNT, keep_password=False, by=ADMIN)
    await kept.save(replace(ACCOUNT, password="", recipient=""), keep_password=True, by=ADMIN)
    assert await kept.account() == replace(ACCOUNT, recipient="")
    await kept.save(replace(ACCOUNT, password=""), keep_password=False, by=ADMIN)
    assert (await kept.account()).password == ""


@pytest.mark.parametrize(
    "elsewhere",
    [{"host": "mail.example.net"}, {"port": 25}, {"tls": "none"}, {"sender": "other@example.com"}],
)
async def test_a_kept_password_goes_nowhere_else(database: Database, elsewhere: dict[str, Any]) -> None:
    kept = settings(database)
    await kept.save(ACCOUNT, keep_password=False, by=ADMIN)
    with pytest.raises(SettingsRefusedError, match="give it again"):
        await kept.save(replace(ACCOUNT, **elsewhere), keep_password=True, by=ADMIN)
    assert await kept.account() == ACCOUNT
    # Nor where somebody writes into the store by hand.
    async with database.transaction() as connection:
        row = await get_smtpinfo(connection)
        assert row is not None
        await save_smtpinfo(connection, replace(row, **elsewhere))
    with pytest.raises(NotReadyError, match="cannot be read"):
        await kept.account()


async def test_a_key_is_changed_for_another(database: Database) -> None:
    await settings(database).save(ACCOUNT, keep_password=False, by=ADMIN)
    newer = new_key()
    both = settings(database, None, newer, KEY)
    assert await both.account() == ACCOUNT
    lost = settings(database, None, newer)
    with pytest.raises(NotReadyError, match="mail-password-key"):
        await lost.account()
    shown = await lost.shown()
    assert shown is not None
    assert "cannot be read" in shown.problem
    await both.save(replace(ACCOUNT, password=""), keep_password=True, by=ADMIN)
    assert await lost.account() == ACCOUNT, "what is saved is encrypted with the first key"


async def test_without_a_key_no_password_is_stored(database: Database) -> None:
    kept = settings(database, None, "")
    with pytest.raises(KeyMissingError, match="parley mail key"):
        await kept.save(ACCOUNT, keep_password=False, by=ADMIN)
    await kept.save(replace(ACCOUNT, password=""), keep_password=False, by=ADMIN)
    assert (await kept.account()).host == "mail.example.com"


async def test_the_configuration_counts_where_nothing_is_stored(database: Database) -> None:
    kept = settings(database, CONFIGURED, password=PASSWORD)
    configured = MailAccount(
        sender="config@example.com", host="relay.example.com", port=465, tls="implicit", password=PASSWORD
    )
    assert await kept.account() == configured
    shown = await kept.shown()
    assert shown is not None
    assert (shown.account.password, shown.has_password, shown.is_stored) == ("", True, False)
    await kept.save(replace(configured, password="", recipient="lead@example.com"), keep_password=True, by=ADMIN)
    assert await kept.account() == replace(configured, recipient="lead@example.com")
    await kept.save(ACCOUNT, keep_password=False, by=ADMIN)
    assert await kept.account() == ACCOUNT
    await kept.remove(by=ADMIN)
    assert await kept.account() == configured


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": ""},
        {"host": "smtp://mail.example.com"},
        {"host": "mail.example.com\r\nQUIT"},
        {"host": "mail.example.com:587"},
        {"host": "mail..example.com"},
        {"sender": "nobody"},
        {"recipient": "nobody"},
        {"password": "two\nlines"},
        {"password": "a" * 1001},
    ],
)
async def test_what_cannot_be_is_refused(database: Database, wrong: dict[str, Any]) -> None:
    kept = settings(database)
    with pytest.raises(SettingsRefusedError):
        await kept.save(replace(ACCOUNT, **wrong), keep_password=False, by=ADMIN)
    assert await kept.shown() is None


@pytest.mark.parametrize("broken", ["", "1.", "1.AAAA", "2.AAAA", "1.?", f"1.{'A' * 60}"])
def test_what_was_never_sealed_cannot_be_opened(broken: str) -> None:
    with pytest.raises(UnsealableError):
        Seals([bytes(32)]).open(broken, "here")


def test_what_is_sealed_is_another_text_each_time() -> None:
    seals = Seals([bytes(32)])
    one, other = seals.seal(PASSWORD, "here"), seals.seal(PASSWORD, "here")
    assert one != other
    assert seals.open(one, "here") == seals.open(other, "here") == PASSWORD
    with pytest.raises(UnsealableError):
        seals.open(one, "there")
