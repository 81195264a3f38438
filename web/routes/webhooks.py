"""Where providers deliver."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from daemon.stores.delivery_inserts import Accepted, Fate
from web.auth import Needs
from web.endpoint import JSON, Answer, Asked, Endpoint, json_response
from web.inbox_payloads import AcceptedPayload
from web.providers import Providers
from web.sources import Sources

PATH: Final = "/webhooks/{source}"
_MESSAGES: Final = {
    Fate.STORED: "accepted",
    Fate.REVIVED: "accepted again: the delivery of that id had died, and is worked on anew",
    Fate.DOUBLE: "accepted before: nothing more is done",
}


class WebhookRoutes:
    """One address for every source."""

    def __init__(self, sources: Sources) -> None:
        self._providers: Providers = sources.providers

    def endpoints(self) -> list[Endpoint]:
        """Its route."""
        return [
            Endpoint(
                method="POST",
                path=PATH,
                tag="webhooks",
                summary="Deliver a webhook",
                description=(
                    "The body is verified as it is, byte for byte, and stored before it is acknowledged. "
                    "What the source gives an id is taken once."
                ),
                handler=self.deliver,
                group="public",
                needs=Needs.SOURCE,
                path_parameters={"source": "A source of the configuration."},
                answers=(
                    Answer(202, "It is safe, and will be worked on.", {JSON: AcceptedPayload}),
                    Answer(200, "It was accepted before.", {JSON: AcceptedPayload}),
                ),
                errors=(422, 503),
            )
        ]

    async def deliver(self, asked: Asked[None, None]) -> web.Response:
        """Take it in."""
        return accepted_response(await self._providers.receive(asked.request, asked.path("source")))


def accepted_response(accepted: Accepted) -> web.Response:
    """What a provider is told when its delivery is safe."""
    return json_response(accepted_payload(accepted), accepted_status(accepted))


def accepted_payload(accepted: Accepted) -> AcceptedPayload:
    """In words."""
    return AcceptedPayload(_MESSAGES[accepted.fate], accepted.delivery_id)


def accepted_status(accepted: Accepted) -> int:
    """In a number."""
    return 200 if accepted.fate is Fate.DOUBLE else 202
