"""Reads and sets call forwarding on every server of a tenant, and says what is really stored.

A change is made under a lock of the store, so that two Parleys, or two people, never mix theirs; it names the version
it was decided on; and there is an audit row of it before the first byte goes out, and another of what became of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec
import structlog

from daemon.pbx.contract import (
    Actor,
    Conflict,
    Diversion,
    Diversions,
    ExtensionDiversions,
    PbxError,
    PbxRefused,
    PbxTimeout,
    PbxUnavailable,
    ServerDiversion,
    UsageError,
)
from daemon.pbx.gateway import Gateway
from daemon.pbx.tenants import Tenant, Tenants
from daemon.stores.audit import AuditRow, add_audit
from daemon.stores.database import Database
from daemon.stores.locks import give_lock_back, take_lock
from protocols.dcmiws.actions import Action, check_supplied, database_del, database_get, database_put
from protocols.dcmiws.answers import (
    DatabaseAnswer,
    Found,
    Missing,
    NotRemoved,
    Refused,
    Removed,
    Updated,
    database_answer,
)
from protocols.dcmiws.diversions import DISABLED, ENABLED, DiversionKeys, DiversionKind, is_number
from protocols.errors import LocalError

log = structlog.get_logger(__name__)

ANY_VERSION: Final = "*"

_LOCK_TIME: Final = 60.0
"""Seconds that a change holds its lock at most: more than all its requests may take."""
_MOST_HOPS: Final = 5
_LOCK_PATIENCE: Final = 5.0
_LOCK_PAUSE: Final = 0.1
_FEATURE: Final = "Diversion"


class _Wish(msgspec.Struct, frozen=True):
    """What is to be stored of one kind; ``None`` leaves it, ``""`` removes a destination."""

    kind: DiversionKind
    enabled: bool | None = None
    destination: str | None = None
    clear: bool = False


class _Trail(msgspec.Struct, frozen=True):
    """Whose change of what the audit tells of."""

    actor: Actor
    subject: str


class DiversionService(Diversions):
    """Implements :class:`~daemon.pbx.contract.Diversions`. ``clock`` gives Unix seconds."""

    def __init__(
        self,
        gateway: Gateway,
        tenants: Tenants,
        keys: DiversionKeys,
        database: Database,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._gateway = gateway
        self._tenants = tenants
        self._keys = keys
        self._database = database
        self._clock = clock
        self._holder = uuid.uuid4().hex

    # Reading

    async def read(
        self, extension: str, *, tenant: str | None = None, server: str | None = None
    ) -> ExtensionDiversions:
        """As the contract says."""
        owner = self._owner(extension, tenant)
        servers = owner.servers
        if server is not None:
            if server not in servers:
                raise UsageError(f"the tenant {owner.name} has no server {server[:40]!r}")
            servers = (server,)
        return await self._read(owner, extension, servers)

    def _owner(self, extension: str, alias: str | None) -> Tenant:
        _check_extension(extension)
        return self._tenants.of(extension, alias)

    async def _read(self, tenant: Tenant, extension: str, servers: Sequence[str]) -> ExtensionDiversions:
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
            diversions.append(_diversion(kind, stored))
        version = _version(*(diversion.version for diversion in diversions))
        return ExtensionDiversions(tenant=tenant.name, extension=extension, version=version, diversions=diversions)

    async def _read_server(
        self, tenant: Tenant, extension: str, server: str
    ) -> dict[DiversionKind, ServerDiversion] | PbxError:
        """What one server stores, or why it cannot be read: one that is away does not hide the others."""
        try:
            found = await asyncio.gather(*(self._read_kind(tenant, extension, server, kind) for kind in DiversionKind))
        except (PbxUnavailable, PbxTimeout, PbxRefused) as error:
            return error
        return dict(zip(DiversionKind, found, strict=True))

    async def _read_kind(self, tenant: Tenant, extension: str, server: str, kind: DiversionKind) -> ServerDiversion:
        enable = database_get(tenant.id, self._keys.enable_key(extension, kind))
        destination = database_get(tenant.id, self._keys.destination_key(extension, kind))
        enabled, number = await asyncio.gather(
            self._ask(tenant, extension, server, enable), self._ask(tenant, extension, server, destination)
        )
        for answer in (enabled, number):
            if not isinstance(answer, Found | Missing):
                raise PbxRefused(_said(answer, tenant))
        return ServerDiversion(
            server=server,
            enabled=not isinstance(enabled, Found) or enabled.value == ENABLED,
            destination=self._keys.read_destination(number.value) if isinstance(number, Found) else "",
        )

    async def _ask(self, tenant: Tenant, extension: str, server: str, action: Action) -> DatabaseAnswer:
        frame = await self._gateway.ask(server, action, feature=_FEATURE, tenant=tenant.id, extension=extension)
        return database_answer(frame)

    # Changing

    async def change(
        self,
        extension: str,
        kind: DiversionKind,
        *,
        actor: Actor,
        version: str,
        tenant: str | None = None,
        enabled: bool | None = None,
        destination: str | None = None,
    ) -> ExtensionDiversions:
        """As the contract says."""
        wish = _Wish(kind, enabled, None if destination is None else _bare(destination))
        return await self.change_several(extension, [wish], actor=actor, version=version, tenant=tenant)

    async def clear(
        self,
        extension: str,
        kind: DiversionKind | None,
        *,
        actor: Actor,
        version: str,
        tenant: str | None = None,
    ) -> ExtensionDiversions:
        """As the contract says."""
        wishes = [_Wish(one, clear=True) for one in DiversionKind if kind in (None, one)]
        return await self.change_several(extension, wishes, actor=actor, version=version, tenant=tenant)

    async def change_several(
        self, extension: str, wishes: Sequence[_Wish], *, actor: Actor, version: str, tenant: str | None = None
    ) -> ExtensionDiversions:
        """Change some kinds at once. With one wish ``version`` is that of its kind, else that of all together."""
        owner = self._owner(extension, tenant)
        for wish in wishes:
            self._check(extension, wish)
        async with self._locked(f"diversions/{owner.name}/{extension}"):
            before = await self._read(owner, extension, owner.servers)
            _check_version(before, wishes, version)
            for wish in wishes:
                await self._check_way_back(owner, extension, wish)
            trail = _Trail(actor, f"{owner.name}/{extension}")
            await self._audit(trail, "diversion_changing", before, wishes)
            failure: PbxError | None = None
            for server in owner.servers:
                try:
                    await self._write(owner, extension, server, wishes)
                except PbxError as error:
                    failure = failure or error
                    log.warning("diversion_not_written", server=server, error=str(error))
            try:
                after = await self._read(owner, extension, owner.servers)
            except PbxError as error:
                await self._audit(trail, "diversion_outcome_unknown", before, wishes)
                raise failure or error from error
            await self._audit(trail, "diversion_changed", after)
            if failure is not None and not _is_as_wished(after, wishes):
                raise failure
        return after

    def _check(self, extension: str, wish: _Wish) -> None:
        if not wish.destination:
            return
        try:
            check_supplied("the destination", wish.destination)
            self._keys.destination_value(wish.destination)
        except LocalError as error:
            raise UsageError(str(error)) from error
        if wish.destination == extension:
            raise UsageError("the destination is the extension itself: its calls would come back to it")

    async def _check_way_back(self, tenant: Tenant, extension: str, wish: _Wish) -> None:
        """Refuse a destination that forwards every call on, by however many hops, to where it came from."""
        target = wish.destination or ""
        for _ in range(_MOST_HOPS):
            if not tenant.config.extensions or not tenant.has(target):
                return
            try:
                stored = await self._read_kind(tenant, target, tenant.servers[0], DiversionKind.IMMEDIATE)
            except PbxError:
                return  # what cannot be read is no reason to refuse
            if not stored.enabled or not is_number(stored.destination):
                return
            if stored.destination == extension:
                raise UsageError(f"{target} forwards every call to {extension}: they would go round for ever")
            target = stored.destination

    async def _write(self, tenant: Tenant, extension: str, server: str, wishes: Sequence[_Wish]) -> None:
        for wish in wishes:
            for action in self._actions(tenant, extension, wish):
                answer = await self._ask(tenant, extension, server, action)
                if not isinstance(answer, Updated | Removed | NotRemoved):
                    raise PbxRefused(_said(answer, tenant))

    def _actions(self, tenant: Tenant, extension: str, wish: _Wish) -> list[Action]:
        """In the safe order: nothing is in effect on the way that is not before or after.

        Turning off comes first, and turning on last, when the destination is already the new one.
        """
        enable_key = self._keys.enable_key(extension, wish.kind)
        destination_key = self._keys.destination_key(extension, wish.kind)
        if wish.clear:
            return [database_del(tenant.id, destination_key), database_del(tenant.id, enable_key)]
        actions = []
        if wish.enabled is False:
            actions.append(database_put(tenant.id, enable_key, DISABLED))
        if wish.destination:
            actions.append(database_put(tenant.id, destination_key, self._keys.destination_value(wish.destination)))
        elif wish.destination == "":
            actions.append(database_del(tenant.id, destination_key))
        if wish.enabled is True:
            actions.append(database_put(tenant.id, enable_key, ENABLED))
        return actions

    @asynccontextmanager
    async def _locked(self, name: str) -> AsyncIterator[None]:
        holder = f"{self._holder}/{uuid.uuid4().hex}"
        loop = asyncio.get_running_loop()
        give_up = loop.time() + _LOCK_PATIENCE
        while True:
            now = self._clock()
            async with self._database.transaction() as connection:
                taken = await take_lock(connection, name, holder, now=now, until=now + _LOCK_TIME)
            if taken:
                break
            if loop.time() > give_up:
                raise Conflict("somebody else is changing it in this moment; read it again")
            await asyncio.sleep(_LOCK_PAUSE)
        try:
            yield
        finally:
            with suppress(Exception):  # it ends by itself
                async with self._database.transaction() as connection:
                    await give_lock_back(connection, name, holder)

    async def _audit(
        self, trail: _Trail, action: str, state: ExtensionDiversions, wishes: Sequence[_Wish] = ()
    ) -> None:
        """Who asks for what, and what stood or stands: an audit row without the tenant's id."""
        detail = {
            f"{diversion.kind}@{stored.server}": stored.error or f"{_word(stored.enabled)} {stored.destination}".strip()
            for diversion in state.diversions
            for stored in diversion.servers
        }
        detail |= {f"wanted {wish.kind}": _wanted(wish) for wish in wishes}
        row = AuditRow(
            at=self._clock(),
            actor=trail.actor.name,
            via=trail.actor.via,
            action=action,
            subject=trail.subject,
            address=trail.actor.address,
            detail=detail,
        )
        async with self._database.transaction() as connection:
            await add_audit(connection, row)


