"""One browser's connection: read until it ends, written to through its outbox, pinged without a task."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import structlog
from aiohttp import web
from engineio import async_socket, packet  # type: ignore[import-untyped]

from web.live_frames import packet_frame
from web.live_outbox import Outbox

log = structlog.get_logger(__name__)

MAX_MESSAGE: Final = 1_048_576
"""Bytes of one message from a browser: a watch of everything names a seq for every call."""

_SEND_BUFFER: Final = 262_144
"""Bytes the system may buffer for one browser. Left to itself it takes megabytes, all stale when they are read."""

_CLOSE_TIMEOUT: Final = 2.0
"""How long a browser may take to answer the closing frame."""

_PING: Final = packet_frame(packet.Packet(packet.PING).encode())


class LiveWebSocket:
    """What engineio's driver for aiohttp calls a WebSocket, without compression."""

    def __init__(self, handler: Any, server: Any) -> None:
        self._handler = handler
        self._response = web.WebSocketResponse(compress=False, max_msg_size=MAX_MESSAGE, timeout=_CLOSE_TIMEOUT)

    async def __call__(self, environ: Mapping[str, Any]) -> web.WebSocketResponse:
        request: web.Request = environ["aiohttp.request"]
        writer = await self._response.prepare(request)
        transport = request.transport
        if transport is not None:
            raw: socket.socket = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            self._handler.__self__.outbox.open(transport, request.protocol, writer.drain)
            await self._handler(self)
        return self._response

    async def wait(self) -> str | bytes | None:
        """The next message; ``None`` when there will be no more."""
        message = await self._response.receive()
        data: str | bytes | None = message.data
        return data if message.type in (web.WSMsgType.TEXT, web.WSMsgType.BINARY) else None

    async def close(self, code: int) -> None:
        """Say that it is over and wait a little for the other side to say so too."""
        await self._response.close(code=code)


class LiveConnection(async_socket.AsyncSocket):  # type: ignore[misc]
    """engineio's socket with an outbox for a queue."""

    sid: str
    closed: bool

    def __init__(self, server: Any, sid: str) -> None:
        super().__init__(server, sid)
        self.outbox = Outbox(server.limits, server.counts)
        # As the handshake tells them: a browser that hears no ping for so long goes away, whatever the limits are now.
        self.ping_interval: float = server.limits.ping_interval
        self.ping_timeout: float = server.limits.ping_timeout
        self._ws: LiveWebSocket | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def send(self, pkt: packet.Packet) -> None:
        """Whatever the library sends goes the way of everything else."""
        self.outbox.send(packet_frame(pkt.encode()))

    async def _websocket_handler(self, ws: LiveWebSocket) -> None:
        """Read until either side ends it."""
        self._ws = ws
        self.connected = self.upgraded = True
        self.schedule_ping()
        try:
            while not self.closed and (data := await ws.wait()):
                await self.receive(packet.Packet(encoded_packet=data))
        except Exception as error:
            # The library trips over what it does not know in many ways; all of them are the client's doing.
            log.warning("live_client_broke_protocol", error=type(error).__name__)
            self.outbox.abort()
        finally:
            self._cancel_timer()
            self.outbox.close()

    async def end(self, code: int, last: bytes = b"") -> None:
        """End the connection: with the frame ``last`` and a closing frame if the client reads, else at once."""
        if self._ws is None or self.outbox.backed_up:
            self.outbox.abort()
            return
        if last:
            self.outbox.send(last)
        self.outbox.close()
        await self._ws.close(code)

    # Pings: one at a time, each answered within the timeout or the connection is gone.

    def schedule_ping(self) -> None:
        """The last ping was answered, or none was sent yet: the next one in a while."""
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(self.ping_interval, self._ping)

    def _ping(self) -> None:
        self.outbox.send_now(_PING)
        self._await_pong()

    def _await_pong(self) -> None:
        late = partial(self._pong_is_late, self.outbox.accepted_bytes)
        self._timer = asyncio.get_running_loop().call_later(self.ping_timeout, late)

    def _pong_is_late(self, accepted: int) -> None:
        if self.outbox.backed_up and self.outbox.accepted_bytes > accepted:
            self._await_pong()  # it reads, slowly: the ping is still on its way to it
        else:
            log.info("live_client_silent")
            self.outbox.abort()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
