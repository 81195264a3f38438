"""Calls that Parley places into an app, over REST."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from daemon.callapps.outgoing import (
    NotNowError,
    NotPossibleError,
    OutgoingCall,
    OutgoingError,
    OutgoingOffError,
    OutgoingRequest,
    TooManyOutgoingError,
)
from daemon.callapps.outgoing_service import OutgoingCalls
from daemon.calls.numbers import mask_number
from web.auth import Auth, Needs
from web.endpoint import JSON, Answer, Asked, Endpoint, json_response
from web.outgoing_payloads import OutgoingCallPayload, OutgoingCallsPayload, OutgoingWish
from web.problems import ProblemError
from web.sources import Sources
from web.views import View

_PATH = "/api/v1/outgoing-calls"
_RETRY = {"Retry-After": "5"}


class LatestOutgoingQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many."""

    limit: Annotated[int, Meta(ge=1, le=200, description="The newest so many.")] = 20


class OutgoingRoutes:
    """Placing calls, and what came of them."""

    def __init__(self, sources: Sources) -> None:
        self._outgoing = sources.outgoing
        self._auth: Auth = sources.auth

    def endpoints(self) -> list[Endpoint]:
        """Its routes."""
        return [
            Endpoint(
                method="POST",
                path="/api/v1/calls",
                tag="calls",
                summary="Call a number and let an app lead the call",
                description="Within the numbers, hours and limits of `[callapps.outgoing]`. With the header "
                "`Idempotency-Key` the same request sent again within a day places no second call.",
                handler=self.place_call,
                needs=Needs.OPERATOR,
                body=OutgoingWish,
                answers=(
                    Answer(202, "Placed, or what became of it; Location follows it.", {JSON: OutgoingCallPayload}),
                ),
                errors=(404, 409, 422, 429, 503),
            ),
            Endpoint(
                method="GET",
                path=_PATH,
                tag="calls",
                summary="The newest calls that Parley placed",
                handler=self.list_outgoing,
                query=LatestOutgoingQuery,
                answers=(Answer(200, "Newest first.", {JSON: OutgoingCallsPayload}),),
                errors=(404,),
            ),
            Endpoint(
                method="GET",
                path=f"{_PATH}/{{call_id}}",
                tag="calls",
                summary="What came of a call that Parley placed",
                description="Once it rings it is a call like any other too, under the same id.",
                handler=self.get_outgoing,
                path_parameters={"call_id": "Our id of the call."},
                answers=(Answer(200, "As far as it is.", {JSON: OutgoingCallPayload}),),
                errors=(404,),
            ),
        ]

    async def place_call(self, asked: Asked[None, OutgoingWish]) -> web.Response:
        """Placed, or why not."""
        wish = asked.body
        key = asked.request.headers.get("Idempotency-Key") or uuid.uuid4().hex
        if len(key) > 200:
            raise ProblemError(422, "Not possible", "An Idempotency-Key has at most 200 characters.")
        with outgoing_problems():
            placed = await self._room().place(
                OutgoingRequest(to=wish.to, app=wish.app, variables=wish.variables),
                actor=self._auth.actor(asked.request),
                key=key,
            )
        response = json_response(outgoing_payload(placed, self._auth.view(asked.somebody)), status=202)
        response.headers["Location"] = f"{_PATH}/{placed.call_id}"
        return response

    async def get_outgoing(self, asked: Asked[None, None]) -> OutgoingCallPayload:
        """As far as it is."""
        placed = await self._room().get(asked.path("call_id"))
        if placed is None:
            raise ProblemError(404, "No such call", "Parley placed none of that id.")
        return outgoing_payload(placed, self._auth.view(asked.somebody))

    async def list_outgoing(self, asked: Asked[LatestOutgoingQuery, None]) -> OutgoingCallsPayload:
        """Newest first."""
        view = self._auth.view(asked.somebody)
        placed = await self._room().latest(asked.query.limit)
        return OutgoingCallsPayload([outgoing_payload(one, view) for one in placed])

    def _room(self) -> OutgoingCalls:
        if self._outgoing is None:
            raise ProblemError(404, "No calls are placed", "There is no switch here to place them on.")
        return self._outgoing


def outgoing_payload(placed: OutgoingCall, view: View) -> OutgoingCallPayload:
    """A call as ``view`` shows it."""
    return OutgoingCallPayload(
        call_id=placed.call_id,
        actor=placed.actor,
        app=placed.app,
        number=placed.number if view is View.FULL else mask_number(placed.number),
        server=placed.server,
        state=placed.state,
        cause=placed.cause,
        machine=placed.machine,
        created_at=placed.created_at,
        answered_at=placed.answered_at,
        ended_at=placed.ended_at,
    )


@contextmanager
def outgoing_problems() -> Iterator[None]:
    """Turn the room's errors into problems."""
    try:
        yield
    except OutgoingError as error:
        raise _problem(error) from error


def _problem(error: OutgoingError) -> ProblemError:
    text = str(error)
    text = f"{text[:1].upper()}{text[1:]}."
    match error:
        case OutgoingOffError():
            return ProblemError(404, "No calls are placed", text)
        case NotPossibleError():
            return ProblemError(422, "Not possible", text)
        case NotNowError():
            return ProblemError(409, "Not at this time", text, _after(error.retry_after))
        case TooManyOutgoingError():
            return ProblemError(429, "Too many calls", text, _after(error.retry_after))
    return ProblemError(503, "The switch is away", text, _RETRY)


def _after(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, math.ceil(seconds)))}
