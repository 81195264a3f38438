"""The PBX as one tool may use it: within its reach, under its own name, changed only by one that says it acts."""

from __future__ import annotations

from daemon.actor import Actor
from daemon.pbx.contract import (
    ClickToCall,
    ClickToCallRequest,
    Diversions,
    ExtensionDiversions,
    PlacedCall,
    UsageError,
)
from daemon.tools.contract import Reach
from protocols.dcmiws.diversions import DiversionKind


class _Guard:
    """What both have in common. Whatever ``actor`` a tool names, it acts as itself."""

    def __init__(self, reach: Reach, actor: Actor, *, acting: bool) -> None:
        self._reach = reach
        self._actor = actor
        self._acting = acting

    def _check_acting(self) -> None:
        if not self._acting:
            raise UsageError("this tool only reads")

    def _check_extension(self, extension: str) -> None:
        if not self._reach.allows_extension(extension):
            raise UsageError("that extension may not be touched from here")

    def _check_number(self, number: str) -> None:
        if not self._reach.allows_number(number):
            raise UsageError("that number may not be used from here")


class GuardedDiversions(_Guard, Diversions):
    """Diversions of the extensions in reach, to the numbers in reach."""

    def __init__(self, diversions: Diversions, reach: Reach, actor: Actor, *, acting: bool) -> None:
        super().__init__(reach, actor, acting=acting)
        self._diversions = diversions

    async def read(
        self, extension: str, *, tenant: str | None = None, server: str | None = None
    ) -> ExtensionDiversions:
        """As the contract says."""
        self._check_extension(extension)
        return await self._diversions.read(extension, tenant=tenant, server=server)

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
        """As the contract says. Turning one on names its number: what is stored may be out of reach."""
        self._check_acting()
        self._check_extension(extension)
        if destination:
            self._check_number(destination)
        elif enabled:
            raise UsageError("name the number to forward to")
        return await self._diversions.change(
            extension,
            kind,
            actor=self._actor,
            version=version,
            tenant=tenant,
            enabled=enabled,
            destination=destination,
        )

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
        self._check_acting()
        self._check_extension(extension)
        return await self._diversions.clear(extension, kind, actor=self._actor, version=version, tenant=tenant)


class GuardedClickToCall(_Guard, ClickToCall):
    """Calls from the extensions in reach to the numbers in reach."""

    def __init__(self, click_to_call: ClickToCall, reach: Reach, actor: Actor, *, acting: bool) -> None:
        super().__init__(reach, actor, acting=acting)
        self._click_to_call = click_to_call

    async def place(self, request: ClickToCallRequest, *, actor: Actor, key: str) -> PlacedCall:
        """As the contract says."""
        self._check_acting()
        self._check_extension(request.caller)
        self._check_number(request.callee)
        return await self._click_to_call.place(request, actor=self._actor, key=key)

    async def progress(self, click_to_call_id: str) -> PlacedCall | None:
        """As the contract says, of its own calls."""
        placed = await self._click_to_call.progress(click_to_call_id)
        return placed if placed is not None and placed.actor == self._actor.name else None
