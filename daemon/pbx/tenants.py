"""The tenants of the PBX, known to people by their alias; the id at the vendor is a secret and stays in here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from daemon.config import PbxConfig, PbxTenantConfig
from daemon.pbx.contract import UnknownTenant
from daemon.secrets import Secrets, tenant_app_key, tenant_id


class Tenant:
    """One tenant. Its ``id`` is the family of its entries in every server's database; nothing prints it."""

    def __init__(self, config: PbxTenantConfig, servers: Sequence[str], id_: str, app_key: str | None) -> None:
        self.config = config
        self.name = config.name
        self.servers = tuple(servers)
        self.id = id_
        self.app_key = app_key
        self._extensions = [re.compile(pattern) for pattern in config.extensions]

    def __repr__(self) -> str:
        return f"Tenant({self.name!r})"

    @property
    def names_extensions(self) -> bool:
        """Whether the configuration says which extensions it has."""
        return bool(self._extensions)

    def has(self, extension: str) -> bool:
        """Whether that extension may be one of its."""
        return not self._extensions or any(pattern.fullmatch(extension) for pattern in self._extensions)


class Tenants:
    """All of them. A tenant without its secret is left out: the configuration's check says so before."""

    def __init__(self, config: PbxConfig, secrets: Secrets) -> None:
        everywhere = [server.name for server in config.server]
        self._tenants: dict[str, Tenant] = {}
        for tenant in config.tenant:
            id_ = secrets.get(tenant_id(tenant))
            if id_ is not None:
                app_key = secrets.get(tenant_app_key(tenant))
                self._tenants[tenant.name] = Tenant(tenant, tenant.servers or everywhere, id_, app_key)

    def __iter__(self) -> Iterator[Tenant]:
        return iter(self._tenants.values())

    def of(self, extension: str, alias: str | None) -> Tenant:
        """The tenant ``alias``, or without one the only tenant that has ``extension``. Raises
        :class:`UnknownTenant`."""
        if alias is not None:
            tenant = self._tenants.get(alias)
            if tenant is None:
                raise UnknownTenant(f"there is no tenant {alias[:40]!r}")
            if not tenant.has(extension):
                raise UnknownTenant(f"the tenant {alias} has no extension {extension[:40]}")
            return tenant
        found = [tenant for tenant in self._tenants.values() if tenant.has(extension)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise UnknownTenant(f"no tenant has the extension {extension[:40]}")
        names = ", ".join(tenant.name for tenant in found)
        raise UnknownTenant(f"several tenants may have the extension {extension[:40]}: name one of {names}")
