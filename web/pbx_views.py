"""What of the PBX an account is shown: whole numbers, or masked ones."""

from __future__ import annotations

import msgspec

from daemon.calls.numbers import mask_number, mask_numbers_in
from daemon.pbx.contract import (
    CallStep,
    Diversion,
    ExtensionDiversions,
    Forward,
    PlacedCall,
    ServerDiversion,
    StepTaken,
    in_words,
)
from daemon.pbx.room import Pbx
from web.pbx_payloads import (
    ClickToCallPayload,
    DiversionPayload,
    ExtensionDiversionsPayload,
    ForwardsPayload,
    OneDiversionPayload,
    PbxPayload,
    PbxServerPayload,
    ServerDiversionPayload,
    StepPayload,
)
from web.views import View, link_payload


def pbx_payload(pbx: Pbx) -> PbxPayload:
    """The gateway and its servers as they stand."""
    tenants = list(pbx.tenants)
    servers = [
        PbxServerPayload(
            name=server.name,
            server_id=server.server_id,
            state=server.status.now.state,
            since=server.status.now.since,
            round_trip=server.status.now.round_trip,
            detail=server.status.now.detail,
            tenants=[tenant.name for tenant in tenants if server.name in tenant.servers],
        )
        for server in pbx.servers.all
    ]
    return PbxPayload(link_payload(pbx.gateway.status.now), servers, [tenant.name for tenant in tenants])


def diversion_payload(diversion: Diversion, view: View) -> DiversionPayload:
    """One kind."""
    if view is not View.FULL:
        diversion = _masked(diversion)
    return DiversionPayload(
        kind=diversion.kind,
        enabled=diversion.enabled,
        destination=diversion.destination,
        in_effect=diversion.in_effect,
        agreed=diversion.agreed,
        summary=diversion.summary,
        version=diversion.version,
        servers=[
            ServerDiversionPayload(stored.server, stored.enabled, stored.destination, stored.error)
            for stored in diversion.servers
        ],
    )


def diversions_payload(read: ExtensionDiversions, view: View) -> ExtensionDiversionsPayload:
    """All kinds."""
    diversions = [diversion_payload(diversion, view) for diversion in read.diversions]
    return ExtensionDiversionsPayload(read.tenant, read.extension, read.version, diversions)


def one_diversion_payload(read: ExtensionDiversions, diversion: Diversion, view: View) -> OneDiversionPayload:
    """One kind, and whose it is."""
    shown = diversion_payload(diversion, view)
    return OneDiversionPayload(
        tenant=read.tenant,
        extension=read.extension,
        kind=shown.kind,
        enabled=shown.enabled,
        destination=shown.destination,
        in_effect=shown.in_effect,
        agreed=shown.agreed,
        summary=shown.summary,
        version=shown.version,
        servers=shown.servers,
    )


def click_to_call_payload(placed: PlacedCall, view: View) -> ClickToCallPayload:
    """A click-to-call."""
    if view is not View.FULL:
        placed = _masked_call(placed)
    return ClickToCallPayload(
        click_to_call_id=placed.click_to_call_id,
        tenant=placed.tenant,
        caller=placed.caller,
        callee=placed.callee,
        actor=placed.actor,
        way=placed.way,
        notice=placed.notice,
        forwards=[ForwardsPayload(forward.kind, forward.destination) for forward in placed.forwards],
        forwards_unread=placed.forwards_unread,
        created_at=placed.created_at,
        ended_at=placed.ended_at,
        call_id=placed.call_id,
        state=placed.steps[-1].step,
        steps=[StepPayload(taken.step, taken.at, taken.detail) for taken in placed.steps],
    )


def _masked(diversion: Diversion) -> Diversion:
    destination = mask_number(diversion.destination)
    return msgspec.structs.replace(
        diversion,
        destination=destination,
        summary=in_words(enabled=diversion.enabled, destination=destination),
        servers=[_masked_server(stored) for stored in diversion.servers],
    )


def _masked_server(stored: ServerDiversion) -> ServerDiversion:
    return msgspec.structs.replace(
        stored, destination=mask_number(stored.destination), error=mask_numbers_in(stored.error)
    )


def _masked_call(placed: PlacedCall) -> PlacedCall:
    """Its notice is made of what is masked here."""
    return msgspec.structs.replace(
        placed,
        caller=mask_number(placed.caller),
        callee=mask_number(placed.callee),
        forwards=[Forward(forward.kind, mask_number(forward.destination)) for forward in placed.forwards],
        steps=[_masked_step(taken) for taken in placed.steps],
    )


def _masked_step(taken: StepTaken) -> StepTaken:
    mask = mask_number if taken.step is CallStep.FORWARDED else mask_numbers_in
    return StepTaken(taken.step, taken.at, mask(taken.detail))
