"""The DIPCAST PBX."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from daemon.config.values import Count, Name, Positive


class PbxHeaderConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[pbx.header]]``: a header of the WebSocket handshake; ``value`` empty: the secret ``pbx-header-<name>``."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}\Z")] = "X-Example"
    value: str = ""


class PbxServerConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[pbx.server]]``: one Asterisk behind the gateway. ``id`` is its ``AMIServerID``; ids need not be 1..n."""

    name: Name = "pbx1"
    id: Count = 1


class PbxTenantConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[pbx.tenant]]``: one customer of the PBX, by an alias for people.

    Its id at the vendor is the secret ``pbx-tenant-<name>-id``, the key of its REST click-to-call the secret
    ``pbx-tenant-<name>-app-key``.
    """

    name: Name = "main"
    servers: list[str] = msgspec.field(default_factory=list)
    """Names of the servers that serve it; empty: all. Each has its own database."""
    extensions: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of its extensions, matched whole; empty: every extension."""
    context: str = ""
    account_code: str = ""
    language: str = "ko"
    cos_id: str = ""
    """Class of service of its click-to-calls, as the vendor numbers them."""
    caller_name: str = ""
    caller_number: str = ""
    ring_time: Positive = 30.0


class ClickToCallConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[pbx.click_to_call]``"""

    ways: list[Literal["rest", "websocket"]] = msgspec.field(default_factory=lambda: ["rest", "websocket"])
    """Tried in this order; the next only where nothing of a request was sent. REST needs ``rest_url``."""
    rest_url: str = ""
    rest_ca_file: str = ""
    rest_timeout: Positive = 10.0
    tie_timeout: Positive = 10.0
    """A call whose events cannot be tied to its request for so long has an unknown outcome."""
    per_user_per_hour: Count = 30
    per_hour: Count = 300
    allowed: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of numbers that may be called, matched whole; empty: all."""
    refused: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of numbers that may not, whatever ``allowed`` says."""


class PbxConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[pbx]``: the link to a DIPCAST DCMIWS gateway; none without a ``url``."""

    url: str = ""
    """``ws://host:port/path`` or ``wss://…``."""
    ca_file: str = ""
    """Authorities to trust for ``wss`` beside the system's (PEM)."""
    connect_timeout: Positive = 10.0
    request_timeout: Positive = 12.0
    """While one server is down the gateway answers for the others after four seconds and more."""
    attempts: Count = 2
    """How often a ping, a read or a put is asked before it fails; nothing else is ever repeated."""
    ping_interval: Positive = 15.0
    slow_after: Positive = 2.0
    """A ping that takes longer shows its server as slow."""
    reconnect_first: Positive = 0.25
    reconnect_cap: Positive = 15.0
    enable_key: str = "diversions/{extension}/{kind}/enable"
    destination_key: str = "diversions/{extension}/{kind}/destination"
    destination_value: str = "sub-custom-numbers,{number},1"
    header: list[PbxHeaderConfig] = msgspec.field(default_factory=list)
    server: list[PbxServerConfig] = msgspec.field(default_factory=list)
    tenant: list[PbxTenantConfig] = msgspec.field(default_factory=list)
    click_to_call: ClickToCallConfig = msgspec.field(default_factory=ClickToCallConfig)
