"""What REST takes and gives about the PBX. Numbers are as the account may see them; times are Unix seconds."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from daemon.calls.links import LinkState
from daemon.pbx.contract import CallStep
from protocols.dcmiws.diversions import DiversionKind
from web.payloads import LinkPayload

Number = Annotated[str, Meta(max_length=60)]


class PbxServerPayload(msgspec.Struct, frozen=True):
    """One server behind the gateway. ``round_trip``: seconds of its last ping; ``tenants``: those it serves."""

    name: str
    server_id: int
    state: LinkState
    since: float
    round_trip: float | None
    detail: str
    tenants: list[str]


class PbxPayload(msgspec.Struct, frozen=True):
    """The gateway, its servers, and the aliases of all tenants."""

    gateway: LinkPayload
    servers: list[PbxServerPayload]
    tenants: list[str]


class ServerDiversionPayload(msgspec.Struct, frozen=True):
    """A diversion as one server stores it; ``error`` says why it could not be read."""

    server: str
    enabled: bool
    destination: str
    error: str


class DiversionPayload(msgspec.Struct, frozen=True):
    """One kind of forwarding. ``in_effect``: enabled, and with a destination that can be dialled."""

    kind: DiversionKind
    enabled: bool
    destination: str
    in_effect: bool
    agreed: bool
    summary: str
    version: str
    servers: list[ServerDiversionPayload]


class ExtensionDiversionsPayload(msgspec.Struct, frozen=True):
    """All four kinds of an extension."""

    tenant: str
    extension: str
    version: str
    diversions: list[DiversionPayload]


class OneDiversionPayload(msgspec.Struct, frozen=True):
    """One kind, and whose it is."""

    tenant: str
    extension: str
    kind: DiversionKind
    enabled: bool
    destination: str
    in_effect: bool
    agreed: bool
    summary: str
    version: str
    servers: list[ServerDiversionPayload]


class DiversionWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to store of one kind; what is left out stays. A ``destination`` of ``""`` is removed."""

    enabled: bool | None = None
    destination: Number | None = None


class DiversionWishes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to store of several kinds."""

    diversions: dict[DiversionKind, DiversionWish]


class ClickToCallWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to call from which extension, by the vendor's names. What is left out is the tenant's."""

    caller: Annotated[str, Meta(min_length=1, max_length=40)]
    callee: Annotated[str, Meta(min_length=1, max_length=40)]
    tenant: str | None = None
    cos_id: Annotated[str, Meta(max_length=20)] | None = None
    cid_name: Annotated[str, Meta(max_length=60)] | None = None
    cid_number: Number | None = None
    variables: dict[str, Annotated[str, Meta(max_length=200)]] = {}


class StepPayload(msgspec.Struct, frozen=True):
    """A step of a click-to-call, and more about it in words."""

    step: CallStep
    at: float
    detail: str


class ForwardsPayload(msgspec.Struct, frozen=True):
    """A diversion of the caller that is in effect."""

    kind: DiversionKind
    destination: str


class ClickToCallPayload(msgspec.Struct, frozen=True):
    """A click-to-call and how far it is: ``state`` is its last step. ``call_id`` names it in the live view.

    ``forwards``: the caller's diversions in effect when it was placed; ``forwards_unread``: they could not be read.
    ``notice`` says both in words.
    """

    click_to_call_id: str
    tenant: str
    caller: str
    callee: str
    actor: str
    way: str
    notice: str
    forwards: list[ForwardsPayload]
    forwards_unread: bool
    created_at: float
    ended_at: float | None
    call_id: str
    state: CallStep
    steps: list[StepPayload]


class ClickToCallsPayload(msgspec.Struct, frozen=True):
    """The newest, newest first."""

    click_to_calls: list[ClickToCallPayload]
