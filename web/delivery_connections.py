"""Connections on which providers deliver, taken in without what every other request needs.

Each begins here. While what comes is one whole delivery after another (:mod:`web.whole_request`), it is verified and
stored as it is read, and answered. With the first that is anything else the connection is handed to aiohttp for good,
from that request's first byte: its routes take deliveries too, and answer the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Final

from daemon.inbox.sources import Source
from daemon.stores.delivery_inserts import Accepted
from web.addresses import Address, transport_address
from web.encoding import encode
from web.endpoint import JSON
from web.headers import UNKEPT, headers_of
from web.problems import CONTENT_TYPE, ProblemError, problem_body
from web.providers import Providers
from web.request_figures import RequestFigures
from web.routes.webhooks import PATH, accepted_payload, accepted_status
from web.whole_request import WholeRequest, whole_request

_SWEEP_INTERVAL: Final = 15.0
_SILENT_TIME: Final = 60.0
"""Seconds after which a connection is closed on which nothing ever came."""
_IDLE_TIME: Final = 3_630.0
"""Seconds after which one is closed on which nothing comes any more: longer than proxies keep one, which otherwise
might send on it just then. aiohttp does the same."""
_MOST_AHEAD: Final = 65_536
"""Bytes that may come before the answer to what came first."""


class DeliveryConnections:
    """Those of one listener."""

    def __init__(self, providers: Providers, figures: RequestFigures) -> None:
        self.providers = providers
        self.figures = figures
        self._open: set[DeliveryConnection] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._none_left = asyncio.Event()
        self._closing = False
        self.handed_over = 0
        """How many became aiohttp's."""

    def __len__(self) -> int:
        """How many are open and not handed over."""
        return len(self._open)

    def begin_on(self, http: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """What makes the protocol of each connection; ``http`` makes those that take over."""
        return partial(DeliveryConnection, self, http)

    def close_idle(self, now: float) -> None:
        """Close those on which nothing has come for long; ``now`` is of the loop's clock."""
        for connection in list(self._open):
            connection.close_if_idle(now)

    async def close(self, patience: float) -> None:
        """Close those without a delivery under way at once, the others when it is answered, all after ``patience``
        seconds. None is handed over any more, and what begins later ends at once."""
        self._closing = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in list(self._open):
            connection.close()
        try:
            async with asyncio.timeout(patience):
                while self._open:
                    self._none_left.clear()
                    await self._none_left.wait()
        except TimeoutError:
            for connection in list(self._open):
                connection.abort()

    def add(self, connection: DeliveryConnection) -> None:
        """It begins."""
        self._open.add(connection)
        if self._closing:
            connection.close()
        elif self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(_SWEEP_INTERVAL, self._sweep)

    def discard(self, connection: DeliveryConnection) -> None:
        """It ended, or is another's now."""
        self._open.discard(connection)
        if not self._open:
            self._none_left.set()

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        self.close_idle(loop.time())
        self._sweeping = loop.call_later(_SWEEP_INTERVAL, self._sweep) if self._open else None


class DeliveryConnection(asyncio.Protocol):
    """One of them. One delivery at a time is under way; what comes meanwhile waits."""

    _transport: asyncio.Transport
    _peer: Address | None

    def __init__(self, connections: DeliveryConnections, http: Callable[[], asyncio.Protocol]) -> None:
        self._connections = connections
        self._http = http
        self._under_way: asyncio.Future[Accepted] | None = None
        self._began = 0.0
        self._ahead = b""
        self._unread = False
        """Whether the other side does not read its answers."""
        self._paused = False
        self._heard_at: float | None = None
        self._opened_at = 0.0
        self._closing = False

    # The transport's calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._peer = transport_address(transport)
        self._opened_at = asyncio.get_running_loop().time()
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._under_way is None and not self._unread:
            self._receive(data)
        else:
            self._ahead += data
            self._steer()

    def pause_writing(self) -> None:
        self._unread = True
        self._steer()

    def resume_writing(self) -> None:
        self._unread = False
        self._go_on()

    def connection_lost(self, error: Exception | None) -> None:
        # What is under way is stored all the same.
        self._connections.discard(self)

    # Ending

    def close(self) -> None:
        """Close it, or when what is under way is answered."""
        self._closing = True
        if self._under_way is None:
            self._transport.close()

    def abort(self) -> None:
        """Close it now."""
        self._transport.abort()

    def close_if_idle(self, now: float) -> None:
        """Close it if nothing has come for long."""
        end = self._opened_at + _SILENT_TIME if self._heard_at is None else self._heard_at + _IDLE_TIME
        if self._under_way is None and now > end:
            # Not in good order: who does not read its answers would never be done.
            self._transport.abort()

    # Deliveries

    def _receive(self, data: bytes) -> None:
        self._began = time.perf_counter()
        request = whole_request(data, self._connections.providers.max_body)
        source = None if request is None else self._connections.providers.taken_at_once(request.source)
        if request is None or source is None:
            self._hand_over(data)
            return
        self._heard_at = asyncio.get_running_loop().time()
        try:
            self._under_way = self._connections.providers.take(source, request, self._peer)
        except Exception as error:
            self._refuse(error, request, source)
        else:
            self._under_way.add_done_callback(partial(self._taken, request, source))

    def _go_on(self) -> None:
        """With what came meanwhile."""
        if self._ahead and self._under_way is None and not self._unread and not self._transport.is_closing():
            data, self._ahead = self._ahead, b""
            self._receive(data)
        self._steer()

    def _steer(self) -> None:
        """Read on, or not: where much is ahead, or who sends it does not read its answers."""
        pause = self._unread or len(self._ahead) > _MOST_AHEAD
        if pause != self._paused and not self._transport.is_closing():
            self._paused = pause
            if pause:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _hand_over(self, data: bytes) -> None:
        self._connections.discard(self)
        self._connections.handed_over += 1
        self._steer()
        protocol = self._http()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(data)

    def _taken(self, request: WholeRequest, source: Source, taken: asyncio.Future[Accepted]) -> None:
        self._under_way = None
        error = taken.exception()
        if error is None:
            accepted = taken.result()
            self._answer(request, accepted_status(accepted), JSON, encode(accepted_payload(accepted)))
        elif isinstance(error, Exception):
            self._refuse(error, request, source)
        if self._ahead:
            self._go_on()

    def _refuse(self, error: Exception, request: WholeRequest, source: Source) -> None:
        problem = self._connections.providers.problem(error, source)
        self._answer(request, problem.status, CONTENT_TYPE, problem_body(problem), problem)

    def _answer(
        self, request: WholeRequest, status: int, content_type: str, body: bytes, problem: ProblemError | None = None
    ) -> None:
        took = time.perf_counter() - self._began
        self._connections.figures.count(
            PATH, "POST", status, request_size=len(request.body), response_size=len(body), took=took
        )
        if self._transport.is_closing():
            return
        head = _head(status, content_type, request.host, int(time.time()))
        more = "".join(f"{name}: {value}\r\n" for name, value in problem.headers.items()) if problem else ""
        self._transport.write(b"%b%bContent-Length: %d\r\n\r\n%b" % (head, more.encode(), len(body), body))
        if self._closing:
            self._transport.close()


@lru_cache(maxsize=64)
def _head(status: int, content_type: str, host: str, second: int) -> bytes:
    """The beginning of an answer in the ``second`` since 1970."""
    headers = {
        "Content-Type": content_type,
        **headers_of(host),
        **dict([UNKEPT]),
        "Date": formatdate(second, usegmt=True),
    }
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, ""]).encode()
