"""What of the PBX an account is shown: whole numbers, or masked ones."""

from __future__ import annotations

from daemon.calls.numbers import mask_number, mask_numbers_in
from daemon.pbx.contract import Diversion, ExtensionDiversions, PlacedCall
from daemon.pbx.room import Pbx
from protocols.dcmiws.diversions import DiversionKind
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
    whole = view is View.FULL
    return DiversionPayload(
        kind=diversion.kind,
        enabled=diversion.enabled,
        destination=diversion.destination if whole else mask_number(diversion.destination),
        in_effect=diversion.in_effect,
        agreed=diversion.agreed,
        summary=diversion.summary if whole else mask_numbers_in(diversion.summary),
        version=diversion.version,
        servers=[
            ServerDiversionPayload(
                server=stored.server,
                enabled=stored.enabled,
                destination=stored.destination if whole else mask_number(stored.destination),
                error=stored.error,
            )
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
    whole = view is View.FULL
    return ClickToCallPayload(
        click_to_call_id=placed.click_to_call_id,
        tenant=placed.tenant,
        caller=placed.caller if whole else mask_number(placed.caller),
        callee=placed.callee if whole else mask_number(placed.callee),
        actor=placed.actor,
        way=placed.way,
        notice=placed.notice if whole else mask_numbers_in(placed.notice),
        forwards=_forwards(placed, view),
        created_at=placed.created_at,
        ended_at=placed.ended_at,
        call_id=placed.call_id,
        state=placed.steps[-1].step,
        steps=[
            StepPayload(taken.step, taken.at, taken.detail if whole else mask_numbers_in(taken.detail))
            for taken in placed.steps
        ],
    )


def _forwards(placed: PlacedCall, view: View) -> ForwardsPayload | None:
    if not placed.forwards_to:
        return None
    destination = placed.forwards_to if view is View.FULL else mask_number(placed.forwards_to)
    return ForwardsPayload(DiversionKind(placed.forwards_when), destination)
