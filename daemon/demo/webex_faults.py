"""What goes wrong at the simulated Webex, on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from aiohttp import web

DROPPED: Final = 0
"""In the place of a status: the connection ends without an answer."""
HELD: Final = -1
"""In the place of a status: no answer comes, until those that are held are released."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Fault(msgspec.Struct):
    """Answers ``times`` requests whose method is ``method`` (``*``: any), and in whose path or query ``path`` stands,
    with ``status``; ``is_done``: what was asked for is done all the same."""

    method: str
    path: str
    status: int
    times: int
    headers: Mapping[str, str]
    is_done: bool

    def is_for(self, request: web.Request) -> bool:
        """Whether that request is one of its own."""
        return self.times > 0 and self.method in ("*", request.method) and self.path in request.path_qs


class WebexFaults:
    """Those that there are, tried in their order."""

    def __init__(self) -> None:
        self._all: list[Fault] = []
        self._held = asyncio.Event()

    def add(
        self,
        status: int,
        *,
        method: str = "*",
        path: str = "/",
        times: int = 1,
        headers: Mapping[str, str] | None = None,
        is_done: bool = False,
    ) -> Fault:
        """One more."""
        fault = Fault(method, path, status, times, headers or {}, is_done)
        self._all.append(fault)
        return fault

    def clear(self) -> None:
        """Let everything be well again."""
        self._all.clear()

    def release(self) -> None:
        """End the requests that are held, without an answer."""
        self._held.set()
        self._held = asyncio.Event()

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What is answered: a fault's answer, or that of ``handler``."""
        fault = next((one for one in self._all if one.is_for(request)), None)
        if fault is None:
            return await handler(request)
        fault.times -= 1
        if fault.is_done:
            await handler(request)
        if fault.status == HELD:
            await self._held.wait()
        if fault.status in (DROPPED, HELD):
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        body = {"message": f"answered {fault.status} on demand", "trackingId": "ROUTER_demo"}
        return web.json_response(body, status=fault.status, headers=fault.headers)
