"""How mail is sent: what an admin has stored, else what the configuration says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.actor import Actor
from daemon.config import MailConfig
from daemon.mail.errors import KeyMissingError, NotReadyError, SettingsRefusedError
from daemon.mail.sealing import Seals, UnsealableError
from daemon.mail_rules import is_mail_host
from daemon.secrets import MAIL_PASSWORD, MAIL_PASSWORD_KEY, Secrets, mail_password_keys
from daemon.stores.audit import AuditRow, add_audit
from daemon.stores.database import Database
from daemon.stores.smtpinfo import SmtpInfoRow, Tls, get_smtpinfo, remove_smtpinfo, save_smtpinfo
from protocols.mail_addresses import MailAddressError, mail_address

_LONGEST_PASSWORD: Final = 1_000

NOBODY: Final = "nobody has said how mail is sent: do so in the console, by parley mail set, or in [mail]"


class MailAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account at a mail server. ``password`` is ``""`` for one that asks for none; else ``sender`` is the name that
    goes with it. ``recipient`` gets what has no other recipient, ``""`` for nobody."""

    sender: str
    host: str
    port: int
    tls: Tls
    password: str = ""
    recipient: str = ""

    @property
    def place(self) -> str:
        """Whom the password is for."""
        return "\n".join((self.sender, self.host, str(self.port), self.tls))


class ShownSettings(msgspec.Struct, frozen=True):
    """The account, without its password. ``is_stored``: an admin has set it, else it is the configuration's;
    ``problem`` is why it cannot be used, ``""`` where it can."""

    account: MailAccount
    has_password: bool
    is_stored: bool
    problem: str


class MailSettings:
    """The one account. ``clock`` gives Unix seconds. Every method raises ``DatabaseAwayError`` where the database is.

    Raises ``UnreadableSecretError`` for a key that ``parley check`` would have refused.
    """

    def __init__(
        self, database: Database, config: MailConfig, secrets: Secrets, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._clock = clock
        self._seals = Seals(mail_password_keys(secrets))
        self._configured = _configured(config, secrets)

    @property
    def has_key(self) -> bool:
        """Whether a password can be stored."""
        return bool(self._seals)

    async def account(self) -> MailAccount:
        """The account to send by. Raises :class:`NotReadyError`."""
        async with self._database.read() as connection:
            account = await self._account(connection)
        if account is None:
            raise NotReadyError(NOBODY)
        return account

    async def shown(self) -> ShownSettings | None:
        """What there is to see of it; ``None`` where nobody has said how mail is sent."""
        async with self._database.read() as connection:
            row = await get_smtpinfo(connection)
        if row is None:
            if self._configured is None:
                return None
            return ShownSettings(_without_password(self._configured), bool(self._configured.password), False, "")
        problem = ""
        try:
            self._opened(row)
        except NotReadyError as error:
            problem = str(error)
        return ShownSettings(_plain(row), bool(row.password), True, problem)

    async def save(self, account: MailAccount, *, keep_password: bool, by: Actor) -> None:
        """Store ``account``, in the place of what was there. ``keep_password``: its password is the one in use now.

        That is for the same sender, server, port and encryption alone: else who may do this could have it sent to a
        server of their own. Raises :class:`SettingsRefusedError`, :class:`KeyMissingError` or :class:`NotReadyError`.
        """
        account = _checked(account)
        async with self._database.transaction() as connection:
            if keep_password:
                account = msgspec.structs.replace(account, password=await self._kept(connection, account))
            if account.password and not self._seals:
                raise KeyMissingError(
                    f"there is no key to encrypt the password with: put what parley mail key prints into the secret "
                    f"{MAIL_PASSWORD_KEY}, and start Parley again"
                )
            sealed = self._seals.seal(account.password, account.place) if account.password else ""
            row = SmtpInfoRow(**msgspec.structs.asdict(account) | {"password": sealed})
            await save_smtpinfo(connection, row)
            detail = {"host": row.host, "port": str(row.port), "tls": row.tls, "password": "kept"}
            if not keep_password:
                detail["password"] = "given" if sealed else "none"
            await self._audit(connection, by, "mail_settings_changed", row.sender, **detail)

    async def remove(self, *, by: Actor) -> bool:
        """Forget what was stored: the configuration's counts again. False: there was nothing."""
        async with self._database.transaction() as connection:
            removed = await remove_smtpinfo(connection)
            if removed:
                await self._audit(connection, by, "mail_settings_removed", "")
        return removed

    async def _account(self, connection: AsyncConnection) -> MailAccount | None:
        row = await get_smtpinfo(connection)
        return self._configured if row is None else self._opened(row)

    def _opened(self, row: SmtpInfoRow) -> MailAccount:
        account = _plain(row)
        if not row.password:
            return account
        try:
            return msgspec.structs.replace(account, password=self._seals.open(row.password, account.place))
        except UnsealableError as error:
            raise NotReadyError(
                f"the mail server's password cannot be read with the secret {MAIL_PASSWORD_KEY}: give it again"
            ) from error

    async def _kept(self, connection: AsyncConnection, account: MailAccount) -> str:
        current = await self._account(connection)
        if current is None or not current.password:
            return ""
        if current.place != account.place:
            raise SettingsRefusedError("the password was given for another account or server: give it again")
        return current.password

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


def _configured(config: MailConfig, secrets: Secrets) -> MailAccount | None:
    if not config.host:
        return None
    return MailAccount(
        sender=mail_address(config.sender),
        host=config.host,
        port=config.port,
        tls=config.tls,
        password=secrets.get(MAIL_PASSWORD) or "",
        recipient=mail_address(config.recipient) if config.recipient else "",
    )


def _plain(row: SmtpInfoRow) -> MailAccount:
    return MailAccount(**msgspec.structs.asdict(row) | {"password": ""})


def _without_password(account: MailAccount) -> MailAccount:
    return msgspec.structs.replace(account, password="")


def _checked(account: MailAccount) -> MailAccount:
    host = account.host.strip()
    if not is_mail_host(host):
        raise SettingsRefusedError("a mail server is a host name or an address, without its port")
    if len(account.password) > _LONGEST_PASSWORD or not account.password.isprintable():
        raise SettingsRefusedError("a password is one line")
    try:
        sender = mail_address(account.sender)
        recipient = mail_address(account.recipient) if account.recipient.strip() else ""
    except MailAddressError as error:
        raise SettingsRefusedError(str(error)) from error
    return msgspec.structs.replace(account, host=host, sender=sender, recipient=recipient)
