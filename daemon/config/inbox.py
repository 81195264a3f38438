"""Webhooks: who delivers, what is done, and where it goes on to."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from daemon.config.values import Count, Name, Positive


class SourceConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[inbox.source]]``: who may deliver at ``/webhooks/<name>``, and how one knows that it is them.

    Its secret is ``source-<name>-secret``; while it is changed a second and third stand in ``…-secret-2`` and
    ``…-secret-3``.
    """

    name: Name = "github"
    kind: Literal["off", "github", "stripe", "webex", "standard", "voxai", "generic"] = "off"
    """Whose way of signing and naming things it has; ``off``: as if it did not stand there."""
    check: Literal["signature", "bearer", "url-token", "address"] = "signature"
    """What proves it: the signature of its kind, a token, a token in the address, or where it comes from alone."""
    addresses: list[str] = msgspec.field(default_factory=list)
    """Networks it may come from, beside what ``check`` asks; empty: anywhere."""
    header: str = "X-Signature"
    algorithm: Literal["", "sha1", "sha256", "sha384", "sha512"] = ""
    """Empty: the one of its kind, SHA-256 where it has none."""
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    timestamp_header: str = ""
    signed: str = "{body}"
    """What is signed: ``{body}`` and, where there is a ``timestamp_header``, ``{timestamp}``."""
    tolerance: Positive = 300.0
    event: str = ""
    """Where it says its event: ``header:<name>`` or ``json:<path>``; ``other_id`` and ``key`` also ``body-hash``.
    Empty: where its kind says it. Vox.ai's own ``other_id`` and ``key`` stay."""
    other_id: str = ""
    key: str = ""
    per_second: Positive = 1000.0
    """Deliveries a second at most, counted once they are verified; ten seconds' worth may come at once."""


class HandlerConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[inbox.handler]]``: what is done with deliveries. ``source`` and ``event`` are patterns."""

    name: Name = "keep"
    source: str = "*"
    event: str = "*"
    use: str = ""
    """``store``, ``forward``, ``make-com``, or a function of your own, ``package.module:name``; empty: nothing."""
    destination: str = ""
    """Where ``forward`` and ``make-com`` send to."""
    deadline: Positive = 30.0
    options: dict[str, Any] = msgspec.field(default_factory=dict)
    """Handed to a function of your own that takes ``options``."""


class DestinationConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[inbox.destination]]``: where webhooks are sent to, signed with the secret ``destination-<name>-secret``."""

    name: Name = "crm"
    url: str = ""
    """``https://…``; ``secret``: it is the secret ``destination-<name>-url``; empty: as if it did not stand there."""
    events: list[str] = msgspec.field(default_factory=list)
    """Parley's own events that go there, as patterns: ``call.started``, ``call.ended``, ``utterance.final``."""
    signed: bool = True
    deadline: Positive = 15.0
    private_networks: list[str] = msgspec.field(default_factory=list)
    """Networks and addresses that are not public and may be reached all the same."""


class InboxConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[inbox]``: work that is stored before it is acknowledged, and done until it is done."""

    concurrency: Count = 256
    """Deliveries that are worked on at the same time."""
    retries: list[Positive] = msgspec.field(
        default_factory=lambda: [5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 18_000.0, 36_000.0]
    )
    """Seconds after the first failure, the second, and so on; after the last one a delivery is dead."""
    order_wait: Positive = 60.0
    """How long a delivery may wait for the retries of an earlier one with its key."""
    lease: Positive = 60.0
    """What a process that died was working on is taken up by others after so long."""
    keep_done: Positive = 2_592_000.0
    keep_dead: Positive = 7_776_000.0
    max_body: Count = 1_048_576
    backed_up_after: Positive = 300.0
    """Health degrades when a delivery that is due waits longer than this."""
    source: list[SourceConfig] = msgspec.field(default_factory=list)
    handler: list[HandlerConfig] = msgspec.field(default_factory=list)
    destination: list[DestinationConfig] = msgspec.field(default_factory=list)
