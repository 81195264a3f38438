"""The PBX over REST: its servers, call forwarding, click-to-call."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from daemon.pbx.contract import ClickToCallRequest, Diversion, ExtensionDiversions
from daemon.pbx.diversion_change import wish
from daemon.pbx.diversion_service import ANY_VERSION
from daemon.pbx.room import Pbx
from protocols.dcmiws.diversions import DiversionKind
from web.auth import Auth, Needs
from web.endpoint import JSON, Answer, Asked, Endpoint, json_response
from web.pbx_payloads import (
    ClickToCallPayload,
    ClickToCallsPayload,
    ClickToCallWish,
    DiversionWish,
    DiversionWishes,
    ExtensionDiversionsPayload,
    OneDiversionPayload,
    PbxPayload,
)
from web.pbx_problems import PBX_ERRORS, pbx_problems
from web.pbx_views import click_to_call_payload, diversions_payload, one_diversion_payload, pbx_payload
from web.problems import ProblemError
from web.sources import Sources

_EXTENSION: Final = {"extension": "The extension."}
_KIND: Final = _EXTENSION | {"kind": "`IMMEDIATE`, `BUSY`, `NO_ANSWER` or `UNAVAILABLE`."}
_KINDS: Final = {"kind": "|".join(DiversionKind)}
_CHANGES: Final = "The header `If-Match` names the version that was read (its `ETag`), or `*` for whatever it is."


class TenantQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose extension it is."""

    tenant: Annotated[str | None, Meta(description="The tenant's alias; without it, the one that has it.")] = None


class ReadQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose extension it is, and what one server says of it."""

    tenant: Annotated[str | None, Meta(description="The tenant's alias; without it, the one that has it.")] = None
    server: Annotated[str | None, Meta(description="Only what this server stores.")] = None


class LatestQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many."""

    limit: Annotated[int, Meta(ge=1, le=200, description="The newest so many.")] = 20


