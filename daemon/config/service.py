"""What the process itself is told."""

from __future__ import annotations

from typing import Literal

import msgspec

from daemon.config.values import Positive


class ServiceConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[service]``: where the process keeps things and how it stops."""

    state_dir: str = "/var/lib/parley"
    stop_timeout: Positive = 15.0


class LogConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[log]``: reloaded on SIGHUP."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class PluginsConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[plugins]``: where functions of others are imported from, beside what is installed."""

    path: list[str] = msgspec.field(default_factory=list)