def wish(kind: DiversionKind, enabled: bool | None, destination: str | None) -> _Wish:
    """A change of one kind, for :meth:`DiversionService.change_several`."""
    return _Wish(kind, enabled, None if destination is None else _bare(destination))


def _diversion(kind: DiversionKind, servers: list[ServerDiversion]) -> Diversion:
    read = [stored for stored in servers if not stored.error]
    first = read[0] if read else servers[0]
    same = {(stored.enabled, stored.destination) for stored in read}
    in_effect = first.enabled and is_number(first.destination)
    return Diversion(
        kind=kind,
        enabled=first.enabled,
        destination=first.destination,
        in_effect=in_effect,
        agreed=len(read) == len(servers) and len(same) == 1,
        summary=_summary(first),
        version=_version(
            *(f"{stored.server}/{stored.enabled}/{stored.destination}/{stored.error}" for stored in servers)
        ),
        servers=servers,
    )


def _summary(stored: ServerDiversion) -> str:
    if stored.enabled and is_number(stored.destination):
        return f"forwards to {stored.destination}"
    if stored.enabled and stored.destination:
        return f"enabled, but {stored.destination!r} is no destination that Parley knows"
    if stored.enabled:
        return "enabled, but without a destination: not in effect"
    if stored.destination:
        return f"disabled; enabled, it would forward to {stored.destination}"
    return "disabled"


