"""Requests of providers: read within bounds, verified over the raw bytes, and refused in words."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from daemon.inbox.contract import InboxFullError
from daemon.inbox.room import InboxRoom
from daemon.inbox.sources import (
    BROKEN_OFF,
    FULL,
    NOT_STORABLE,
    STORE_AWAY,
    TOO_FAST,
    TOO_LARGE,
    TOO_SLOW,
    Source,
    SourceRefusedError,
)
from daemon.stores.database import DatabaseAwayError, RowRefusedError
from daemon.stores.delivery_inserts import Accepted
from protocols.webhooks.signatures import Reason
from web.addresses import Address
from web.auth import Auth
from web.problems import ProblemError, problem_of
from web.whole_request import WholeRequest

_READ_TIME: Final = 20.0
"""Seconds that a body may take to come."""
TOKEN: Final = "token"  # noqa: S105 - a name
"""What it is called in an address that proves who asks."""
_FORBIDDEN: Final = (Reason.ADDRESS.value,)


class TooFastError(ProblemError):
    """Who asks is the provider, and asks too often."""


class Providers:
    """The sources of the inbox, as requests meet them."""

    def __init__(self, inbox: InboxRoom, auth: Auth, max_body: int) -> None:
        self._inbox = inbox
        self._auth = auth
        self.max_body = max_body
        """Bytes of a body."""

    async def admit(self, request: web.Request, source_name: str) -> bytes:
        """The body of a request that is from that source. Raises a problem where it is not, or none is configured."""
        source = self._source(source_name)
        body = await self._body(request, source)
        try:
            self._inbox.verify(
                source,
                _headers(request),
                body,
                address=self._auth.address(request),
                url_token=_url_token(request, source),
            )
        except SourceRefusedError as error:
            raise self.problem(error, source) from error
        return body

    def query(self, request: web.Request, source_name: str) -> list[tuple[str, str]]:
        """The query of a request that is from that source, without what proves that."""
        takes_token = self._source(source_name).takes_url_token
        return [(name, value) for name, value in request.query.items() if name != TOKEN or not takes_token]

    async def receive(self, request: web.Request, source_name: str) -> Accepted:
        """Take a delivery in; returns when it is safe. Raises a problem where it is not taken."""
        source = self._source(source_name)
        body = await self._body(request, source)
        try:
            return await self._inbox.receive(
                source,
                _headers(request),
                body,
                address=self._auth.address(request),
                url_token=_url_token(request, source),
            )
        except Exception as error:
            raise self.problem(error, source) from error

    def taken_at_once(self, name: str) -> Source | None:
        """The source of that name, if there is one whose deliveries :meth:`take` takes now."""
        source = self._inbox.sources.get(name)
        return source if source is not None and self._inbox.takes_at_once(source) else None

    def take(self, source: Source, request: WholeRequest, peer: Address | None) -> asyncio.Future[Accepted]:
        """Take a delivery in that has come whole, from ``peer``, without a token in its address.

        What is returned is done when it is safe. Raises ``SourceRefusedError`` and ``InboxFullError``.
        """
        return self._inbox.take(
            source,
            request.headers,
            request.by_name,
            request.body,
            address=self._auth.address_behind(peer, request.forwarded_for),
        )

    def problem(self, error: Exception, source: Source) -> ProblemError:
        """What the provider is told whose delivery is not taken; it is counted."""
        if isinstance(error, InboxFullError):
            self._inbox.counts.refused(source.name, FULL)
            detail = "More waits to be stored than can be held. Deliver it again."
            return ProblemError(503, "Too much at once", detail, {"Retry-After": "5"})
        if isinstance(error, RowRefusedError):
            self._inbox.counts.refused(source.name, NOT_STORABLE)
            detail = "The store cannot hold it: a text of it is none. Delivering it again is of no use."
            return ProblemError(422, "Not storable", detail)
        if isinstance(error, SourceRefusedError):
            return _refused(error)
        if isinstance(error, DatabaseAwayError):
            self._inbox.counts.refused(source.name, STORE_AWAY)
        return problem_of(error, "POST")

    def _source(self, name: str) -> Source:
        source = self._inbox.sources.get(name)
        if source is None:
            raise ProblemError(404, "Unknown source", "No source of that name is configured here.")
        return source

    async def _body(self, request: web.Request, source: Source) -> bytes:
        """The raw body. One that says that it is too large is not read."""
        most = self.max_body
        if (request.content_length or 0) > most:
            raise self._too_large(source)
        content = request.content
        if content.is_eof() and content.total_bytes <= most:
            # All of it came with the head, or while others were served: there is nothing to wait for.
            return await content.read()
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(_READ_TIME):
                async for chunk in content.iter_any():
                    size += len(chunk)
                    if size > most:
                        raise self._too_large(source)
                    chunks.append(chunk)
        except TimeoutError as error:
            self._inbox.counts.refused(source.name, TOO_SLOW)
            raise ProblemError(408, "Too slow", f"The body did not come within {_READ_TIME:g} s.") from error
        except (ConnectionError, web.RequestPayloadError):
            self._inbox.counts.refused(source.name, BROKEN_OFF)
            raise
        return b"".join(chunks)

    def _too_large(self, source: Source) -> ProblemError:
        self._inbox.counts.refused(source.name, TOO_LARGE)
        return ProblemError(413, "Too large", f"A body may have {self.max_body} bytes.", closes=True)


def _headers(request: web.Request) -> list[tuple[str, str]]:
    """As they came, name by name; bytes that are no UTF-8 as lone surrogates."""
    return [
        (name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape"))
        for name, value in request.raw_headers
    ]


def _url_token(request: web.Request, source: Source) -> str | None:
    return request.query.get(TOKEN) if source.takes_url_token else None


def _refused(error: SourceRefusedError) -> ProblemError:
    text = str(error)
    detail = f"{text[:1].upper()}{text[1:]}."
    if error.reason == TOO_FAST:
        wait = str(max(1, round(error.retry_after or 1.0)))
        return TooFastError(429, "Too many at once", detail, {"Retry-After": wait})
    if error.reason in _FORBIDDEN:
        return ProblemError(403, "Not from here", detail)
    return ProblemError(401, "Not verified", f"{detail} ({error.reason})")
