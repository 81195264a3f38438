"""Who sends a request: the account, and the token it was recognised by."""

from __future__ import annotations

from typing import Final

import msgspec
from aiohttp import web

from daemon.accounts.account import Account
from daemon.accounts.accounts import Accounts


class Identity(msgspec.Struct, frozen=True):
    """Somebody we know. ``token`` is the session cookie's or the header's value, ``""`` over a Unix socket."""

    account: Account
    token: str = ""

    @property
    def by_cookie(self) -> bool:
        """Whether a browser sent the credential by itself, as it does for whatever page asks."""
        return self.account.via == "session"


IDENTITY: Final = web.RequestKey("identity", Identity)
"""Set on every request of somebody who was asked for."""


async def still_known(accounts: Accounts, identity: Identity) -> bool:
    """Whether the session or token still stands for the same account.

    Raises ``DatabaseAwayError`` when nobody can tell.
    """
    account = identity.account
    if account.via == "session":
        return await accounts.session(identity.token) == account
    if account.via == "token":
        return await accounts.by_api_token(identity.token) == account
    return True
