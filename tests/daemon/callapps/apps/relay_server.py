"""An app as somebody else writes it for voice relay v1: a real WebSocket server that knows nothing of Parley's code."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

SECRET = "test-signing-secret"

Message = dict[str, Any]


class Conversation:
    """One call. ``got`` is all that the gateway sent, ``headers`` those of its dial."""

    def __init__(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.headers = connection.request.headers
        self.connection = connection
        self.got: list[Message] = []

    @property
    def setup(self) -> Message:
        return self.got[0]

    @property
    def end(self) -> Message:
        return self.got[-1]

    async def hear(self) -> Message:
        """The gateway's next message. Raises ``ConnectionClosed`` after its last one."""
        frame = await self.connection.recv()
        assert isinstance(frame, str)
        self.got.append(json.loads(frame))
        return self.got[-1]

    async def tell(self, **instruction: Any) -> Message:
        """What the gateway answers to an instruction."""
        await self.connection.send(json.dumps({"turn": self.got[-1]["turn"], **instruction}))
        return await self.hear()

    async def say(self, text: str, **more: Any) -> Message:
        return await self.tell(type="say", text=text, **more)

    async def ask(self, text: str, **more: Any) -> Message:
        return await self.tell(type="ask", text=text, **more)

    async def hang_up(self, text: str) -> Message:
        return await self.tell(type="hangup", text=text)


Lead = Callable[[Conversation], Awaitable[None]]


class RelayServer:
    """Lets ``lead`` lead each call once its ``setup`` was heard. A dial that is not signed by ``SECRET`` is refused.

    ``refuse`` answers the handshake in place of that.
    """

    def __init__(self, lead: Lead, refuse: Callable[[ServerConnection, Request], Response | None] | None) -> None:
        self.calls: list[Conversation] = []
        self._lead = lead
        self._refuse = refuse
        self._changed = asyncio.Condition()
        self._ended = 0
        self.failed: list[Exception] = []
        self.url = ""

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if self._refuse is not None:
            return self._refuse(connection, request)
        named = [request.headers[f"X-DVG-{name}"] for name in ("App-Id", "Call-Id", "Timestamp")]
        signature = hmac.new(SECRET.encode(), "\n".join(named).encode(), hashlib.sha256).hexdigest()
        if signature != request.headers["X-DVG-Signature"] or request.headers["X-DVG-Relay-Version"] != "1":
            return connection.respond(403, "who are you?")
        return None

    async def take(self, connection: ServerConnection) -> None:
        conversation = Conversation(connection)
        self.calls.append(conversation)
        try:
            await conversation.hear()
            await self._lead(conversation)
            while True:
                await conversation.hear()
        except ConnectionClosed:
            pass
        except Exception as error:
            self.failed.append(error)
        finally:
            self._ended += 1
            async with self._changed:
                self._changed.notify_all()

    async def ended(self, count: int = 1) -> Conversation:
        """Wait until so many conversations are over; the one that began last."""
        await self.over(count)
        return self.calls[-1]

    async def over(self, count: int) -> None:
        """Wait until so many conversations are over, and none went wrong."""
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(lambda: self._ended >= count)
        assert self.failed == []


@asynccontextmanager
async def relay_server(
    lead: Lead,
    *,
    refuse: Callable[[ServerConnection, Request], Response | None] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[RelayServer]:
    made = RelayServer(lead, refuse)
    async with serve(made.take, "127.0.0.1", 0, process_request=made.admit, ssl=tls, close_timeout=1.0) as server:
        _, port = next(iter(server.sockets)).getsockname()
        made.url = f"{'ws' if tls is None else 'wss'}://127.0.0.1:{port}/relay"
        yield made
