"""Reads and sets call forwarding on every server of a tenant, and says what is really stored.

A change is made under a lock of the store, so that two Parleys, or two people, never mix theirs; it names the version
it was decided on; and there is an audit row of it before the first byte goes out, and another of what became of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec
import structlog

from daemon.actor import Actor
from daemon.pbx.contract import (
    Conflict,
    Diversion,
    Diversions,
    EntryNotFound,
    ExtensionDiversions,
    PbxError,
    PbxRefused,
    PbxTimeout,
    PbxUnavailable,
    ServerDiversion,
    UsageError,
    in_words,
)
from daemon.pbx.diversion_change import Change, Wish, wanted, wish, word
from daemon.pbx.gateway import Gateway
from daemon.pbx.tenants import Tenant, Tenants
from daemon.stores.audit import AuditRow, add_audit
from daemon.stores.database import Database, DatabaseAwayError
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
from protocols.dcmiws.diversions import DISABLED, ENABLED, DiversionKeys, DiversionKind, is_extension, is_number
from protocols.errors import LocalError

log = structlog.get_logger(__name__)

ANY_VERSION: Final = "*"

_LOCK_TIME: Final = 60.0
"""Seconds that a lock lasts if it is not renewed, which it is before each step: longer than any step may take."""
_MOST_HOPS: Final = 20
_LOCK_PATIENCE: Final = 5.0
_LOCK_PAUSE: Final = 0.1
_FEATURE: Final = "Diversion"


class _Lock(msgspec.Struct, frozen=True):
    """A lock that is held. ``renew`` is awaited before each step; it raises :class:`Conflict` where it was lost."""

    renew: Callable[[], Awaitable[None]]


class DiversionService(Diversions):
    """Implements :class:`~daemon.pbx.contract.Diversions`. ``clock`` gives Unix seconds; ``is_up`` says whether a
    server is alive as far as one knows: one that is not is asked once and no more."""

    def __init__(
        self,
        gateway: Gateway,
        tenants: Tenants,
        keys: DiversionKeys,
        database: Database,
        *,
        is_up: Callable[[str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._gateway = gateway
        self._tenants = tenants
        self._keys = keys
        self._database = database
        self._clock = clock
        self._is_up = is_up
        self._holder = uuid.uuid4().hex
        # Without it a version would tell, to who tries them all, the number of which a viewer sees but a part.
        self._secret = secrets.token_bytes(32)

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
            diversions.append(self._diversion(kind, stored))
        version = self._version(*(diversion.version for diversion in diversions))
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
        enabled, number = await asyncio.gather(
            self._entry(tenant, extension, server, self._keys.enable_key(extension, kind), default=ENABLED),
            self._entry(tenant, extension, server, self._keys.destination_key(extension, kind), default=""),
        )
        return ServerDiversion(
            server=server, enabled=enabled == ENABLED, destination=self._keys.read_destination(number)
        )

    async def _entry(self, tenant: Tenant, extension: str, server: str, key: str, *, default: str) -> str:
        """What the server's database has there; absent entries are the documented defaults."""
        try:
            return await self._stored(tenant, extension, server, key)
        except EntryNotFound:
            return default

    async def _stored(self, tenant: Tenant, extension: str, server: str, key: str) -> str:
        """Raises :class:`EntryNotFound` where there is none."""
        answer = await self._ask(tenant, extension, server, database_get(tenant.id, key))
        if isinstance(answer, Found):
            return answer.value
        if isinstance(answer, Missing):
            raise EntryNotFound(f"the server {server} stores nothing there")
        raise PbxRefused(_said(answer, tenant))

    async def _ask(self, tenant: Tenant, extension: str, server: str, action: Action) -> DatabaseAnswer:
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
        wishes = [wish(kind, enabled, destination)]
        return await self.change_several(extension, wishes, actor=actor, version=version, tenant=tenant)

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
        wishes = [Wish(one, clear=True) for one in DiversionKind if kind in (None, one)]
        return await self.change_several(extension, wishes, actor=actor, version=version, tenant=tenant)

    async def change_several(
        self, extension: str, wishes: Sequence[Wish], *, actor: Actor, version: str, tenant: str | None = None
    ) -> ExtensionDiversions:
        """Change some kinds at once. With one wish ``version`` is that of its kind, else that of all together."""
        owner = self._owner(extension, tenant)
        for each in wishes:
            self._check(extension, each)
        change = Change(owner, extension, wishes, actor)
        # Of two extensions that are forwarded to each other at once, one must see the other.
        concerned = {extension, *(each.destination for each in wishes if each.destination)}
        async with self._locked([f"diversions/{owner.name}/{one}" for one in sorted(concerned)]) as lock:
            before = await self._read(owner, extension, owner.servers)
            _check_version(before, wishes, version)
            await lock.renew()
            await self._check_way_back(change, before)
            await self._audit(change, "diversion_changing", before, wishes)
            failures: dict[str, PbxError] = {}
            for server in owner.servers:
                try:
                    await self._write(change, server, lock)
                except PbxError as error:
                    failures[server] = error
                    log.warning("diversion_not_written", server=server, error=str(error))
            return await self._read_back(change, before, failures)

    async def _read_back(
        self, change: Change, before: ExtensionDiversions, failures: Mapping[str, PbxError]
    ) -> ExtensionDiversions:
        """What is stored now. Raises what failed, with what became of it on each server."""
        servers = change.tenant.servers
        try:
            after = await self._read(change.tenant, change.extension, servers)
        except PbxError as error:
            await self._audit_outcome(change, "diversion_outcome_unknown", before, change.wishes)
            first = next(iter(failures.values()), error)
            raise _again(first, f"{first}; what is stored now could not be read") from error
        await self._audit_outcome(change, "diversion_changed", after)
        if failures and not all(change.is_true(after, server) for server in servers):
            raise _again(next(iter(failures.values())), change.outcome(after, failures))
        return after

    def _check(self, extension: str, wish: Wish) -> None:
        if not wish.destination:
            return
        if wish.destination.strip("-") == "":
            raise UsageError("the destination is no number")
        try:
            check_supplied("the destination", wish.destination)
            self._keys.destination_value(wish.destination)
        except LocalError as error:
            raise UsageError(str(error)) from error
        if wish.destination == extension:
            raise UsageError("the destination is the extension itself: its calls would come back to it")

    async def _check_way_back(self, change: Change, before: ExtensionDiversions) -> None:
        """Refuse what would, in effect, send a call on, by however many hops, to where it came from."""
        by_kind = {diversion.kind: diversion for diversion in before.diversions}
        for each in change.wishes:
            for stored in by_kind[each.kind].servers:
                enabled = stored.enabled if each.enabled is None else each.enabled
                target = stored.destination if each.destination is None else each.destination
                if not each.clear and not stored.error and enabled and is_number(target):
                    await self._check_hops(change.tenant, change.extension, stored.server, target)

    async def _check_hops(self, tenant: Tenant, extension: str, server: str, target: str) -> None:
        if target == extension:
            raise UsageError("the destination is the extension itself: its calls would come back to it")
        first = target
        for _ in range(_MOST_HOPS):
            if not tenant.has(target):
                return
            try:
                stored = await self._read_kind(tenant, target, server, DiversionKind.IMMEDIATE)
            except PbxError:
                return  # what cannot be read is no reason to refuse
            if not stored.enabled or not is_number(stored.destination):
                return
            if stored.destination == extension:
                raise UsageError(f"{first} forwards every call to {extension}: they would go round for ever")
            target = stored.destination

    async def _write(self, change: Change, server: str, lock: _Lock) -> None:
        tenant, extension = change.tenant, change.extension
        for each in change.wishes:
            for action, key in self._actions(tenant, extension, each):
                await lock.renew()
                answer = await self._ask(tenant, extension, server, action)
                if isinstance(answer, NotRemoved):
                    # There was none, or it could not be: what comes next must not bring it into effect.
                    with suppress(EntryNotFound):
                        await self._stored(tenant, extension, server, key)
                        raise PbxRefused("it could not be removed")
                elif not isinstance(answer, Updated | Removed):
                    raise PbxRefused(_said(answer, tenant))

    def _actions(self, tenant: Tenant, extension: str, wish: Wish) -> list[tuple[Action, str]]:
        """Each with its key, in the safe order: nothing is in effect on the way that is not before or after.

        Turning off comes first, and turning on last, when the destination is already the new one.
        """
        enable_key = self._keys.enable_key(extension, wish.kind)
        destination_key = self._keys.destination_key(extension, wish.kind)
        if wish.clear:
            return [(database_del(tenant.id, key), key) for key in (destination_key, enable_key)]
        actions = []
        if wish.enabled is False:
            actions.append((database_put(tenant.id, enable_key, DISABLED), enable_key))
        if wish.destination:
            value = self._keys.destination_value(wish.destination)
            actions.append((database_put(tenant.id, destination_key, value), destination_key))
        elif wish.destination == "":
            actions.append((database_del(tenant.id, destination_key), destination_key))
        if wish.enabled is True:
            actions.append((database_put(tenant.id, enable_key, ENABLED), enable_key))
        return actions

    @asynccontextmanager
    async def _locked(self, names: Sequence[str]) -> AsyncIterator[_Lock]:
        """Hold all these locks, taken in this order."""
        holder = f"{self._holder}/{uuid.uuid4().hex}"

        async def take(name: str) -> bool:
            now = self._clock()
            async with self._database.transaction() as connection:
                return await take_lock(connection, name, holder, now=now, until=now + _LOCK_TIME)

        async def renew() -> None:
            for name in names:
                if not await take(name):
                    raise Conflict("it took so long that somebody else has begun to change it; read it again")

        loop = asyncio.get_running_loop()
        give_up = loop.time() + _LOCK_PATIENCE
        try:
            for name in names:
                while not await take(name):
                    if loop.time() > give_up:
                        raise Conflict("somebody else is changing it in this moment; read it again")
                    await asyncio.sleep(_LOCK_PAUSE)
            yield _Lock(renew)
        finally:
            with suppress(Exception):  # they end by themselves
                async with self._database.transaction() as connection:
                    for name in names:
                        await give_lock_back(connection, name, holder)

    async def _audit_outcome(
        self, change: Change, action: str, state: ExtensionDiversions, wishes: Sequence[Wish] = ()
    ) -> None:
        """What became of a change that was made; a store that is away now does not undo it."""
        try:
            await self._audit(change, action, state, wishes)
        except DatabaseAwayError:
            log.error("diversion_outcome_not_audited", subject=change.subject, action=action)

    async def _audit(
        self, change: Change, action: str, state: ExtensionDiversions, wishes: Sequence[Wish] = ()
    ) -> None:
        """Who asks for what, and what stood or stands: an audit row without the tenant's id."""
        detail = {
            f"{diversion.kind}@{stored.server}": stored.error or f"{word(stored.enabled)} {stored.destination}".strip()
            for diversion in state.diversions
            for stored in diversion.servers
        }
        detail |= {f"wanted {each.kind}": wanted(each) for each in wishes}
        row = AuditRow(
            at=self._clock(),
            actor=change.actor.name,
            via=change.actor.via,
            action=action,
            subject=change.subject,
            address=change.actor.address,
            detail=detail,
        )
        async with self._database.transaction() as connection:
            await add_audit(connection, row)


def _check_version(before: ExtensionDiversions, wishes: Sequence[Wish], version: str) -> None:
    if version == ANY_VERSION:
        return
    current = before.version
    if len(wishes) == 1:
        current = next(one.version for one in before.diversions if one.kind is wishes[0].kind)
    if version not in (current, before.version):
        raise Conflict("it was changed since you read it: read it again and decide anew")


def _again(error: PbxError, text: str) -> PbxError:
    """The same error with another text."""
    if isinstance(error, PbxUnavailable):
        return PbxUnavailable(text, sent=error.sent)
    return type(error)(text)


def _check_extension(extension: str) -> None:
    try:
        check_supplied("the extension", extension)
    except LocalError as error:
        raise UsageError(str(error)) from error
    if not is_extension(extension):
        raise UsageError("an extension has 1 to 40 letters, digits, *, #, - and _")


def _said(answer: DatabaseAnswer, tenant: Tenant) -> str:
    """What a server said, without the tenant's id: a usage text may repeat the command."""
    text = answer.text if isinstance(answer, Refused) else type(answer).__name__
    return text.replace(tenant.id, tenant.name)
