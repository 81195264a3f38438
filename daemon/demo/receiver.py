"""Where the demo's outgoing webhooks go: a customer system on loopback that is out of order now and then."""

from __future__ import annotations

import random
import time
from typing import Final

from aiohttp import web

from protocols.webhooks.signatures import SignatureRefusedError
from protocols.webhooks.standard import StandardVerifier

PATH: Final = "/webhooks"
SHORT: Final = 5.0
"""Seconds of trouble that a retry or two outlive."""
LONG: Final = 60.0
"""Seconds of trouble that no retry of the demo outlives; a replay later does."""

_TROUBLE: Final = {0.0: 16, SHORT: 3, LONG: 1}
"""Out of twenty webhooks so many are refused for that long."""
_SURE: Final = 3
"""This one is refused for long, whatever comes after."""
_REMEMBERED: Final = 1_000


class UnsteadyReceiver:
    """Takes webhooks signed as Standard Webhooks are. Each has its own luck: it is taken at once, or answered 503 for
    a while; one of the first is out of luck for long. ``speed`` divides every duration."""

    def __init__(self, secret: str, *, speed: float, choice: random.Random, host: str = "127.0.0.1") -> None:
        self.taken: list[str] = []
        """The ids of those that were taken last, oldest first."""
        self._verifier = StandardVerifier([secret])
        self._speed = speed
        self._choice = choice
        self._host = host
        self._works_at: dict[str, float] = {}
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where webhooks go, once it runs."""
        return f"http://{self._host}:{self.port}{PATH}"

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_post(PATH, self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            self._verifier.verify(headers, await request.read(), now=time.time())
        except SignatureRefusedError as error:
            return web.json_response({"message": error.text}, status=401)
        webhook_id = headers["webhook-id"]
        works_from = self._works_from(webhook_id)
        if time.monotonic() < works_from:
            return web.json_response({"message": "out of order"}, status=503)
        self.taken = [*self.taken[1 - _REMEMBERED :], webhook_id]
        return web.json_response({"message": "taken"})

    def _works_from(self, webhook_id: str) -> float:
        """When this webhook's trouble is over."""
        if webhook_id not in self._works_at:
            [trouble] = self._choice.choices(list(_TROUBLE), list(_TROUBLE.values()))
            trouble = LONG if len(self._works_at) == _SURE - 1 else trouble
            self._works_at[webhook_id] = time.monotonic() + trouble / self._speed
            if len(self._works_at) > _REMEMBERED:
                del self._works_at[next(iter(self._works_at))]
        return self._works_at[webhook_id]
