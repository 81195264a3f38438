"""Somebody's server that takes webhooks, on loopback: answers as it is told and keeps what came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer


class Got(msgspec.Struct, frozen=True):
    """A request that came."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """``answer`` makes each response; without one it is 200."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answer: Callable[[Got], Awaitable[web.Response] | web.Response] | None = None
        self._came = asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._take)
        self._server = TestServer(app)

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        got = Got(request.path, headers, await request.read())
        self.got.append(got)
        self._came.set()
        if self.answer is None:
            return web.Response()
        response = self.answer(got)
        return response if isinstance(response, web.Response) else await response

    async def some(self, count: int) -> list[Got]:
        """Wait until so many came."""
        async with asyncio.timeout(30):
            while len(self.got) < count:
                self._came.clear()
                await self._came.wait()
        return self.got

    def url(self, path: str = "/hook") -> str:
        return str(self._server.make_url(path))

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.close()
