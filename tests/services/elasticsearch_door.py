"""A door before a real Elasticsearch: it speaks TLS, looks at who comes, and does at times what a server does that is
unwell."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp import web

_PASSED_ON: Final = ("Content-Type", "X-Elastic-Product", "Warning")


class Door:
    """Enter it to open it. ``authorization`` is the header that it wants to see, if any.

    ``before`` may be set: it is told method, path and body of each request before that goes on. A status that it
    returns is answered in the place of the server, and what it raises breaks the connection off.
    """

    def __init__(self, behind: str, *, tls: ssl.SSLContext | None = None, authorization: str | None = None) -> None:
        self._behind = behind
        self._tls = tls
        self._authorization = authorization
        self.before: Callable[[str, str, bytes], Awaitable[int | None]] | None = None
        self.requests: list[tuple[str, str]] = []
        """Method and path of each."""
        self.url = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        app = web.Application(client_max_size=2**28)
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"https://localhost:{port}" if self._tls else f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((request.method, request.path))
        if self._authorization is not None and request.headers.get("Authorization") != self._authorization:
            return _refusal(401, "security_exception")
        if self.before is not None:
            try:
                status = await self.before(request.method, request.path, body)
            except ConnectionError:
                return _broken_off(request)
            if status is not None:
                return _refusal(status, "es_rejected_execution_exception")
        try:
            return await self._answer(request, body)
        except aiohttp.ClientError:
            return _broken_off(request)

    async def _answer(self, request: web.Request, body: bytes) -> web.Response:
        headers = {name: request.headers[name] for name in ("Accept", "Content-Type") if name in request.headers}
        async with self._session.request(
            request.method, f"{self._behind}{request.rel_url}", data=body, headers=headers
        ) as answer:
            kept = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
            return web.Response(status=answer.status, headers=kept, body=await answer.read())


def _broken_off(request: web.Request) -> web.Response:
    """What nobody gets to see: the line is cut."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response(status=502)


def _refusal(status: int, kind: str) -> web.Response:
    document = {"error": {"root_cause": [], "type": kind, "reason": "an example"}, "status": status}
    return web.json_response(document, status=status, headers={"X-Elastic-Product": "Elasticsearch"})
