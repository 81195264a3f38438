"""A simulated DCMIWS gateway: a real WebSocket before simulated Asterisk servers, with the faults a real one has."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as HandshakeRequest
from websockets.http11 import Response

from daemon.demo.pbx_server import Phone, SimulatedAsterisk
from daemon.demo.pbx_wire import EVENT, Fields, Request, read_request, write_frame

SERVERS: Final[Mapping[int, str]] = MappingProxyType({1: "pbx1.example.com", 2: "pbx2.example.com"})
TENANT_ID: Final = "0123456789abcdef"
CONTEXT: Final = "T2_cos-all"

_BACKLOG: Final = 4096
"""Bytes of one message at most that a client may send."""


class SimulatedGateway:
    """Listens on loopback; every client is sent every frame.

    ``servers`` are names by ``AMIServerID``. ``speed`` divides every duration of the calls. ``phones`` says how people
    behave, by extension or number; who is not in it answers after half a second and talks for three.
    """

    def __init__(
        self,
        servers: Mapping[int, str] = SERVERS,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tenant_id: str = TENANT_ID,
        context: str = CONTEXT,
        speed: float = 1.0,
        clock: Callable[[], float] = time.time,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self.host = host
        self.port = port
        self.tenant_id = tenant_id
        self.context = context
        self.phones: dict[str, Phone] = {}
        self.received: list[Request] = []
        """Every request that was understood, oldest first."""
        self.handshakes: list[HandshakeRequest] = []
        """Every handshake, a refused one included."""
        self.dropped = 0
        """Frames that were answered with silence."""
        self.servers = {
            server_id: SimulatedAsterisk(
                f"ast{server_id}",
                send=self._sender(server_id, name),
                phones=self.phones,
                tenant_id=tenant_id,
                speed=speed,
                clock=clock,
            )
            for server_id, name in servers.items()
        }
        self.running = asyncio.Event()
        """Set while it listens."""
        self._names = dict(servers)
        self._refusal: int | None = None
        self._clients: set[ServerConnection] = set()
        self._server: Server | None = None
        self._answering: list[asyncio.Task[None]] = []

    @property
    def url(self) -> str:
        """Where it listens, once it does."""
        return f"{'ws' if self._tls is None else 'wss'}://{self.host}:{self.port}/"

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    @property
    def database(self) -> dict[int, dict[tuple[str, str], str]]:
        """What each server stores: (family, key) → value, by server."""
        return {server_id: server.database for server_id, server in self.servers.items()}

    async def start(self) -> None:
        """Listen. The port stays the same for every later start."""
        self._server = await serve(
            self._serve,
            self.host,
            self.port,
            ssl=self._tls,
            process_request=self._admit,
            compression=None,
            ping_interval=None,
            max_size=_BACKLOG * 32,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        loop = asyncio.get_running_loop()
        self._answering = [loop.create_task(server.run()) for server in self.servers.values()]
        self.running.set()

    async def stop(self) -> None:
        """Stop as the real one does: every connection is cut, and none is told. Calls on the servers live on."""
        self.running.clear()
        server, self._server = self._server, None
        if server is not None:
            server.close(close_connections=False)
            self.cut()
            await server.wait_closed()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        self._answering = []

    async def close(self) -> None:
        """Stop, and end every call."""
        await self.stop()
        for server in self.servers.values():
            await server.down(cleanly=False)

    # Clients

    def _admit(self, connection: ServerConnection, request: HandshakeRequest) -> Response | None:
        self.handshakes.append(request)
        if self._refusal is None:
            return None
        return connection.respond(self._refusal, "refused\n")

    async def _serve(self, connection: ServerConnection) -> None:
        self._clients.add(connection)
        try:
            with contextlib.suppress(ConnectionClosed):
                async for message in connection:
                    self._take(message)
        finally:
            self._clients.discard(connection)

    def _take(self, message: str | bytes) -> None:
        request = read_request(message)
        if request is None:
            self.dropped += 1
            return
        self.received.append(request)
        asked = self.servers.values() if request.server_id == 0 else [self.servers.get(request.server_id)]
        for server in asked:
            if server is not None:
                server.take(request)

    def _sender(self, server_id: int, name: str) -> Callable[[int, Fields], None]:
        def send(kind: int, fields: Fields) -> None:
            self.broadcast(write_frame(kind, server_id, name, fields))

        return send

    def broadcast(self, message: str) -> None:
        """Send a text frame to every client."""
        broadcast(self._clients, message)

    # Faults

    def cut(self) -> None:
        """Drop every TCP connection without a close frame, and go on listening."""
        for connection in list(self._clients):
            connection.transport.abort()

    def refuse(self, status: int | None) -> None:
        """Answer every handshake with this HTTP status; ``None``: take them again."""
        self._refusal = status

    async def down(self, server_id: int, *, cleanly: bool = True) -> None:
        """Stop one server: what is asked of it vanishes. ``cleanly`` says so to everybody first."""
        await self.servers[server_id].down(cleanly=cleanly)

    def up(self, server_id: int) -> None:
        """Start it again."""
        self.servers[server_id].up()

    def slow(self, server_id: int, seconds: float) -> None:
        """Let each answer of a server take so long. One that is being waited with is given at once."""
        self.servers[server_id].slow(seconds)

    def old(self, server_id: int) -> None:
        """Let a server answer commands as Asterisk 13 does."""
        self.servers[server_id].old = True

    def burst(self, frames: int, server_id: int | None = None) -> None:
        """Send so many events at once that are nobody's, as a busy server does."""
        server_id = server_id or next(iter(self.servers))
        name, system = self._names[server_id], self.servers[server_id].system
        for number in range(frames):
            device = ("Device", f"PJSIP/{2000 + number % 900}")
            state = ("State", ("NOT_INUSE", "INUSE", "RINGING")[number % 3])
            head = [("Event", "DeviceStateChange"), ("Privilege", "call,all"), ("SystemName", system)]
            self.broadcast(write_frame(EVENT, server_id, name, [*head, device, state]))

    async def send_bytes(self, payload: bytes) -> None:
        """Send bytes, UTF-8 or not, as a text frame to every client."""
        for connection in list(self._clients):
            await connection.send(payload, text=True)
