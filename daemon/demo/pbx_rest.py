"""The vendor's REST click-to-call, simulated: takes the request and places the call on the simulated gateway."""

from __future__ import annotations

import json
from typing import Final

from aiohttp import web

from daemon.demo.pbx_gateway import SimulatedGateway
from daemon.demo.pbx_wire import Request

PATH: Final = "/api/v2/core/click_to_call"
APP_KEY: Final = "데모-열쇠"

_TEXTS: Final = ("caller", "callee", "cos_id", "cid_name", "cid_number")


class SimulatedVendorRest:
    """Listens on loopback. ``received`` holds every body that was accepted, oldest first."""

    def __init__(self, gateway: SimulatedGateway, *, app_key: str = APP_KEY, host: str = "127.0.0.1") -> None:
        self.received: list[dict[str, object]] = []
        self.status: int | None = None
        """Answer with this status and place nothing; ``None``: take requests."""
        self._gateway = gateway
        self._app_key = app_key.encode()
        self._host = host
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where requests go, once it runs."""
        return f"http://{self._host}:{self.port}{PATH}"

    async def start(self) -> None:
        """Listen. The port stays the same for every later start."""
        app = web.Application()
        app.router.add_post(PATH, self._click)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _click(self, request: web.Request) -> web.Response:
        if self.status is not None:
            return web.json_response({"message": "refused"}, status=self.status)
        headers = {name.lower(): value for name, value in request.raw_headers}
        if headers.get(b"app-key") != self._app_key or headers.get(b"tenant") != self._gateway.tenant_id.encode():
            return web.json_response({"message": "unauthorized"}, status=401)
        try:
            body = json.loads(await request.read())
        except ValueError:
            return web.json_response({"message": "no JSON"}, status=400)
        variables = body.get("variables", {})
        wrong = [name for name in _TEXTS if not isinstance(body.get(name, ""), str)]
        if wrong or not body.get("caller") or not body.get("callee") or not isinstance(variables, dict):
            return web.json_response({"message": "bad request"}, status=400)
        self.received.append(body)
        context = self._gateway.context
        fields = [
            ("Action", "Originate"),
            ("Channel", f"Local/{body['caller']}@{context}"),
            ("Context", context),
            ("Exten", body["callee"]),
            ("Priority", "1"),
            ("Timeout", "30000"),
            ("Callerid", f"{body.get('cid_name', '')} <{body.get('cid_number', '')}>"),
            ("Async", "yes"),
            *(("Variable", f"{name}={value}") for name, value in variables.items()),
        ]
        next(iter(self._gateway.servers.values())).take(Request(0, fields))
        return web.json_response({"result": "ok"})
