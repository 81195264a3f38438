"""What voice agents may ask."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from daemon.config.values import Count, ToolName


class ToolConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[tool]]``: a function that a voice agent may call while it talks."""

    name: ToolName = "call_history"
    use: str = ""
    """``package.module:name`` or a built-in's name; empty: the built-in of the tool's name."""
    deadline: Annotated[float, Meta(gt=0, le=25)] = 10.0
    """The agent gives up after thirty seconds."""
    at_once: Count = 10
    extensions: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of the extensions it may touch, matched whole; empty: none."""
    numbers: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of the numbers it may call and forward to, matched whole; empty: none."""
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class InboundConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[inbound]``: what a voice agent is told of a caller before it speaks."""

    use: str = "contacts"
    """``package.module:name`` or a built-in's name."""
    deadline: Annotated[float, Meta(gt=0, lt=2)] = 1.5
    """The caller hears nothing meanwhile, and the agent waits two seconds."""
    dynamic_variables: dict[str, str] = msgspec.field(default_factory=dict)
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    options: dict[str, Any] = msgspec.field(default_factory=dict)
