"""Whom Parley listens to, and how much."""

from __future__ import annotations

from typing import Literal

import msgspec

from daemon.config.values import Count, Port, Positive


class ListenerConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[web.listener]]``: an address and the groups of routes served on it."""

    host: str = "127.0.0.1"
    port: Port = 8000
    routes: list[Literal["public", "private"]] = msgspec.field(default_factory=lambda: ["public", "private"])


class WebConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[web]``"""

    listener: list[ListenerConfig] = msgspec.field(default_factory=lambda: [ListenerConfig()])
    trusted_proxies: list[str] = msgspec.field(default_factory=list)
    metrics_networks: list[str] = msgspec.field(default_factory=list)
    """Networks, beside loopback, that may read ``/metrics`` without a token."""
    open_docs: bool = True
    full_numbers: Literal["viewer", "operator", "admin", "nobody"] = "operator"
    """The least role that sees whole phone numbers; everybody else sees ``010****5678``."""
    session_lifetime: Positive = 43_200.0
    login_attempts: Count = 5
    login_window: Positive = 300.0
    secure_cookie: bool = False
    """Send the session cookie over https only (set it where a proxy ends TLS)."""


class LiveConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[live]``: bounds of one browser's connection. Reloaded on SIGHUP."""

    max_clients: Count = 2000
    queue_packets: Count = 2000
    queue_bytes: Count = 4_194_304
    ping_interval: Positive = 10.0
    ping_timeout: Positive = 5.0
