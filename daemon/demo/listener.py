"""The simulated event socket's listening side: connections in, events out to all of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

from daemon.demo.client import Client
from daemon.demo.commands import Backend, Commands
from daemon.demo.event import Event
from daemon.demo.faults import Faults

QUEUE_LIMIT = 100_000


class Listener:
    """Listens on loopback and keeps its port over restarts.

    A subscriber with ``queue_limit`` events waiting freezes the whole event socket, other subscribers and all commands
    included, until it reads or is gone: what FreeSWITCH does at 100,000.
    """

    def __init__(
        self,
        host: str,
        port: int,
        password: str,
        *,
        faults: Faults,
        auth_timeout: float,
        queue_limit: int = QUEUE_LIMIT,
    ) -> None:
        self.host = host
        self.port = port
        self.faults = faults
        self.auth_timeout = auth_timeout
        self.clients: list[Client] = []
        self.thawed = asyncio.Event()
        self.thawed.set()
        self.commands = Commands(password, faults)
        self._queue_limit = queue_limit
        self._frozen: deque[Event] = deque()
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    def attach(self, backend: Backend) -> None:
        """Let ``backend`` answer the commands, and send the events of its core."""
        self.commands.backend = backend
        backend.core.listen(self.send)

    async def open(self) -> None:
        """Begin to listen. The port stays the same for every later ``open``."""
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def listening(self) -> bool:
        """Whether connections are taken."""
        return self._server is not None

    async def shut(self) -> None:
        """Listen no more: connecting is refused by the system. Connections stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def close(self, *, abruptly: bool = False) -> None:
        """Listen no more and close every connection, after what is queued or (``abruptly``) at once."""
        await self.shut()
        for client in list(self.clients):
            if abruptly:
                client.abort()
            else:
                client.close()
        self.faults.flowing.set()
        if self._serving:
            done, late = await asyncio.wait(self._serving, timeout=5.0)
            for task in late:
                task.cancel()
            await asyncio.gather(*done, *late, return_exceptions=True)
        self._frozen.clear()
        self.thawed.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Client(self, reader, writer)
        self.clients.append(client)
        task = asyncio.get_running_loop().create_task(self._serve(client))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, client: Client) -> None:
        with contextlib.suppress(ConnectionError):
            await client.serve()

    def left(self, client: Client) -> None:
        """A connection is gone."""
        self.clients.remove(client)
        self.thaw()

    # --- events ---

    def send(self, event: Event) -> None:
        """Queue an event for everyone who asked for it, or keep it while the socket is frozen."""
        if not self.thawed.is_set():
            self._frozen.append(event)
            return
        times = self.faults.times_to_send()
        for client in self.clients:
            for _ in range(times):
                client.offer(event)
        if any(client.backlog >= self._queue_limit for client in self.clients):
            self.thawed.clear()

    def thaw(self) -> None:
        """Go on where the queues have room again."""
        if self.thawed.is_set() or any(client.backlog >= self._queue_limit for client in self.clients):
            return
        self.thawed.set()
        while self._frozen and self.thawed.is_set():
            self.send(self._frozen.popleft())

    async def flushed(self) -> None:
        """Wait until every client has been written all it was sent."""
        for client in list(self.clients):
            await client.flushed()
