"""Who somebody turned out to be, and what that allows."""

from __future__ import annotations

from typing import Literal

import msgspec

from daemon.config import Role
from daemon.roles import includes


class Account(msgspec.Struct, frozen=True, gc=False):
    """Somebody who was recognised: by a session, an API token, or as the peer of our Unix socket."""

    name: str
    role: Role
    via: Literal["session", "token", "socket"]

    def may(self, role: Role) -> bool:
        """Whether this account has at least ``role``: viewers read, operators act, admins configure."""
        return includes(self.role, role)


class Session(msgspec.Struct, frozen=True, gc=False):
    """A sign-in. ``token`` is the secret that the browser keeps, ``expires_at`` Unix seconds."""

    token: str
    account: Account
    expires_at: float


class User(msgspec.Struct, frozen=True, gc=False):
    """A person with a password. Times are Unix seconds."""

    name: str
    role: Role
    created_at: float
    password_changed_at: float
    extension: str = ""


class ApiToken(msgspec.Struct, frozen=True, gc=False):
    """A machine's token, without the token. ``last_used_at`` is right to within ten minutes."""

    name: str
    role: Role
    created_at: float
    last_used_at: float | None
