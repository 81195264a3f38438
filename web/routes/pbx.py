"""The PBX over REST: its servers, and click-to-call."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from daemon.pbx.contract import ClickToCallRequest
from web.auth import Auth, Needs
from web.endpoint import JSON, Answer, Asked, Endpoint, json_response
from web.pbx_payloads import (
    ClickToCallPayload,
    ClickToCallsPayload,
    ClickToCallWish,
    PbxPayload,
)
from web.pbx_problems import PBX_ERRORS, configured, pbx_problems
from web.pbx_views import click_to_call_payload, pbx_payload
from web.problems import ProblemError
from web.sources import Sources


class LatestQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many."""

    limit: Annotated[int, Meta(ge=1, le=200, description="The newest so many.")] = 20


class PbxRoutes:
    """What is asked of the PBX beside diversions. Where none is configured each is answered 404."""

    def __init__(self, sources: Sources) -> None:
        self._pbx = sources.pbx
        self._auth: Auth = sources.auth

    def endpoints(self) -> list[Endpoint]:
        """Its routes."""
        return [self._servers(), *self._click_to_call_endpoints()]

    def _servers(self) -> Endpoint:
        return Endpoint(
            method="GET",
            path="/api/v1/pbx/servers",
            tag="pbx",
            summary="The gateway and the servers behind it",
            handler=self.servers,
            answers=(Answer(200, "As they stand.", {JSON: PbxPayload}),),
            errors=(404,),
        )

    def _click_to_call_endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="POST",
                path="/api/v1/click-to-call",
                tag="pbx",
                summary="Call from an extension to a number",
                description="With the header `Idempotency-Key` the same request sent again within a day places no "
                "second call.",
                handler=self.place,
                needs=Needs.OPERATOR,
                body=ClickToCallWish,
                answers=(
                    Answer(202, "Placed, or what became of it; Location follows it.", {JSON: ClickToCallPayload}),
                ),
                errors=(429, *PBX_ERRORS),
            ),
            Endpoint(
                method="GET",
                path="/api/v1/click-to-call",
                tag="pbx",
                summary="The newest click-to-calls",
                handler=self.latest,
                query=LatestQuery,
                answers=(Answer(200, "Newest first.", {JSON: ClickToCallsPayload}),),
                errors=(404,),
            ),
            Endpoint(
                method="GET",
                path="/api/v1/click-to-call/{click_to_call_id}",
                tag="pbx",
                summary="How far a click-to-call is",
                handler=self.progress,
                path_parameters={"click_to_call_id": "Its id."},
                answers=(Answer(200, "Every step so far.", {JSON: ClickToCallPayload}),),
                errors=(404,),
            ),
        ]

    async def servers(self, asked: Asked[None, None]) -> PbxPayload:
        """Their state as the live view tells it too."""
        return pbx_payload(configured(self._pbx))

    async def place(self, asked: Asked[None, ClickToCallWish]) -> web.Response:
        """Placed, or why not."""
        request = ClickToCallRequest(**msgspec.structs.asdict(asked.body))
        key = asked.request.headers.get("Idempotency-Key") or uuid.uuid4().hex
        if len(key) > 200:
            raise ProblemError(422, "Not possible", "An Idempotency-Key has at most 200 characters.")
        room = configured(self._pbx)
        with pbx_problems():
            placed = await room.click_to_call.place(request, actor=self._auth.actor(asked.request), key=key)
        response = json_response(click_to_call_payload(placed, self._auth.view(asked.somebody)), status=202)
        response.headers["Location"] = f"/api/v1/click-to-call/{placed.click_to_call_id}"
        return response

    async def progress(self, asked: Asked[None, None]) -> ClickToCallPayload:
        """Every step so far."""
        placed = await configured(self._pbx).click_to_call.progress(asked.path("click_to_call_id"))
        if placed is None:
            raise ProblemError(404, "No such click-to-call", "Neither under way nor stored.")
        return click_to_call_payload(placed, self._auth.view(asked.somebody))

    async def latest(self, asked: Asked[LatestQuery, None]) -> ClickToCallsPayload:
        """Newest first."""
        view = self._auth.view(asked.somebody)
        placed = await configured(self._pbx).click_to_call.latest(asked.query.limit)
        return ClickToCallsPayload([click_to_call_payload(one, view) for one in placed])
