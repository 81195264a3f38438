"""Where Vox.ai delivers the events of its calls: through the inbox, answered in the words that its customers know."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from daemon.stores.delivery_inserts import Fate
from web.auth import Needs
from web.endpoint import JSON, Answer, Asked, Endpoint, json_response
from web.inbox_payloads import CallEventPayload
from web.providers import Providers
from web.sources import Sources

SOURCE: Final = "voxai"
_MESSAGES: Final = {
    Fate.STORED: "Call event accepted",
    Fate.REVIVED: "Call event accepted again",
    Fate.DOUBLE: "Call event accepted before",
}


class CallEventRoutes:
    """One address for every event of a call."""

    def __init__(self, sources: Sources) -> None:
        self._providers: Providers = sources.providers

    def endpoints(self) -> list[Endpoint]:
        """Its route."""
        return [
            Endpoint(
                method="POST",
                path="/api/v1/call_events",
                tag="voxai",
                summary="Deliver an event of a Vox.ai call",
                description="Versions 1 and 2, all events; unknown ones are kept whole. Authenticated as the source "
                "`voxai` of the configuration.",
                handler=self.deliver_call_event,
                group="public",
                needs=Needs.SOURCE,
                answers=(Answer(200, "It is safe, and will be worked on.", {JSON: CallEventPayload}),),
                errors=(422, 503),
            )
        ]

    async def deliver_call_event(self, asked: Asked[None, None]) -> web.Response:
        """Take it in."""
        accepted = await self._providers.receive(asked.request, SOURCE)
        return json_response(CallEventPayload("success", _MESSAGES[accepted.fate], accepted.delivery_id))
