"""python-socketio's server, made to fit: WebSocket only, no compression, one outbox per client, hard ends.

It keeps the library's protocol, handshake and event dispatch and replaces what costs or grows: the driver's WebSocket
(which compresses for each client), the queue and writer task of each connection, and pings as tasks. For that it
overrides a few names that the library does not document. They are listed in :data:`RELIED_ON`, which a test holds
against the installed version.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import engineio  # type: ignore[import-untyped]
import socketio  # type: ignore[import-untyped]
import structlog
from engineio import async_socket, packet

from daemon.config import LiveConfig
from web.live_connection import MAX_MESSAGE, LiveConnection, LiveWebSocket
from web.live_frames import NAMESPACE
from web.live_outbox import LiveCounts

log = structlog.get_logger(__name__)

RELIED_ON: Final[Mapping[type, tuple[str, ...]]] = {
    socketio.AsyncServer: ("_engineio_server_class", "_handle_eio_message", "_handle_event_internal"),
    engineio.AsyncServer: ("_handle_connect", "_trigger_event", "generate_id"),
    async_socket.AsyncSocket: ("send", "receive", "close", "schedule_ping", "_upgrade_websocket", "_websocket_handler"),
}
"""What is overridden or called here beyond the documented interface, beside the driver table ``AsyncServer._async``."""

_BINARY_PACKETS: Final = ("5", "6")


class EngineServer(engineio.AsyncServer):  # type: ignore[misc]
    """The Engine.IO half: connections."""

    _async: dict[str, Any]

    def __init__(self, *, limits: LiveConfig, counts: LiveCounts, **options: Any) -> None:
        super().__init__(**options)
        self.limits = limits
        self.counts = counts
        # The table is the library's and shared by all its servers: ours is a copy.
        self._async = {**self._async, "websocket": LiveWebSocket}

    async def _handle_connect(self, environ: Mapping[str, Any], transport: str, jsonp_index: Any = None) -> Any:
        """Open a connection and stay in it until it ends; returns the response that it was."""
        sid: str = self.generate_id()
        connection = self.sockets[sid] = LiveConnection(self, sid)
        hello = {
            "sid": sid,
            "upgrades": [],
            "pingInterval": round(connection.ping_interval * 1000),
            "pingTimeout": round(connection.ping_timeout * 1000),
            "maxPayload": MAX_MESSAGE,
        }
        try:
            await connection.send(packet.Packet(packet.OPEN, hello))
            await self._trigger_event("connect", sid, environ, run_async=False)
            return await connection.handle_get_request(environ)
        finally:
            # However it ended, nothing of it stays: the library would keep one that failed in its handshake.
            await connection.close(wait=False, abort=True, reason=self.reason.TRANSPORT_CLOSE)
            self.sockets.pop(sid, None)


class LiveServer(socketio.AsyncServer):  # type: ignore[misc]
    """The Socket.IO half: the namespace ``/live`` and its events."""

    eio: EngineServer

    def __init__(self, limits: LiveConfig, counts: LiveCounts) -> None:
        self._engine = partial(EngineServer, limits=limits, counts=counts)
        # It logs what browsers send and warns of each answer to one that has left; only its troubles are wanted.
        quiet = logging.getLogger("web.live.socketio")
        quiet.setLevel(logging.ERROR)
        super().__init__(
            async_mode="aiohttp",
            namespaces=[NAMESPACE],
            always_connect=True,
            transports=["websocket"],
            allow_upgrades=False,
            monitor_clients=False,
            http_compression=False,
            cors_allowed_origins=[],
            max_http_buffer_size=MAX_MESSAGE,
            logger=quiet,
            engineio_logger=quiet,
        )

    def _engineio_server_class(self) -> Any:
        return self._engine

    def connection(self, sid: str) -> LiveConnection:
        """The connection of the client ``sid`` of the namespace."""
        connection: LiveConnection = self.eio.sockets[self.manager.eio_sid_from_sid(sid, NAMESPACE)]
        return connection

    def connections(self) -> list[LiveConnection]:
        """All that stand, also those that are not in the namespace (yet)."""
        return list(self.eio.sockets.values())

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        try:
            if not isinstance(data, str) or data.startswith(_BINARY_PACKETS):
                raise ValueError("nothing binary is taken")
            await super()._handle_eio_message(eio_sid, data)
        except Exception as error:
            self._refuse(eio_sid, error)

    async def _handle_event_internal(self, server: Any, sid: str, eio_sid: str, data: Any, *rest: Any) -> None:
        try:
            if data[0] in self.reserved_events:
                raise ValueError("a reserved name")
            await super()._handle_event_internal(server, sid, eio_sid, data, *rest)
        except Exception as error:
            self._refuse(eio_sid, error)

    def _refuse(self, eio_sid: str, error: Exception) -> None:
        """What a browser sent cannot be understood: no browser of ours does that, so its connection ends."""
        log.warning("live_client_broke_protocol", error=type(error).__name__)
        connection = self.eio.sockets.get(eio_sid)
        if connection is not None:
            connection.outbox.abort()
