"""A change of an extension's call forwarding: what is wished, and how far it came true on each server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from daemon.actor import Actor
from daemon.pbx.contract import ExtensionDiversions, PbxError
from daemon.pbx.tenants import Tenant
from protocols.dcmiws.diversions import DiversionKind


class Wish(msgspec.Struct, frozen=True):
    """What is to be stored of one kind; ``None`` leaves it, ``""`` removes a destination."""

    kind: DiversionKind
    enabled: bool | None = None
    destination: str | None = None
    clear: bool = False


class Change(msgspec.Struct, frozen=True):
    """Who wishes what of which extension."""

    tenant: Tenant
    extension: str
    wishes: Sequence[Wish]
    actor: Actor

    @property
    def subject(self) -> str:
        """What it is about, for the audit."""
        return f"{self.tenant.name}/{self.extension}"

    def is_true(self, after: ExtensionDiversions, server: str) -> bool:
        """Whether that server stores what is wished."""
        by_kind = {diversion.kind: diversion for diversion in after.diversions}
        for one in self.wishes:
            stored = next(each for each in by_kind[one.kind].servers if each.server == server)
            enabled = True if one.clear else one.enabled
            destination = "" if one.clear else one.destination
            if stored.error or enabled not in (None, stored.enabled) or destination not in (None, stored.destination):
                return False
        return True

    def outcome(self, after: ExtensionDiversions, failures: Mapping[str, PbxError]) -> str:
        """``stored on pbx1; not on pbx2: no answer within 12 s``."""
        done = [server for server in self.tenant.servers if self.is_true(after, server)]
        said = [f"stored on {', '.join(done)}"] if done else []
        for server in self.tenant.servers:
            if server not in done:
                said.append(f"not on {server}" + (f": {failures[server]}" if server in failures else ""))
        return "; ".join(said)


def wish(kind: DiversionKind, enabled: bool | None, destination: str | None) -> Wish:
    """A change of one kind, for :meth:`DiversionService.change_several`."""
    return Wish(kind, enabled, None if destination is None else bare(destination))


def bare(destination: str) -> str:
    """A number as it is stored: hyphens are for people. What is nothing but hyphens stays, to be refused."""
    return destination.replace("-", "") or destination


def wanted(one: Wish) -> str:
    """For the audit."""
    if one.clear:
        return "cleared"
    parts = [] if one.enabled is None else [word(one.enabled)]
    if one.destination is not None:
        parts.append(one.destination or "no destination")
    return " ".join(parts)


def word(enabled: bool) -> str:
    """``on`` or ``off``."""
    return "on" if enabled else "off"
