"""A simulated Webex on loopback: its REST API, and deliveries to the webhooks that are made there."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from daemon.demo.webex_deliveries import WebexDeliveries
from daemon.demo.webex_faults import WebexFaults
from daemon.demo.webex_routes import WebexRefusedError, WebexRoutes
from daemon.demo.webex_world import WebexWorld

BOT_NAME: Final = "Parley"
BOT_EMAIL: Final = "parley@webex.bot"

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class SimulatedWebex:
    """Start it, and a bot that has :attr:`token` may use it at :attr:`url`. ``clock`` gives Unix seconds."""

    def __init__(
        self, *, host: str = "127.0.0.1", failures_allowed: int = 100, clock: Callable[[], float] = time.time
    ) -> None:
        self.world = WebexWorld(BOT_NAME, BOT_EMAIL, clock)
        self.faults = WebexFaults()
        self.deliveries = WebexDeliveries(self.world, failures_allowed=failures_allowed)
        self.token = secrets.token_hex(32)
        self.requests: deque[tuple[str, str]] = deque(maxlen=10_000)
        """Method and path of the bot's last requests, oldest first."""
        self._host = host
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def address(self) -> str:
        """Where it is, once it runs."""
        return f"http://{self._host}:{self.port}"

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"{self.address}/v1"

    async def start(self) -> None:
        """Listen, and deliver. The port stays the same for every later start."""
        app = web.Application(middlewares=[self._guard])
        app.add_routes(WebexRoutes(self.world).all())
        self.add_to(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self.port).start()
        self.port = self._runner.addresses[0][1]
        await self.deliveries.start()

    async def stop(self) -> None:
        """Neither listen nor deliver any more. Nothing is forgotten."""
        self.faults.release()
        await self.deliveries.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def add_to(self, app: web.Application) -> None:
        """Serve more than the API."""

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not request.path.startswith("/v1/"):
            return await handler(request)
        self.requests.append((request.method, request.path))
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _refused(401, "The request requires a valid access token set in the Authorization request header.")
        try:
            return await self.faults.answer(request, handler)
        except WebexRefusedError as error:
            return _refused(error.status, str(error))


def _refused(status: int, text: str) -> web.Response:
    body = {"message": text, "errors": [{"description": text}], "trackingId": f"ROUTER_{secrets.token_hex(8)}"}
    return web.json_response(body, status=status)
