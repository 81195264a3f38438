"""``/health`` for whoever watches over the service, ``/metrics`` for Prometheus."""

from __future__ import annotations

from aiohttp import web

from daemon.health import Condition
from web.auth import Needs
from web.endpoint import Answer, Asked, Endpoint, json_response
from web.metrics import CONTENT_TYPE
from web.payloads import HealthPayload
from web.sources import Sources
from web.views import health_payload


class HealthRoutes:
    """How we are."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def endpoints(self) -> list[Endpoint]:
        """Its routes."""
        return [
            Endpoint(
                method="GET",
                path="/health",
                tag="system",
                summary="Whether Parley is well",
                description="From outside this host only the conditions are told, without version and details.",
                handler=self.get_health,
                group="public",
                needs=Needs.NOTHING,
                answers=(
                    Answer(200, "Well, or degraded: a peer is away and Parley works on.", _HEALTH),
                    Answer(503, "Parley is starting, stopping, or cannot keep what it is given.", _HEALTH),
                ),
            ),
            Endpoint(
                method="GET",
                path="/metrics",
                tag="system",
                summary="Figures for Prometheus",
                handler=self.get_metrics,
                needs=Needs.METRICS,
                answers=(Answer(200, "Prometheus' text format.", {"text/plain": None}),),
            ),
        ]

    async def get_health(self, asked: Asked[None, None]) -> web.Response:
        """The conditions of all parts; details are for insiders."""
        insider = self._sources.auth.is_insider(asked.request)
        report = self._sources.health.report()
        payload = health_payload(report, self._sources.version, details=insider)
        return json_response(payload, 503 if report.condition is Condition.DOWN else 200)

    async def get_metrics(self, asked: Asked[None, None]) -> web.Response:
        """All that is counted."""
        return web.Response(body=self._sources.metrics.text(), headers={"Content-Type": CONTENT_TYPE})


_HEALTH = {"application/json": HealthPayload}
