"""Whether each server behind the gateway is alive: pinged on a schedule, and at once when something says to look."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from daemon.calls.links import LinkState
from daemon.config import PbxConfig, PbxServerConfig
from daemon.hub import Hub
from daemon.pbx.contract import PbxError, PbxUnavailable
from daemon.pbx.gateway import Gateway
from daemon.pbx.status import Status
from protocols.dcmiws.actions import ping
from protocols.dcmiws.answers import is_pong
from protocols.dcmiws.glance import Glance

log = structlog.get_logger(__name__)

_FEATURE = "CoreServiceCheck"


class PbxServer:
    """One of them. ``on_up`` is called each time it is found alive after it was not, ``on_away`` each time it was alive
    and has gone, the gateway being there."""

    def __init__(
        self, config: PbxServerConfig, pbx: PbxConfig, gateway: Gateway, hub: Hub, clock: Callable[[], float]
    ) -> None:
        self.name = config.name
        self.server_id = config.id
        self.status = Status(config.name, hub, clock)
        self.on_up: Callable[[], None] = _nothing
        self.on_away: Callable[[], None] = _nothing
        self._pbx = pbx
        self._gateway = gateway
        self._look = asyncio.Event()

    def look(self) -> None:
        """Ping it now."""
        self._look.set()

    def gateway_lost(self) -> None:
        """Nothing is known of it any more."""
        self.status.become(LinkState.AWAY, "the gateway is away")

    def shut_down(self) -> None:
        """It says that it stops."""
        self._found_away("it was shut down")

    def booted(self) -> None:
        """It says that it has begun to run. Where it was thought to be running, nothing it had before is left."""
        if self.status.is_up:
            self._found_away("it was restarted")
        self.look()

    async def run(self) -> None:
        """Ping it until cancelled."""
        while True:
            self._look.clear()
            if self._gateway.status.is_up:
                await self._ping()
            try:
                async with asyncio.timeout(self._pbx.ping_interval):
                    await self._look.wait()
            except TimeoutError:
                continue

    async def _ping(self) -> None:
        loop = asyncio.get_running_loop()
        began = time.monotonic()  # the loop's own clock ticks in milliseconds
        # A server that takes its time is seen to before its answer is there.
        overdue = loop.call_later(self._pbx.slow_after, self._overdue)
        try:
            frame = await self._gateway.ask(self.name, ping(), feature=_FEATURE, attempts=1)
        except PbxUnavailable:
            return  # the gateway's own story
        except PbxError as error:
            self._found_away(str(error))
            return
        finally:
            overdue.cancel()
        if not is_pong(frame):
            self._found_away(f"it answered a ping with {frame.get('Message') or frame.get('Response') or 'nothing'}")
            return
        self._found_alive(time.monotonic() - began)

    def _overdue(self) -> None:
        if self.status.is_up:
            detail = f"no answer to a ping for {self._pbx.slow_after:g} s"
            self.status.become(LinkState.SLOW, detail, round_trip=self.status.now.round_trip)

    def _found_alive(self, round_trip: float) -> None:
        was_up = self.status.is_up
        self._gateway.status.heard()
        if round_trip > self._pbx.slow_after:
            self.status.become(LinkState.SLOW, f"it answers in {round_trip:.1f} s", round_trip=round_trip)
        else:
            self.status.become(LinkState.READY, round_trip=round_trip)
        if not was_up:
            log.info("pbx_server_up", link=self.status.now.link, round_trip=round(round_trip, 4))
            self.on_up()

    def _found_away(self, why: str) -> None:
        was_up = self.status.is_up
        self.status.become(LinkState.AWAY, why)
        if was_up:
            log.warning("pbx_server_away", link=self.status.now.link, error=why)
            self.on_away()


class PbxServers:
    """All of them, by what the gateway tells of them."""

    def __init__(self, servers: list[PbxServer], gateway: Gateway) -> None:
        self.all = servers
        self._by_id = {server.server_id: server for server in servers}
        gateway.on_connected(self._look_at_all)
        gateway.on_lost(lambda _reason: self._gateway_lost())
        gateway.on_event(("Shutdown",), self._shutdown)
        gateway.on_event(("FullyBooted",), self._booted)

    def on_away(self, told: Callable[[PbxServer], None]) -> None:
        """Call ``told`` with each server that was alive and has gone, or has been restarted."""
        for server in self.all:
            server.on_away = lambda server=server: told(server)  # type: ignore[misc]

    def of(self, server_id: int) -> PbxServer | None:
        """The server with that id; ``None`` for one that is not configured."""
        return self._by_id.get(server_id)

    def is_up(self, name: str) -> bool:
        """Whether the server of that name is alive, as far as one knows."""
        return any(server.name == name and server.status.is_up for server in self.all)

    def _look_at_all(self) -> None:
        for server in self.all:
            server.look()

    def _gateway_lost(self) -> None:
        for server in self.all:
            server.gateway_lost()

    def _shutdown(self, seen: Glance) -> None:
        server = self.of(seen.server_id)
        if server is not None:
            server.shut_down()

    def _booted(self, seen: Glance) -> None:
        server = self.of(seen.server_id)
        if server is not None:
            server.booted()


def _nothing() -> None:
    return None
