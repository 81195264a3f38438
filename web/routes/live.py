"""``/socket.io/``: the door to the live view."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from web.auth import opens_socket
from web.endpoint import Answer, Asked, Endpoint
from web.problems import ProblemError
from web.sources import Sources


class HandshakeQuery(msgspec.Struct, frozen=True):
    """What socket.io clients put into the address. Others that they add do not matter."""

    EIO: Annotated[Literal["4"], Meta(description="The version of Engine.IO's protocol.")]
    transport: Annotated[Literal["websocket"], Meta(description="The only transport there is.")]


class LiveRoutes:
    """The live view."""

    def __init__(self, sources: Sources) -> None:
        self._live = sources.live

    def endpoints(self) -> list[Endpoint]:
        """Its route."""
        return [
            Endpoint(
                method="GET",
                path="/socket.io/",
                tag="live",
                summary="Open the live view",
                description="A socket.io connection, WebSocket only, with the events of the namespace /live: "
                "calls, call, utterance, link, reset from the server, watch and unwatch from the client.",
                handler=self.open_live,
                query=HandshakeQuery,
                head=False,
                answers=(Answer(101, "The connection stands."),),
                errors=(400, 426),
            )
        ]

    async def open_live(self, asked: Asked[HandshakeQuery, None]) -> web.StreamResponse:
        """Stays in the connection until it ends."""
        if not opens_socket(asked.request):
            raise ProblemError(426, "A WebSocket is needed", "", {"Upgrade": "websocket", "Connection": "Upgrade"})
        if "sid" in asked.request.query:
            raise ProblemError(400, "No such connection", "There is no other transport to come from.")
        return await self._live.handle(asked.request)
