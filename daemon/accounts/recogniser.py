"""Whose token a request carries, mostly without asking the database."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import cast

import msgspec
import structlog

from daemon.accounts.account import Account
from daemon.accounts.tokens import is_api_token, is_session_token, token_hash
from daemon.config import Role
from daemon.stores.accounts import find_api_token, find_session, note_api_token_used
from daemon.stores.database import Database, DatabaseAwayError

log = structlog.get_logger(__name__)

FRESH_FOR = 10.0
"""For how many seconds an answer of the database holds. A change by another process is seen after at most this."""
COARSE = 600.0
"""The last use of an API token is written at most this often, in seconds."""
_PATIENCE = 1.0
"""How many seconds the database is waited for about somebody who was recognised before."""
_MOST_KNOWN = 10_000
_MOST_UNKNOWN = 1_000


class _Known(msgspec.Struct, gc=False):
    account: Account
    user_name: str | None
    expires_at: float
    fresh_until: float


class Recogniser:
    """Remembers whom the database named lately.

    Who was recognised before stays so while the database is away, until their session's end: the live view goes on
    without it, and so must those who watch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        # Apart from the known, so that somebody who tries tokens does not push them out.
        self._unknown: OrderedDict[str, float] = OrderedDict()
        self._generation = 0

    async def by_session(self, token: str) -> Account | None:
        """Whose session this is; ``None`` for none that lives. Raises ``DatabaseAwayError`` about strangers."""
        if not is_session_token(token):
            return None
        return await self._recognise(token_hash(token), self._ask_session)

    async def by_api_token(self, token: str) -> Account | None:
        """Whose API token this is; ``None`` for nobody's. Raises ``DatabaseAwayError`` about strangers."""
        if not is_api_token(token):
            return None
        return await self._recognise(token_hash(token), self._ask_api_token)

    def forget(self, hashed: str) -> None:
        """The token of this hash was ended."""
        self._generation += 1
        self._known.pop(hashed, None)

    def forget_user(self, user_name: str) -> None:
        """This user was changed or removed."""
        self._generation += 1
        for hashed in [key for key, known in self._known.items() if known.user_name == user_name]:
            del self._known[hashed]

    async def _recognise(self, hashed: str, ask: Callable[[str], Awaitable[_Known | None]]) -> Account | None:
        now = self._clock()
        if self._unknown.get(hashed, now) > now:
            return None
        known = self._known.get(hashed)
        if known is not None and known.expires_at <= now:
            return None
        if known is not None and known.fresh_until > now:
            return known.account
        generation = self._generation
        try:
            async with asyncio.timeout(_PATIENCE if known else None):
                found = await ask(hashed)
        except (DatabaseAwayError, TimeoutError):
            if known is None:
                raise
            known.fresh_until = self._clock() + FRESH_FOR
            return known.account
        # Something was ended while the database was asked: its answer may be from before.
        if generation == self._generation:
            self._remember(hashed, found)
        return found.account if found else None

    def _remember(self, hashed: str, found: _Known | None) -> None:
        if found is None:
            self._known.pop(hashed, None)
            self._unknown[hashed] = self._clock() + FRESH_FOR
            while len(self._unknown) > _MOST_UNKNOWN:
                self._unknown.popitem(last=False)
            return
        self._known[hashed] = found
        self._known.move_to_end(hashed)
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    async def _ask_session(self, hashed: str) -> _Known | None:
        async with self._database.read() as connection:
            row = await find_session(connection, hashed)
        now = self._clock()
        if row is None or row.expires_at <= now:
            return None
        account = Account(row.name, cast(Role, row.role), "session")
        return _Known(account, row.user_name, row.expires_at, now + FRESH_FOR)

    async def _ask_api_token(self, hashed: str) -> _Known | None:
        async with self._database.read() as connection:
            row = await find_api_token(connection, hashed)
        if row is None:
            return None
        now = self._clock()
        if row.last_used_at is None or row.last_used_at < now - COARSE:
            await self._note_used(hashed, now)
        return _Known(Account(row.name, cast(Role, row.role), "token"), None, float("inf"), now + FRESH_FOR)

    async def _note_used(self, hashed: str, now: float) -> None:
        try:
            async with self._database.transaction() as connection:
                await note_api_token_used(connection, hashed, now)
        except DatabaseAwayError as error:
            log.warning("token_use_not_noted", error=str(error))
