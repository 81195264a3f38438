"""What the servers of a tenant store of call forwarding: asked for, understood and put side by side."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from typing import Final

from daemon.pbx.contract import (
    Diversion,
    EntryNotFound,
    ExtensionDiversions,
    PbxError,
    PbxRefused,
    PbxTimeout,
    PbxUnavailable,
    ServerDiversion,
    in_words,
)
from daemon.pbx.gateway import Gateway
from daemon.pbx.tenants import Tenant
from protocols.dcmiws.actions import Action, database_get
from protocols.dcmiws.answers import DatabaseAnswer, Found, Missing, Refused, database_answer
from protocols.dcmiws.diversions import ENABLED, DiversionKeys, DiversionKind

_FEATURE: Final = "Diversion"


class StoredDiversions:
    """Asks the servers' databases. ``is_up`` says whether a server is alive as far as one knows: one that is not is
    asked once and no more."""

    def __init__(self, gateway: Gateway, keys: DiversionKeys, is_up: Callable[[str], bool]) -> None:
        self._gateway = gateway
        self._keys = keys
        self._is_up = is_up
        # Without it a version would tell, to who tries them all, the number of which a viewer sees but a part.
        self._secret = secrets.token_bytes(32)

    async def read(self, tenant: Tenant, extension: str, servers: Sequence[str]) -> ExtensionDiversions:
        """All four kinds, from these servers. Raises a :class:`PbxError` where none of them could be read."""
        by_server = await asyncio.gather(*(self._read_server(tenant, extension, server) for server in servers))
        failures = [found for found in by_server if isinstance(found, PbxError)]
        if len(failures) == len(by_server):
            raise failures[0]
        diversions = []
        for kind in DiversionKind:
            stored = [
                ServerDiversion(server=server, error=str(found)) if isinstance(found, PbxError) else found[kind]
                for server, found in zip(servers, by_server, strict=True)
            ]
            diversions.append(self._diversion(kind, stored))
        version = self._version(*(diversion.version for diversion in diversions))
        return ExtensionDiversions(tenant=tenant.name, extension=extension, version=version, diversions=diversions)

    async def _read_server(
        self, tenant: Tenant, extension: str, server: str
    ) -> dict[DiversionKind, ServerDiversion] | PbxError:
        """What one server stores, or why it cannot be read: one that is away does not hide the others."""
        try:
            found = await asyncio.gather(*(self.read_kind(tenant, extension, server, kind) for kind in DiversionKind))
        except (PbxUnavailable, PbxTimeout, PbxRefused) as error:
            return error
        return dict(zip(DiversionKind, found, strict=True))

    async def read_kind(self, tenant: Tenant, extension: str, server: str, kind: DiversionKind) -> ServerDiversion:
        """One kind, from one server. Raises a :class:`PbxError`."""
        enabled, number = await asyncio.gather(
            self._entry_or(tenant, extension, server, self._keys.enable_key(extension, kind), default=ENABLED),
            self._entry_or(tenant, extension, server, self._keys.destination_key(extension, kind), default=""),
        )
        return ServerDiversion(
            server=server, enabled=enabled == ENABLED, destination=self._keys.read_destination(number)
        )

    async def _entry_or(self, tenant: Tenant, extension: str, server: str, key: str, *, default: str) -> str:
        """What the server's database has there; absent entries are the documented defaults."""
        try:
            return await self.entry(tenant, extension, server, key)
        except EntryNotFound:
            return default

    async def entry(self, tenant: Tenant, extension: str, server: str, key: str) -> str:
        """What a server's database has under ``key``. Raises :class:`EntryNotFound` where it has nothing there."""
        answer = await self.ask(tenant, extension, server, database_get(tenant.id, key))
        if isinstance(answer, Found):
            return answer.value
        if isinstance(answer, Missing):
            raise EntryNotFound(f"the server {server} stores nothing there")
        raise PbxRefused(said(answer, tenant))

    async def ask(self, tenant: Tenant, extension: str, server: str, action: Action) -> DatabaseAnswer:
        """One request to a server's database. Raises a :class:`PbxError` where no answer came."""
        attempts = None if self._is_up(server) else 1
        frame = await self._gateway.ask(
            server, action, feature=_FEATURE, tenant=tenant.id, extension=extension, attempts=attempts
        )
        return database_answer(frame)

    def _diversion(self, kind: DiversionKind, servers: list[ServerDiversion]) -> Diversion:
        read = [stored for stored in servers if not stored.error]
        first = read[0] if read else servers[0]
        same = {(stored.enabled, stored.destination) for stored in read}
        return Diversion(
            kind=kind,
            enabled=first.enabled,
            destination=first.destination,
            in_effect=first.in_effect,
            agreed=len(read) == len(servers) and len(same) == 1,
            summary=in_words(enabled=first.enabled, destination=first.destination),
            version=self._version(
                *(f"{stored.server}/{stored.enabled}/{stored.destination}/{bool(stored.error)}" for stored in servers)
            ),
            servers=servers,
        )

    def _version(self, *parts: str) -> str:
        return hmac.new(self._secret, "\n".join(parts).encode(), hashlib.sha256).hexdigest()[:16]


def said(answer: DatabaseAnswer, tenant: Tenant) -> str:
    """What a server said, without the tenant's id: a usage text may repeat the command."""
    text = answer.text if isinstance(answer, Refused) else type(answer).__name__
    return text.replace(tenant.id, tenant.name)
