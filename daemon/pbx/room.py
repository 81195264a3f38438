"""The room as a whole: built once, run as one task, and asked by the others for what the contract says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from daemon.calls.events import CallEvent
from daemon.calls.links import LinkStatus
from daemon.calls.registry import Registry
from daemon.config import PbxConfig
from daemon.hub import Hub
from daemon.pbx.calls import PbxCalls, Recall
from daemon.pbx.click_to_call_service import ClickToCallService
from daemon.pbx.diversion_service import DiversionService
from daemon.pbx.gateway import Gateway
from daemon.pbx.servers import PbxServer, PbxServers
from daemon.pbx.status import GATEWAY, Status
from daemon.pbx.tenants import Tenants
from daemon.secrets import Secrets, pbx_header
from daemon.stores.database import Database
from protocols.dcmiws.diversions import DiversionKeys

log = structlog.get_logger(__name__)


class Pbx:
    """One gateway, the servers behind it, and the tenants on them. ``clock`` gives Unix seconds."""

    def __init__(
        self,
        config: PbxConfig,
        secrets: Secrets,
        *,
        apply: Callable[[CallEvent], None],
        registry: Registry,
        hub: Hub,
        database: Database,
        recall: Recall,
        clock: Callable[[], float] = time.time,
    ) -> None:
        headers = {header.name: header.value or secrets.get(pbx_header(header)) or "" for header in config.header}
        self.tenants = Tenants(config, secrets)
        self.gateway = Gateway(
            config, {server.name: server.id for server in config.server}, Status(GATEWAY, hub, clock), headers=headers
        )
        servers = [PbxServer(server, config, self.gateway, hub, clock) for server in config.server]
        self.servers = PbxServers(servers, self.gateway)
        self.calls = PbxCalls(
            self.servers,
            self.gateway,
            registry,
            apply=apply,
            recall=recall,
            start=self._start,
            clock=clock,
        )
        keys = DiversionKeys(config.enable_key, config.destination_key, config.destination_value)
        self.diversions = DiversionService(
            self.gateway, self.tenants, keys, database, is_up=self.servers.is_up, clock=clock
        )
        self.click_to_call = ClickToCallService(
            self.gateway,
            self.servers,
            tenants=self.tenants,
            diversions=self.diversions,
            config=config,
            database=database,
            registry=registry,
            clock=clock,
        )
        self.calls.on_listed(self.click_to_call.listed)
        self._group: asyncio.TaskGroup | None = None

    @property
    def statuses(self) -> list[LinkStatus]:
        """Of the gateway and of each server, in the order of the configuration."""
        return [self.gateway.status.now, *(server.status.now for server in self.servers.all)]

    async def run(self) -> None:
        """Keep the link and follow everything until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for server in self.servers.all:
                group.create_task(server.run())
            group.create_task(self.click_to_call.run())
            group.create_task(self.gateway.run())

    def _start(self, work: Awaitable[None]) -> None:
        if self._group is not None:
            self._group.create_task(_running(work))


async def _running(work: Awaitable[Any]) -> None:
    try:
        await work
    except Exception:
        # What is done beside the room must not end it.
        log.exception("pbx_work_failed")
