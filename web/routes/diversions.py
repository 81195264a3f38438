"""Call forwarding over REST: read, changed and cleared, by the version that was seen."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from daemon.pbx.contract import Diversion, ExtensionDiversions
from daemon.pbx.diversion_change import wish
from daemon.pbx.diversion_service import ANY_VERSION
from protocols.dcmiws.diversions import DiversionKind
from web.auth import Auth, Needs
from web.endpoint import JSON, Answer, Asked, Endpoint, json_response
from web.pbx_payloads import DiversionWish, DiversionWishes, ExtensionDiversionsPayload, OneDiversionPayload
from web.pbx_problems import PBX_ERRORS, configured, pbx_problems
from web.pbx_views import diversions_payload, one_diversion_payload
from web.problems import ProblemError
from web.sources import Sources

_PATH: Final = "/api/v1/diversions/{extension}"
_KIND_PATH: Final = "/api/v1/diversions/{extension}/{kind}"
_EXTENSION: Final = {"extension": "The extension."}
_KIND: Final = _EXTENSION | {"kind": "`IMMEDIATE`, `BUSY`, `NO_ANSWER` or `UNAVAILABLE`."}
_KINDS: Final = {"kind": "|".join(DiversionKind)}
_CHANGES: Final = "The header `If-Match` names the version that was read (its `ETag`), or `*` for whatever it is."
_CHANGING: Final = (412, 428, *PBX_ERRORS)
_STORED: Final = "As it is stored; the header ETag is its version."
_WHOLE: Final = (Answer(200, _STORED, {JSON: ExtensionDiversionsPayload}),)
_ONE: Final = (Answer(200, _STORED, {JSON: OneDiversionPayload}),)


class TenantQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose extension it is."""

    tenant: Annotated[str | None, Meta(description="The tenant's alias; without it, the one that has it.")] = None


class ReadQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose extension it is, and what one server says of it."""

    tenant: Annotated[str | None, Meta(description="The tenant's alias; without it, the one that has it.")] = None
    server: Annotated[str | None, Meta(description="Only what this server stores.")] = None


class DiversionRoutes:
    """Reads and sets diversions. Where no PBX is configured each is answered 404."""

    def __init__(self, sources: Sources) -> None:
        self._pbx = sources.pbx
        self._auth: Auth = sources.auth

    def endpoints(self) -> list[Endpoint]:
        """Its routes."""
        return [*self._reading_endpoints(), *self._changing_endpoints(), *self._clearing_endpoints()]

    def _reading_endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path=_PATH,
                tag="pbx",
                summary="The diversions of an extension",
                handler=self.read,
                path_parameters=_EXTENSION,
                query=ReadQuery,
                answers=_WHOLE,
                errors=PBX_ERRORS,
            ),
            Endpoint(
                method="GET",
                path=_KIND_PATH,
                tag="pbx",
                summary="One diversion of an extension",
                handler=self.read_one,
                path_parameters=_KIND,
                patterns=_KINDS,
                query=ReadQuery,
                answers=_ONE,
                errors=PBX_ERRORS,
            ),
        ]

    def _changing_endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="PUT",
                path=_PATH,
                tag="pbx",
                summary="Change several diversions of an extension",
                description=f"On every server of the tenant; answered with what was read back. {_CHANGES}",
                handler=self.change,
                needs=Needs.OPERATOR,
                path_parameters=_EXTENSION,
                query=TenantQuery,
                body=DiversionWishes,
                answers=_WHOLE,
                errors=_CHANGING,
            ),
            Endpoint(
                method="PUT",
                path=_KIND_PATH,
                tag="pbx",
                summary="Change one diversion of an extension",
                description=f"On every server of the tenant; answered with what was read back. {_CHANGES}",
                handler=self.change_one,
                needs=Needs.OPERATOR,
                path_parameters=_KIND,
                patterns=_KINDS,
                query=TenantQuery,
                body=DiversionWish,
                answers=_ONE,
                errors=_CHANGING,
            ),
        ]

    def _clearing_endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="DELETE",
                path=_PATH,
                tag="pbx",
                summary="Clear every diversion of an extension",
                description=_CHANGES,
                handler=self.clear,
                needs=Needs.OPERATOR,
                path_parameters=_EXTENSION,
                query=TenantQuery,
                answers=_WHOLE,
                errors=_CHANGING,
            ),
            Endpoint(
                method="DELETE",
                path=_KIND_PATH,
                tag="pbx",
                summary="Clear one diversion of an extension",
                description=_CHANGES,
                handler=self.clear_one,
                needs=Needs.OPERATOR,
                path_parameters=_KIND,
                patterns=_KINDS,
                query=TenantQuery,
                answers=_ONE,
                errors=_CHANGING,
            ),
        ]

    async def read(self, asked: Asked[ReadQuery, None]) -> web.Response:
        """All kinds."""
        with pbx_problems():
            read = await configured(self._pbx).diversions.read(
                asked.path("extension"), tenant=asked.query.tenant, server=asked.query.server
            )
        return self._whole(asked, read)

    async def read_one(self, asked: Asked[ReadQuery, None]) -> web.Response:
        """One kind."""
        with pbx_problems():
            read = await configured(self._pbx).diversions.read(
                asked.path("extension"), tenant=asked.query.tenant, server=asked.query.server
            )
        return self._one(asked, read)

    async def change(self, asked: Asked[TenantQuery, DiversionWishes]) -> web.Response:
        """Several kinds."""
        wishes = [wish(kind, one.enabled, one.destination) for kind, one in asked.body.diversions.items()]
        room, version = configured(self._pbx), _if_match(asked.request)
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
        room, version = configured(self._pbx), _if_match(asked.request)
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
        room, version = configured(self._pbx), _if_match(asked.request)
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
