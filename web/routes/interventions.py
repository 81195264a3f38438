"""Live calls taken in hand over REST: sent to a person, spoken into, hung up."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from web.auth import Auth, Needs
from web.endpoint import JSON, Answer, Asked, Endpoint, json_response
from web.intervention_payloads import LinePayload, LineWish, TransferWish
from web.intervention_problems import INTERVENTION_ERRORS, intervention_problems
from web.payloads import CallPayload
from web.problems import ProblemError
from web.sources import Sources
from web.views import call_payload

_CALL_ID: Final = {"call_id": "Our id of the call."}
_AWAY: Final = "503 says that nothing was done, 504 that nobody knows whether it was."


class InterventionRoutes:
    """What operators do to calls, with an app or without one."""

    def __init__(self, sources: Sources) -> None:
        self._auth: Auth = sources.auth
        self._accounts = sources.accounts
        self._interventions = sources.interventions

    def endpoints(self) -> list[Endpoint]:
        """Its routes."""
        return [self._transfer(), self._say(), self._hang_up()]

    def _transfer(self) -> Endpoint:
        return Endpoint(
            method="POST",
            path="/api/v1/calls/{call_id}/transfer",
            tag="calls",
            summary="Take a call over",
            description="An app that leads it is ended, and the caller goes to the extension: one's own, or another "
            "that `[callapps.takeover]` allows. A caller who could not be sent there gets the fall-back of "
            f"`[callapps.fallback]`. {_AWAY}",
            handler=self.transfer,
            needs=Needs.OPERATOR,
            path_parameters=_CALL_ID,
            body=TransferWish,
            answers=(Answer(200, "The switch sends the caller on; the call as it stands.", {JSON: CallPayload}),),
            errors=INTERVENTION_ERRORS,
        )

    def _say(self) -> Endpoint:
        return Endpoint(
            method="POST",
            path="/api/v1/calls/{call_id}/say",
            tag="calls",
            summary="Say a line into a call",
            description="The caller hears it after what the app says now, and cannot break it off. It stands in the "
            f"transcript once, as said by the app. {_AWAY}",
            handler=self.say,
            needs=Needs.OPERATOR,
            path_parameters=_CALL_ID,
            body=LineWish,
            answers=(
                Answer(200, "It was said.", {JSON: LinePayload}),
                Answer(202, "It will be said, or is being said.", {JSON: LinePayload}),
            ),
            errors=INTERVENTION_ERRORS,
        )

    def _hang_up(self) -> Endpoint:
        return Endpoint(
            method="POST",
            path="/api/v1/calls/{call_id}/hangup",
            tag="calls",
            summary="Hang a call up",
            description=f"All of its legs. A call that is over already is answered as it stands. {_AWAY}",
            handler=self.hang_up,
            needs=Needs.OPERATOR,
            path_parameters=_CALL_ID,
            answers=(Answer(200, "The switch hangs it up, or it was over.", {JSON: CallPayload}),),
            errors=INTERVENTION_ERRORS,
        )

    async def transfer(self, asked: Asked[None, TransferWish]) -> CallPayload:
        """To the given extension, else to one's own."""
        own = await self._accounts.extension_of(asked.somebody.account)
        extension = asked.body.extension or own
        if not extension:
            raise ProblemError(422, "Not understood", "Name an extension: none is known of you.")
        actor = self._auth.actor(asked.request)
        with intervention_problems():
            call = await self._interventions.transfer(asked.path("call_id"), extension, own=own, actor=actor)
        return call_payload(call, self._auth.view(asked.somebody))

    async def say(self, asked: Asked[None, LineWish]) -> web.Response:
        """Said, or on its way."""
        call_id = asked.path("call_id")
        with intervention_problems():
            said = await self._interventions.say(call_id, asked.body.text, actor=self._auth.actor(asked.request))
        return json_response(LinePayload(call_id, said), status=200 if said else 202)

    async def hang_up(self, asked: Asked[None, None]) -> CallPayload:
        """Over, or about to be."""
        with intervention_problems():
            call = await self._interventions.hang_up(asked.path("call_id"), actor=self._auth.actor(asked.request))
        return call_payload(call, self._auth.view(asked.somebody))
