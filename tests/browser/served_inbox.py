"""The inbox that :class:`~tests.browser.console_server.ConsoleServer` tells of, for pictures of its page."""

from __future__ import annotations

import msgspec
from aiohttp import web

from daemon.stores.delivery_work import DeliveryState
from web.inbox_payloads import DeliveriesPayload, InboxPayload, ReplaysPayload, WholeDeliveryPayload

_ENDED = (DeliveryState.DONE, DeliveryState.DEAD, DeliveryState.CANCELLED)


class ServedInbox:
    """Tells of :attr:`figures` and :attr:`deliveries`, newest first; it looks for a state and for nothing else."""

    def __init__(self) -> None:
        self.figures = InboxPayload(
            sources=[], waiting=0, running=0, attempts=0, finished=0, died=0, counted_at=None, problem=""
        )
        self.deliveries: list[WholeDeliveryPayload] = []

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get("/api/v1/inbox", self._overview)
        app.router.add_get("/api/v1/inbox/deliveries", self._page)
        app.router.add_get("/api/v1/inbox/deliveries/{delivery_id}", self._one)
        app.router.add_post("/api/v1/inbox/replays", self._count)

    async def _overview(self, _: web.Request) -> web.Response:
        return _answer(self.figures)

    async def _page(self, request: web.Request) -> web.Response:
        found = [one.delivery for one in self._found(request.query.get("state"))]
        return _answer(DeliveriesPayload(found, None, None))

    async def _one(self, request: web.Request) -> web.Response:
        [found] = [one for one in self.deliveries if one.delivery.delivery_id == request.match_info["delivery_id"]]
        return _answer(found)

    async def _count(self, request: web.Request) -> web.Response:
        found = self._found((await request.json()).get("state"))
        return _answer(ReplaysPayload(sum(one.delivery.state in _ENDED for one in found), 0))

    def _found(self, state: str | None) -> list[WholeDeliveryPayload]:
        return [one for one in self.deliveries if state in (None, one.delivery.state)]


def _answer(payload: msgspec.Struct) -> web.Response:
    return web.json_response(msgspec.to_builtins(payload))
