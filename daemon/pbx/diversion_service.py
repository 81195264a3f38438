"""Reads and sets call forwarding on every server of a tenant, and says what is really stored.

A change is made under a lock of the store, so that two Parleys, or two people, never mix theirs; it names the version
it was decided on; and there is an audit row of it before the first byte goes out, and another of what became of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import structlog

from daemon.actor import Actor
from daemon.pbx.contract import (
    Conflict,
    Diversions,
    EntryNotFound,
    ExtensionDiversions,
    PbxError,
    PbxRefused,
    PbxUnavailable,
    UsageError,
)
from daemon.pbx.diversion_audit import DiversionAudit
from daemon.pbx.diversion_change import Change, Wish, wish
from daemon.pbx.diversion_locks import DiversionLocks, HeldLocks
from daemon.pbx.gateway import Gateway
from daemon.pbx.stored_diversions import StoredDiversions, said
from daemon.pbx.tenants import Tenant, Tenants
from daemon.stores.database import Database
from protocols.dcmiws.actions import Action, check_supplied, database_del, database_put
from protocols.dcmiws.answers import NotRemoved, Removed, Updated
from protocols.dcmiws.diversions import DISABLED, ENABLED, DiversionKeys, DiversionKind, is_extension, is_number
from protocols.errors import LocalError

log = structlog.get_logger(__name__)

ANY_VERSION: Final = "*"

_MOST_HOPS: Final = 20


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
        self._tenants = tenants
        self._keys = keys
        self._stored = StoredDiversions(gateway, keys, is_up)
        self._locks = DiversionLocks(database, clock)
        self._audit = DiversionAudit(database, clock)

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
        return await self._stored.read(owner, extension, servers)

    def _owner(self, extension: str, alias: str | None) -> Tenant:
        _check_extension(extension)
        return self._tenants.of(extension, alias)

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
        async with self._locks.held(owner.name, concerned) as locks:
            before = await self._stored.read(owner, extension, owner.servers)
            _check_version(before, wishes, version)
            await locks.renew()
            await self._check_way_back(change, before)
            await self._audit.changing(change, before)
            failures: dict[str, PbxError] = {}
            for server in owner.servers:
                try:
                    await self._write(change, server, locks)
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
            after = await self._stored.read(change.tenant, change.extension, servers)
        except PbxError as error:
            await self._audit.outcome_unknown(change, before)
            first = next(iter(failures.values()), error)
            raise _again(first, f"{first}; what is stored now could not be read") from error
        await self._audit.changed(change, after)
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
                stored = await self._stored.read_kind(tenant, target, server, DiversionKind.IMMEDIATE)
            except PbxError:
                return  # what cannot be read is no reason to refuse
            if not stored.enabled or not is_number(stored.destination):
                return
            if stored.destination == extension:
                raise UsageError(f"{first} forwards every call to {extension}: they would go round for ever")
            target = stored.destination

    async def _write(self, change: Change, server: str, locks: HeldLocks) -> None:
        tenant, extension = change.tenant, change.extension
        for each in change.wishes:
            for action, key in self._actions(tenant, extension, each):
                await locks.renew()
                answer = await self._stored.ask(tenant, extension, server, action)
                if isinstance(answer, NotRemoved):
                    # There was none, or it could not be: what comes next must not bring it into effect.
                    with suppress(EntryNotFound):
                        await self._stored.entry(tenant, extension, server, key)
                        raise PbxRefused("it could not be removed")
                elif not isinstance(answer, Updated | Removed):
                    raise PbxRefused(said(answer, tenant))

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
