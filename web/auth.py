"""Maps a request to an account, and says what each kind of route needs.

An account is recognised by an API token (``Authorization: Bearer``), by the session cookie, or by who is on the other
end of a Unix socket. The cookie is sent by browsers for whatever page asks, so with it a request that changes
something, or opens a WebSocket, must come from our own pages.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from daemon.accounts.account import Account
from daemon.accounts.accounts import Accounts
from daemon.actor import Actor
from daemon.config import Role, WebConfig
from web.addresses import (
    Address,
    address_behind,
    client_address,
    is_forwarded,
    is_in,
    is_local,
    networks_of,
    peer_address,
    unix_socket,
)
from web.identity import IDENTITY, Identity
from web.problems import ProblemError
from web.views import View, view_for

COOKIE: Final = "parley_session"

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_PEER_CREDENTIALS: Final = struct.Struct("3i")  # pid, uid, gid


class Needs(StrEnum):
    """What a route asks of who calls it; the roles include those above them."""

    NOTHING = "nothing"
    SOURCE = "source"
    """What is configured for the source that calls: the handler lets it in, and no account."""
    METRICS = "metrics"
    """Nothing from this host and the networks named in the configuration, else a viewer."""
    DOCS = "docs"
    """Nothing, unless the documents are closed: then a viewer."""
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


_ROLES: Final[Mapping[Needs, Role | None]] = {
    Needs.NOTHING: None,
    Needs.SOURCE: None,
    Needs.VIEWER: "viewer",
    Needs.OPERATOR: "operator",
    Needs.ADMIN: "admin",
}


class Auth:
    """The rules of one configuration."""

    def __init__(self, accounts: Accounts, config: WebConfig) -> None:
        self._accounts = accounts
        self._config = config
        self._trusted = networks_of(config.trusted_proxies)
        self._metrics = networks_of(config.metrics_networks)

    # Who

    def address(self, request: web.Request) -> Address | None:
        """Who sent the request, ``None`` over a Unix socket."""
        return client_address(request, self._trusted)

    def address_behind(self, address: Address | None, forwarded_for: Sequence[str]) -> Address | None:
        """Who sent what came from ``address`` with these values of ``X-Forwarded-For``."""
        return address_behind(address, forwarded_for, self._trusted)

    def actor(self, request: web.Request) -> Actor:
        """Whom the audit names for what is done by a request that somebody was identified in."""
        account, address = request[IDENTITY].account, self.address(request)
        return Actor(account.name, account.via, "" if address is None else str(address))

    async def identify(self, request: web.Request) -> Identity | None:
        """Who sends the request, and remember it there. A credential that is not valid is nobody's.

        Raises ``DatabaseAwayError`` when it cannot be looked up.
        """
        identity = await self._identity(request)
        if identity is not None:
            request[IDENTITY] = identity
        return identity

    async def _identity(self, request: web.Request) -> Identity | None:
        account: Account | None
        authorization = request.headers.get("Authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            token = token.strip()
            account = await self._accounts.by_api_token(token) if scheme.lower() == "bearer" else None
        elif token := request.cookies.get(COOKIE, ""):
            account = await self._accounts.session(token)
        else:
            account = _by_peer(request)
        return Identity(account, token) if account is not None else None

    def view(self, identity: Identity) -> View:
        """What that account may see."""
        return view_for(identity.account, self._config.full_numbers)

    # What for

    def is_insider(self, request: web.Request) -> bool:
        """Whether the request comes from this host or a network that may read metrics."""
        return is_local(request, self._trusted) or is_in(self.address(request), self._metrics)

    async def admit(self, request: web.Request, needs: Needs) -> Identity | None:
        """Let the request pass or raise :class:`~web.problems.ProblemError` 401 or 403.

        Returns who it is where that had to be asked.
        """
        role = self._least_role(request, needs)
        if role is None:
            return None
        identity = await self.identify(request)
        if identity is None:
            headers = {"WWW-Authenticate": "Bearer"}
            raise ProblemError(401, "Sign in first", "A session cookie or an API token is needed.", headers)
        if not identity.account.may(role):
            raise ProblemError(403, "Not allowed", f"This needs the role {role}.")
        if identity.by_cookie and (request.method not in _SAFE or opens_socket(request)):
            self.require_same_origin(request, strictly=True)
        return identity

    def _least_role(self, request: web.Request, needs: Needs) -> Role | None:
        if needs is Needs.METRICS:
            return None if self.is_insider(request) else "viewer"
        if needs is Needs.DOCS:
            return None if self._config.open_docs else "viewer"
        return _ROLES[needs]

    def require_same_origin(self, request: web.Request, *, strictly: bool) -> None:
        """Raise 403 for a request that another site's page made.

        ``strictly`` also refuses one that does not say where it comes from; browsers always do for what is not safe.
        """
        site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin")
        if site is not None:
            foreign = site != "same-origin"  # no page can forge it, but over plain http browsers leave it out
        elif origin is not None:
            foreign = urlsplit(origin).netloc.lower() != self._host(request)
        else:
            foreign = strictly
        if foreign:
            raise ProblemError(403, "Not from here", "Cross-site requests are refused.")

    def _host(self, request: web.Request) -> str:
        """The host and port that the browser asked for."""
        if is_in(peer_address(request), self._trusted) and "X-Forwarded-Host" in request.headers:
            return request.headers["X-Forwarded-Host"].rpartition(",")[2].strip().lower()
        return request.headers.get("Host", "").lower()


def opens_socket(request: web.Request) -> bool:
    """Whether the request asks to become a WebSocket, in the way it must."""
    return request.headers.get("Upgrade", "").lower() == "websocket" and "upgrade" in [
        part.strip() for part in request.headers.get("Connection", "").lower().split(",")
    ]


def _by_peer(request: web.Request) -> Account | None:
    """Root and our own user, on the other end of a Unix socket, are admins; not so whom a proxy speaks for."""
    raw = unix_socket(request)
    if raw is None or is_forwarded(request):
        return None
    credentials = raw.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
    _, uid, _ = _PEER_CREDENTIALS.unpack(credentials)
    if uid not in (0, os.geteuid()):
        return None
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Account(name=name, role="admin", via="socket")
