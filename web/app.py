"""Builds the application of one listener. Everything that answers is an :class:`~web.endpoint.Endpoint`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aiohttp import web

from web.delivery_connections import DeliveryConnections
from web.endpoint import Endpoint, Group
from web.headers import set_headers
from web.problems import problems
from web.routes.call_events import CallEventRoutes
from web.routes.calls import CallRoutes
from web.routes.console import STATIC, ConsoleRoutes
from web.routes.diversions import DiversionRoutes
from web.routes.documents import DocumentRoutes
from web.routes.health import HealthRoutes
from web.routes.inbox import InboxRoutes
from web.routes.interventions import InterventionRoutes
from web.routes.live import LiveRoutes
from web.routes.mail import MailRoutes
from web.routes.outgoing import OutgoingRoutes
from web.routes.pbx import PbxRoutes
from web.routes.people import PeopleRoutes
from web.routes.session import SessionRoutes
from web.routes.voxai import VoxaiRoutes
from web.routes.webhooks import WebhookRoutes
from web.sources import Sources

__all__ = ["Sources", "build_app", "deliveries_of", "endpoints_of"]

_MAX_BODY: Final = 1_048_576
"""Bytes of a request's body."""


def build_app(sources: Sources, routes: frozenset[Group], *, static: Path = STATIC) -> web.Application:
    """The application with the routes of the groups ``routes``.

    Applications of the same ``sources`` share its live view, which the first of them to start starts and the first to
    shut down stops. ``static`` is where the console was built to.
    """
    app = web.Application(client_max_size=_MAX_BODY)
    sources.metrics.add_to(app)
    app.middlewares.append(problems)
    app.on_response_prepare.append(set_headers)
    for endpoint in endpoints_of(sources, static):
        if endpoint.group in routes:
            endpoint.add_to(app, sources.auth)

    async def start(_: web.Application) -> None:
        await sources.live.start()

    async def stop(_: web.Application) -> None:
        await sources.live.stop()

    app.on_startup.append(start)
    app.on_shutdown.append(stop)
    return app


def deliveries_of(sources: Sources) -> DeliveryConnections:
    """What the connections of one listener begin as that serves the group ``public``."""
    return DeliveryConnections(sources.providers, sources.metrics.requests)


def endpoints_of(sources: Sources, static: Path = STATIC) -> list[Endpoint]:
    """All that is served, the OpenAPI document of it included."""
    endpoints = [
        endpoint
        for room in (
            HealthRoutes(sources),
            SessionRoutes(sources),
            CallRoutes(sources),
            OutgoingRoutes(sources),
            InterventionRoutes(sources),
            PbxRoutes(sources),
            DiversionRoutes(sources),
            InboxRoutes(sources),
            PeopleRoutes(sources),
            MailRoutes(sources),
            WebhookRoutes(sources),
            CallEventRoutes(sources),
            VoxaiRoutes(sources.tools, sources.providers),
            LiveRoutes(sources),
            ConsoleRoutes(static),
        )
        for endpoint in room.endpoints()
    ]
    documents = DocumentRoutes(endpoints, sources.version, static)
    return [*endpoints, *documents.endpoints()]
