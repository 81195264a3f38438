"""A connection on which HTTP is spoken: aiohttp's, where that says too much or reads too long."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import structlog
from aiohttp import StreamReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

log = structlog.get_logger(__name__)

_UNREAD: Final = 8 * 1024 * 1024
"""Bytes of a body nobody wanted that are read all the same: who sends to the end before he reads would else find the
connection broken and no answer, and deliver again."""
_UNREAD_PACKED: Final = 256 * 1024
"""The same of a compressed one, of which few bytes are many."""
_UNREAD_TIME: Final = 2.0
"""Seconds that they may take."""
_PROBLEM: Final = b'{"title":"Bad Request","status":400,"detail":"This is no request that can be read here."}'


class HttpConnection(RequestHandler):
    """One of ``server``'s.

    What cannot be read as a request is not repeated, in the answer or in a log: it has tokens in it, and what people
    said. A body that was refused is read away as far as that is little, and never kept.
    """

    __slots__ = ()

    def __init__(self, server: web.Server) -> None:
        # Addresses of requests hold numbers and one-time codes: they are not for an access log.
        loop = asyncio.get_running_loop()
        super().__init__(server, loop=loop, access_log=None, lingering_time=0.0)  # type: ignore[arg-type]

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """As aiohttp does, but for requests that are none."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        log.info("request_unreadable", error=type(exc).__name__)
        response = web.Response(status=400, body=_PROBLEM, content_type="application/problem+json")
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """As aiohttp does; after it the rest of the body is read, if that is little."""
        sent, is_gone = await super().finish_response(request, resp, start_time)
        if not (is_gone or self._force_close or request.content.is_eof()):
            most = _UNREAD_PACKED if hdrs.CONTENT_ENCODING in request.headers else _UNREAD
            if (request.content_length or 0) <= most:
                await _read_away(request.content, most)
        return sent, is_gone


async def _read_away(body: StreamReader, most: int) -> None:
    read = 0
    with suppress(Exception):  # whatever is wrong with it is no matter any more
        async with asyncio.timeout(_UNREAD_TIME):
            while read < most and not body.is_eof():
                read += len(await body.readany())
