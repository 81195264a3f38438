"""The calls of all servers of the PBX, held against each server's own list.

What a server's calls are when the link or the server was away is asked by ``CoreShowChannels``: what is not in the
list has ended meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from daemon.calls.events import CallEvent
from daemon.calls.registry import Registry
from daemon.pbx.contract import PbxError
from daemon.pbx.gateway import Gateway
from daemon.pbx.server_calls import EVENTS, ORIGIN, ServerCalls
from daemon.pbx.servers import PbxServer, PbxServers
from protocols.dcmiws.actions import core_show_channels
from protocols.dcmiws.glance import Glance

log = structlog.get_logger(__name__)

_LIST_AGAIN: Final = 1.0
"""Seconds after a list that could not be had before it is asked for again."""

Recall = Callable[[str, str, Sequence[str]], Awaitable[None]]


class PbxCalls:
    """Follows the calls of all servers, and holds them against the servers' lists when these are back.

    ``recall`` is awaited with the legs of a list before it is applied, so that stored calls are found again.
    """

    def __init__(
        self,
        servers: PbxServers,
        gateway: Gateway,
        registry: Registry,
        *,
        apply: Callable[[CallEvent], None],
        recall: Recall,
        start: Callable[[Awaitable[None]], None],
        clock: Callable[[], float],
    ) -> None:
        self._gateway = gateway
        self._registry = registry
        self._recall = recall
        self._calls = {server.server_id: ServerCalls(server.name, apply, clock) for server in servers.all}
        self._wanted: set[int] = set()
        self._listing: set[int] = set()
        self._listed: Callable[[PbxServer], None] = _nobody
        gateway.on_event(EVENTS, self._take)
        for server in servers.all:
            server.on_up = lambda server=server: start(self.look_again(server))  # type: ignore[misc]

    def _take(self, seen: Glance) -> None:
        calls = self._calls.get(seen.server_id)
        if calls is not None:
            calls.take(seen.data)

    def on_listed(self, told: Callable[[PbxServer], None]) -> None:
        """Call ``told`` with a server each time its calls were held against its list."""
        self._listed = told

    async def look_again(self, server: PbxServer) -> None:
        """Hold what we know of a server's calls against what it says, as soon as it does, as long as it is up.

        Where that is being done already, it is done once more after that.
        """
        server_id = server.server_id
        self._wanted.add(server_id)
        if server_id in self._listing:
            return
        self._listing.add(server_id)
        try:
            while server_id in self._wanted and server.status.is_up:
                self._wanted.discard(server_id)
                try:
                    await self._list(server)
                except PbxError as error:
                    log.warning("pbx_calls_not_listed", link=server.status.now.link, error=str(error))
                    self._wanted.add(server_id)
                    await asyncio.sleep(_LIST_AGAIN)
        finally:
            self._listing.discard(server_id)

    async def _list(self, server: PbxServer) -> None:
        calls = self._calls[server.server_id]
        calls.begin_listing()
        try:
            listed = await self._gateway.ask_list(server.name, core_show_channels(), feature="CoreShowChannels")
            await self._recall(ORIGIN, server.name, calls.legs_of(listed))
            live = [leg.leg_id for leg in self._registry.live_legs(ORIGIN, server.name)]
            calls.take_list(listed, live)
        finally:
            calls.end_listing()
        self._listed(server)


def _nobody(_server: PbxServer) -> None:
    return None