def _version(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _check_version(before: ExtensionDiversions, wishes: Sequence[_Wish], version: str) -> None:
    if version == ANY_VERSION:
        return
    current = before.version
    if len(wishes) == 1:
        current = next(one.version for one in before.diversions if one.kind is wishes[0].kind)
    if version not in (current, before.version):
        raise Conflict("it was changed since you read it: read it again and decide anew")


def _is_as_wished(after: ExtensionDiversions, wishes: Sequence[_Wish]) -> bool:
    by_kind = {diversion.kind: diversion for diversion in after.diversions}
    for one in wishes:
        stored = by_kind[one.kind]
        enabled = True if one.clear else one.enabled
        destination = "" if one.clear else one.destination
        if not stored.agreed or enabled not in (None, stored.enabled) or destination not in (None, stored.destination):
            return False
    return True


def _check_extension(extension: str) -> None:
    try:
        check_supplied("the extension", extension)
    except LocalError as error:
        raise UsageError(str(error)) from error
    if not extension or "/" in extension or len(extension) > 40:
        raise UsageError("an extension has 1 to 40 characters and no slash")


def _bare(destination: str) -> str:
    """A number as it is stored: hyphens are for people."""
    return destination.replace("-", "")


def _said(answer: DatabaseAnswer, tenant: Tenant) -> str:
    """What a server said, without the tenant's id: a usage text may repeat the command."""
    text = answer.text if isinstance(answer, Refused) else type(answer).__name__
    return text.replace(tenant.id, tenant.name)


def _wanted(one: _Wish) -> str:
    if one.clear:
        return "cleared"
    parts = [] if one.enabled is None else [_word(one.enabled)]
    if one.destination is not None:
        parts.append(one.destination or "no destination")
    return " ".join(parts)


def _word(enabled: bool) -> str:
    return "on" if enabled else "off"
