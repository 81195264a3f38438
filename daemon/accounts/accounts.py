"""Everybody who may come in: users with passwords, their sessions, API tokens, and codes that work once."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import cast

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.accounts.account import Account, ApiToken, Session, User
from daemon.accounts.attempts import Attempts
from daemon.accounts.codes import OneTimeCodes
from daemon.accounts.errors import ExtensionRefusedError, NameTakenError, SignInRefused, UnknownNameError
from daemon.accounts.names import checked_name, is_name, normal_name
from daemon.accounts.passwords import Passwords, check_password
from daemon.accounts.recogniser import Recogniser
from daemon.accounts.tokens import new_api_token, new_session_token, token_hash
from daemon.actor import Actor
from daemon.calls.numbers import EXTENSION, EXTENSION_RULE
from daemon.config import Role, WebConfig
from daemon.stores import accounts as store
from daemon.stores.audit import AuditRow, add_audit
from daemon.stores.database import Database, DatabaseAwayError, RowRefusedError

log = structlog.get_logger(__name__)


_FROM_EVERYWHERE = 10
"""How many times as many failed sign-ins a name has from all addresses together."""


class Accounts:
    """Who may come in. What is asked often (:meth:`session`, :meth:`by_api_token`) mostly needs no database.

    Names are compared without regard to case and width. ``by`` is who makes a change, ``None`` for the command line;
    it goes into the audit trail with the change. Every method but the two above raises ``DatabaseAwayError`` where
    the database is.
    """

    def __init__(
        self,
        database: Database,
        config: WebConfig,
        *,
        clock: Callable[[], float] = time.time,
        passwords: Passwords | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._session_lifetime = config.session_lifetime
        self._passwords = passwords or Passwords()
        self._login_attempts = config.login_attempts
        self._attempts = Attempts(config.login_window, clock)
        self._codes = OneTimeCodes(clock)
        self.recogniser = Recogniser(database, clock)

    # Users

    async def add_user(self, name: str, password: str, role: Role, *, by: Account | None = None) -> None:
        """Add a person.

        Raises :class:`NameRefusedError`, :class:`PasswordRefusedError` or :class:`NameTakenError`.
        """
        name = checked_name(name)
        check_password(name, password)
        now = self._clock()
        row = store.UserRow(
            name=name,
            password_hash=await self._passwords.hash(password),
            role=role,
            created_at=now,
            password_changed_at=now,
        )
        try:
            async with self._database.transaction() as connection:
                await store.add_user(connection, row)
                await add_audit(connection, self._audit(by, "user_added", name, role=role))
        except RowRefusedError as error:
            raise NameTakenError(f"there is a user {name} already") from error

    async def set_password(self, name: str, password: str, *, by: Actor | None = None) -> None:
        """Give a user another password, which ends their sessions.

        Raises :class:`PasswordRefusedError` or :class:`UnknownNameError`.
        """
        name = normal_name(name)
        check_password(name, password)
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as connection:
            if not await store.set_password_hash(connection, name, password_hash, changed_at=self._clock()):
                raise UnknownNameError(f"there is no user {name}")
            await store.remove_sessions_of(connection, name)
            await add_audit(connection, self._audit(by, "password_changed", name))
        self.recogniser.forget_user(name)

    async def set_role(self, name: str, role: Role, *, by: Account | None = None) -> None:
        """Give a user another role, which holds at once. Raises :class:`UnknownNameError`."""
        name = normal_name(name)
        async with self._database.transaction() as connection:
            if not await store.set_role(connection, name, role):
                raise UnknownNameError(f"there is no user {name}")
            await add_audit(connection, self._audit(by, "role_changed", name, role=role))
        self.recogniser.forget_user(name)

    async def set_extension(self, name: str, extension: str, *, by: Account | None = None) -> None:
        """Note where calls reach a user, ``""`` for nowhere.

        Raises :class:`ExtensionRefusedError` or :class:`UnknownNameError`.
        """
        name = normal_name(name)
        if extension and re.fullmatch(EXTENSION, extension) is None:
            raise ExtensionRefusedError(EXTENSION_RULE)
        async with self._database.transaction() as connection:
            if not await store.set_extension(connection, name, extension):
                raise UnknownNameError(f"there is no user {name}")
            await add_audit(connection, self._audit(by, "extension_changed", name, extension=extension))

    async def extension_of(self, account: Account) -> str:
        """Where calls reach that account; ``""`` where nobody has said so, and for what is no person."""
        if account.via != "session":
            return ""
        user = await self._user(account.name)
        return user.extension if user is not None else ""

    async def remove_user(self, name: str, *, by: Account | None = None) -> None:
        """Remove a person, which ends their sessions. Raises :class:`UnknownNameError`."""
        name = normal_name(name)
        async with self._database.transaction() as connection:
            if not await store.remove_user(connection, name):
                raise UnknownNameError(f"there is no user {name}")
            await add_audit(connection, self._audit(by, "user_removed", name))
        self.recogniser.forget_user(name)

    async def list_users(self) -> list[User]:
        """All users by name; whoever has no password does not sign in, and is none of them."""
        async with self._database.read() as connection:
            rows = await store.list_users(connection)
        return [
            User(row.name, cast(Role, row.role), row.created_at, row.password_changed_at, row.extension)
            for row in rows
            if row.password_hash
        ]

    # Sessions

    async def sign_in(self, name: str, password: str, address: str) -> Session:
        """Begin a session of a user. ``address`` is where they come from.

        Raises :class:`SignInRefused` or :class:`TooManyAttempts`.
        """
        name = normal_name(name)
        allowed = self._allowed(name, address)
        self._attempts.begin(allowed)
        try:
            session = await self._sign_in(name, password, address)
        except DatabaseAwayError:
            self._attempts.forgive(allowed)  # nobody said that the password is wrong
            raise
        self._attempts.forgive(allowed)
        return session

    def _allowed(self, name: str, address: str) -> dict[str, int]:
        """How many attempts are counted under which key.

        A name from wherever is allowed more than one from one place: else a stranger could keep its owner out.
        """
        allowed = {f"address:{address}": self._login_attempts}
        if is_name(name):
            allowed[f"name:{name}"] = self._login_attempts * _FROM_EVERYWHERE
        return allowed

    async def session(self, token: str) -> Account | None:
        """Whose session a browser's token is; ``None`` for none, an ended or an expired one.

        Somebody who was recognised before stays so while the database is away; for anybody else that raises
        ``DatabaseAwayError``.
        """
        return await self.recogniser.by_session(token)

    async def sign_out(self, token: str) -> None:
        """End a session. One that is not there is no mistake."""
        hashed = token_hash(token)
        async with self._database.transaction() as connection:
            row = await store.find_session(connection, hashed)
            if row is not None:
                await store.remove_session(connection, hashed)
                account = Account(row.name, cast(Role, row.role), "session")
                await add_audit(connection, self._audit(account, "signed_out", row.name))
        self.recogniser.forget(hashed)

    def one_time_code(self, role: Role, name: str) -> str:
        """A code that signs in once within ten minutes, as ``name`` with ``role``; nobody's password stands behind."""
        return self._codes.new(checked_name(name), role)

    async def redeem(self, code: str, address: str = "") -> Session:
        """Use a one-time code up and begin its session. Raises :class:`SignInRefused`, and ``DatabaseAwayError``, after
        which the code is as good as before."""
        found = self._codes.take(code)
        if found is None:
            log.warning("one_time_code_refused", address=address)
            raise SignInRefused
        account = Account(found.name, found.role, "session")
        try:
            async with self._database.transaction() as connection:
                return await self._begin_session(connection, account, None, address)
        except DatabaseAwayError:
            self._codes.give_back(code, found)
            raise

    # API tokens

    async def new_token(self, name: str, role: Role, *, by: Account | None = None) -> str:
        """Make an API token. It is returned here and can never be read again.

        Raises :class:`NameRefusedError` or :class:`NameTakenError`.
        """
        name = checked_name(name)
        token = new_api_token()
        row = store.ApiTokenRow(token_hash=token_hash(token), name=name, role=role, created_at=self._clock())
        try:
            async with self._database.transaction() as connection:
                await store.add_api_token(connection, row)
                await add_audit(connection, self._audit(by, "token_added", name, role=role))
        except RowRefusedError as error:
            raise NameTakenError(f"there is a token {name} already") from error
        return token

    async def list_tokens(self) -> list[ApiToken]:
        """All API tokens by name, without the tokens."""
        async with self._database.read() as connection:
            rows = await store.list_api_tokens(connection)
        return [ApiToken(row.name, cast(Role, row.role), row.created_at, row.last_used_at) for row in rows]

    async def revoke_token(self, name: str, *, by: Account | None = None) -> None:
        """Make an API token worthless. Raises :class:`UnknownNameError`."""
        name = normal_name(name)
        async with self._database.transaction() as connection:
            hashed = await store.remove_api_token(connection, name)
            if hashed is None:
                raise UnknownNameError(f"there is no token {name}")
            await add_audit(connection, self._audit(by, "token_revoked", name))
        self.recogniser.forget(hashed)

    async def by_api_token(self, token: str) -> Account | None:
        """Whose API token this is, ``None`` for nobody's. While the database is away, as :meth:`session`."""
        return await self.recogniser.by_api_token(token)

    # Within

    async def _sign_in(self, name: str, password: str, address: str) -> Session:
        user = await self._user(name) if is_name(name) else None
        if not await self._passwords.verify((user and user.password_hash) or None, password) or user is None:
            # The name stays out of the log: people type their password into the wrong field.
            log.warning("sign_in_refused", address=address, known_user=user is not None)
            raise SignInRefused
        rehashed = await self._passwords.hash(password) if self._passwords.needs_rehash(user.password_hash) else None
        async with self._database.transaction() as connection:
            current = await store.get_user(connection, name)
            if current is None or current.password_hash != user.password_hash:
                raise SignInRefused  # changed or removed while the password was being verified
            if rehashed is not None:
                await store.set_password_hash(connection, name, rehashed, changed_at=None)
            account = Account(name, cast(Role, current.role), "session")
            return await self._begin_session(connection, account, name, address)

    async def _user(self, name: str) -> store.UserRow | None:
        async with self._database.read() as connection:
            return await store.get_user(connection, name)

    async def _begin_session(
        self, connection: AsyncConnection, account: Account, user_name: str | None, address: str
    ) -> Session:
        now = self._clock()
        token = new_session_token()
        row = store.SessionRow(
            token_hash=token_hash(token),
            user_name=user_name,
            name=account.name,
            role=account.role,
            created_at=now,
            expires_at=now + self._session_lifetime,
        )
        await store.remove_expired_sessions(connection, now)
        await store.add_session(connection, row)
        await add_audit(connection, self._audit(account, "signed_in", account.name, address=address))
        return Session(token, account, row.expires_at)

    def _audit(
        self, by: Account | Actor | None, action: str, subject: str, *, address: str = "", **detail: str
    ) -> AuditRow:
        if isinstance(by, Actor):
            address = by.address
        return AuditRow(
            at=self._clock(),
            actor=by.name if by else "",
            via=by.via if by else "command",
            action=action,
            subject=subject,
            address=address,
            detail=detail,
        )
