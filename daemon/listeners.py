"""The addresses on which the process is reached: TCP for everybody, a Unix socket for the command line."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from aiohttp import web

from daemon.errors import OperatorError
from daemon.http_connection import HttpConnection

_BACKLOG = 1024


class Connections(Protocol):
    """What connections of a listener begin as, where that is not aiohttp's own protocol."""

    def begin_on(self, http: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """What makes the protocol of each. One may become ``http``'s later, which makes those of aiohttp."""

    async def close(self, patience: float) -> None:
        """End those that did not, within ``patience`` seconds. From the call on, none becomes aiohttp's any more."""


@dataclass(slots=True)
class _Listener:
    runner: web.AppRunner
    socket: socket.socket
    connections: Connections | None
    server: asyncio.Server | None = None


class Listeners:
    """Serves aiohttp applications. Addresses are bound as they are added, and nothing is accepted before ``start``.

    ``shutdown_timeout`` is how many seconds ``close`` waits for requests under way.
    """

    def __init__(self, shutdown_timeout: float) -> None:
        self._shutdown_timeout = shutdown_timeout
        self._listeners: list[_Listener] = []
        self.addresses: list[tuple[str, int]] = []
        """Where TCP listeners really are: a port 0 became whichever was free."""

    async def add_tcp(self, app: web.Application, host: str, port: int, connections: Connections | None = None) -> None:
        """Serve ``app`` at ``host:port``. Raises :class:`OperatorError` where that cannot be had."""
        loop = asyncio.get_running_loop()
        sockets = []
        try:
            for family, _, _, _, address in await loop.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                sockets.append(_bound(family, address))
        except OSError as error:
            for bound in sockets:
                bound.close()
            raise OperatorError(f"cannot listen at {host} port {port}: {error.strerror or error}") from error
        for bound in sockets:
            self.addresses.append(bound.getsockname()[:2])
        await self._serve(app, sockets, connections)

    async def add_unix(self, app: web.Application, path: Path) -> None:
        """Serve ``app`` at a Unix socket that only our own user (and root) can open.

        A socket that a killed process left behind is taken over; one that answers belongs to another Parley, which is
        an :class:`OperatorError`.
        """
        if await _answers(path):
            raise OperatorError(f"another Parley answers at {path}")
        try:
            bound = _bound_unix(path)
        except OSError as error:
            raise OperatorError(f"cannot listen at {path}: {error.strerror or error}") from error
        await self._serve(app, [bound], None)

    async def start(self) -> None:
        """Accept."""
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            server = listener.runner.server
            assert server is not None, "it is set up"  # noqa: S101
            begin: Callable[[], asyncio.Protocol] = partial(HttpConnection, server)
            if listener.connections is not None:
                begin = listener.connections.begin_on(begin)
            listener.server = await loop.create_server(begin, sock=listener.socket, backlog=_BACKLOG)

    async def stop_accepting(self) -> None:
        """Take no new connection; those that stand go on."""
        for listener in self._listeners:
            if listener.server is not None:
                listener.server.close()

    async def close(self) -> None:
        """End what stands."""
        await self.stop_accepting()
        begun = {id(one.connections): one.connections for one in self._listeners if one.connections is not None}
        # Side by side: there is one time for all, and who stays in one place must not use up what the others have.
        await asyncio.gather(
            *(connections.close(self._shutdown_timeout) for connections in begun.values()),
            *(runner.cleanup() for runner in {one.runner for one in self._listeners}),
        )
        for listener in self._listeners:
            listener.socket.close()

    async def _serve(self, app: web.Application, sockets: list[socket.socket], connections: Connections | None) -> None:
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=self._shutdown_timeout)
        await runner.setup()
        self._listeners += [_Listener(runner, bound, connections) for bound in sockets]


def _bound(family: int, address: object) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind(address)  # type: ignore[arg-type]
    except OSError:
        bound.close()
        raise
    return bound


def _bound_unix(path: Path) -> socket.socket:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        bound.bind(str(path))
        path.chmod(0o600)
    except OSError:
        bound.close()
        raise
    return bound


async def _answers(path: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(str(path))
    except OSError:
        return False
    writer.close()
    return True