class PbxRoutes:
    """All that is asked of the PBX. Where none is configured each is answered 404."""

    def __init__(self, sources: Sources) -> None:
        self._pbx = sources.pbx
        self._auth: Auth = sources.auth

    def endpoints(self) -> list[Endpoint]:
        """Its routes."""
        return [self._servers(), *self._diversion_endpoints(), *self._click_to_call_endpoints()]

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

    def _diversion_endpoints(self) -> list[Endpoint]:
        whole = (Answer(200, "As it is stored; the header ETag is its version.", {JSON: ExtensionDiversionsPayload}),)
        one = (Answer(200, "As it is stored; the header ETag is its version.", {JSON: OneDiversionPayload}),)
        path, kind_path = "/api/v1/diversions/{extension}", "/api/v1/diversions/{extension}/{kind}"
        changing = (412, 428, *PBX_ERRORS)
        return [
            Endpoint(
                method="GET",
                path=path,
                tag="pbx",
                summary="The diversions of an extension",
                handler=self.read,
                path_parameters=_EXTENSION,
                query=ReadQuery,
                answers=whole,
                errors=PBX_ERRORS,
            ),
            Endpoint(
                method="GET",
                path=kind_path,
                tag="pbx",
                summary="One diversion of an extension",
                handler=self.read_one,
                path_parameters=_KIND,
                patterns=_KINDS,
                query=ReadQuery,
                answers=one,
                errors=PBX_ERRORS,
            ),
            Endpoint(
                method="PUT",
                path=path,
                tag="pbx",
                summary="Change several diversions of an extension",
                description=f"On every server of the tenant; answered with what was read back. {_CHANGES}",
                handler=self.change,
                needs=Needs.OPERATOR,
                path_parameters=_EXTENSION,
                query=TenantQuery,
                body=DiversionWishes,
                answers=whole,
                errors=changing,
            ),
            Endpoint(
                method="PUT",
                path=kind_path,
                tag="pbx",
                summary="Change one diversion of an extension",
                description=f"On every server of the tenant; answered with what was read back. {_CHANGES}",
                handler=self.change_one,
                needs=Needs.OPERATOR,
                path_parameters=_KIND,
                patterns=_KINDS,
                query=TenantQuery,
                body=DiversionWish,
                answers=one,
                errors=changing,
            ),
            Endpoint(
                method="DELETE",
                path=path,
                tag="pbx",
                summary="Clear every diversion of an extension",
                description=_CHANGES,
                handler=self.clear,
                needs=Needs.OPERATOR,
                path_parameters=_EXTENSION,
                query=TenantQuery,
                answers=whole,
                errors=changing,
            ),
            Endpoint(
                method="DELETE",
                path=kind_path,
                tag="pbx",
                summary="Clear one diversion of an extension",
                description=_CHANGES,
                handler=self.clear_one,
                needs=Needs.OPERATOR,
                path_parameters=_KIND,
                patterns=_KINDS,
                query=TenantQuery,
                answers=one,
                errors=changing,
            ),
        ]

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

    def _room(self) -> Pbx:
        if self._pbx is None:
            raise ProblemError(404, "No PBX", "None is configured: see [pbx] in the configuration.")
        return self._pbx

    async def servers(self, asked: Asked[None, None]) -> PbxPayload:
        """Their state as the live view tells it too."""
        return pbx_payload(self._room())

    # Diversions

    async def read(self, asked: Asked[ReadQuery, None]) -> web.Response:
        """All kinds."""
        with pbx_problems():
            read = await self._room().diversions.read(
                asked.path("extension"), tenant=asked.query.tenant, server=asked.query.server
            )
        return self._whole(asked, read)

    async def read_one(self, asked: Asked[ReadQuery, None]) -> web.Response:
        """One kind."""
        with pbx_problems():
            read = await self._room().diversions.read(
                asked.path("extension"), tenant=asked.query.tenant, server=asked.query.server
            )
        return self._one(asked, read)

    async def change(self, asked: Asked[TenantQuery, DiversionWishes]) -> web.Response:
        """Several kinds."""
        wishes = [wish(kind, one.enabled, one.destination) for kind, one in asked.body.diversions.items()]
        room, version = self._room(), _if_match(asked.request)
        with pbx_problems():
            read = await room.diversions.change_several(
                asked.path("extension"),
                wishes,
                actor=self._auth.actor(asked.request),
                version=version,
                tenant=asked.query.tenant,
            )
        return self._whole(asked, read)

    async def change_one(self, asked: Asked[TenantQuery, DiversionWish]) -> web.Response:
        """One kind."""
        room, version = self._room(), _if_match(asked.request)
        with pbx_problems():
            read = await room.diversions.change(
                asked.path("extension"),
                DiversionKind(asked.path("kind")),
                actor=self._auth.actor(asked.request),
                version=version,
                tenant=asked.query.tenant,
                enabled=asked.body.enabled,
                destination=asked.body.destination,
            )
        return self._one(asked, read)

    async def clear(self, asked: Asked[TenantQuery, None]) -> web.Response:
        """All kinds."""
        return self._whole(asked, await self._clear(asked, None))

    async def clear_one(self, asked: Asked[TenantQuery, None]) -> web.Response:
        """One kind."""
        return self._one(asked, await self._clear(asked, DiversionKind(asked.path("kind"))))

    async def _clear(self, asked: Asked[TenantQuery, None], kind: DiversionKind | None) -> ExtensionDiversions:
        room, version = self._room(), _if_match(asked.request)
        with pbx_problems():
            return await room.diversions.clear(
                asked.path("extension"),
                kind,
                actor=self._auth.actor(asked.request),
                version=version,
                tenant=asked.query.tenant,
            )

    def _whole(self, asked: Asked[Any, Any], read: ExtensionDiversions) -> web.Response:
        response = json_response(diversions_payload(read, self._auth.view(asked.somebody)))
        return _versioned(asked, response, read.version)

    def _one(self, asked: Asked[Any, Any], read: ExtensionDiversions) -> web.Response:
        kind = DiversionKind(asked.path("kind"))
        found: Diversion = next(one for one in read.diversions if one.kind is kind)
        response = json_response(one_diversion_payload(read, found, self._auth.view(asked.somebody)))
        return _versioned(asked, response, found.version)

    # Click-to-call

    async def place(self, asked: Asked[None, ClickToCallWish]) -> web.Response:
        """Placed, or why not."""
        request = ClickToCallRequest(**msgspec.structs.asdict(asked.body))
        key = asked.request.headers.get("Idempotency-Key") or uuid.uuid4().hex
        if len(key) > 200:
            raise ProblemError(422, "Not possible", "An Idempotency-Key has at most 200 characters.")
        room = self._room()
        with pbx_problems():
            placed = await room.click_to_call.place(request, actor=self._auth.actor(asked.request), key=key)
        response = json_response(click_to_call_payload(placed, self._auth.view(asked.somebody)), status=202)
        response.headers["Location"] = f"/api/v1/click-to-call/{placed.click_to_call_id}"
        return response

    async def progress(self, asked: Asked[None, None]) -> ClickToCallPayload:
        """Every step so far."""
        placed = await self._room().click_to_call.progress(asked.path("click_to_call_id"))
        if placed is None:
            raise ProblemError(404, "No such click-to-call", "Neither under way nor stored.")
        return click_to_call_payload(placed, self._auth.view(asked.somebody))

    async def latest(self, asked: Asked[LatestQuery, None]) -> ClickToCallsPayload:
        """Newest first."""
        view = self._auth.view(asked.somebody)
        placed = await self._room().click_to_call.latest(asked.query.limit)
        return ClickToCallsPayload([click_to_call_payload(one, view) for one in placed])


def _versioned(asked: Asked[Any, Any], response: web.Response, version: str) -> web.Response:
    # What one server says is no state that a change, which is of all of them, could name.
    if getattr(asked.query, "server", None) is None:
        response.headers["ETag"] = f'"{version}"'
    return response


def _if_match(request: web.Request) -> str:
    """The version that the client has seen. Raises a problem 428 where it does not say."""
    given = request.headers.get("If-Match", "").strip()
    if not given:
        raise ProblemError(428, "Say what you change", "Send If-Match with the ETag of what you read, or * for any.")
    if given == "*":
        return ANY_VERSION
    version = given.removeprefix("W/").strip('"')
    # Quoted it is the version of nothing.
    return "" if version == ANY_VERSION else version
