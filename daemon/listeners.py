"""The addresses on which the process is reached: TCP for everybody, a Unix socket for the command line."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from aiohttp import web

from daemon.errors import OperatorError

_BACKLOG = 1024


class Listeners:
    """Serves aiohttp applications. Addresses are bound as they are added, and nothing is accepted before ``start``.

    ``shutdown_timeout`` is how many seconds ``close`` waits for requests under way.
    """

    def __init__(self, shutdown_timeout: float) -> None:
        self._shutdown_timeout = shutdown_timeout
        self._runners: list[web.AppRunner] = []
        self._sockets: list[socket.socket] = []
        self._sites: list[tuple[web.AppRunner, web.SockSite]] = []
        self.addresses: list[tuple[str, int]] = []
        """Where TCP listeners really are: a port 0 became whichever was free."""

    async def add_tcp(self, app: web.Application, host: str, port: int) -> None:
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
        await self._serve(app, sockets)

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
        await self._serve(app, [bound])

    async def start(self) -> None:
        """Accept."""
        for _, site in self._sites:
            await site.start()

    async def stop_accepting(self) -> None:
        """Take no new connection; those that stand go on."""
        for runner, site in self._sites:
            if site in runner.sites:
                await site.stop()

    async def close(self) -> None:
        """End what stands."""
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))
        for bound in self._sockets:
            bound.close()

    async def _serve(self, app: web.Application, sockets: list[socket.socket]) -> None:
        self._sockets += sockets
        # Addresses of requests hold numbers and one-time codes: they are not for an access log.
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=self._shutdown_timeout)
        await runner.setup()
        self._runners.append(runner)
        self._sites += [(runner, web.SockSite(runner, bound, backlog=_BACKLOG)) for bound in sockets]


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
