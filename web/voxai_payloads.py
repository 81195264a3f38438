"""What Vox.ai is sent: the tools there are, and what is known of a caller. The names are theirs.

What a tool answers is the tool's own JSON object; where there is none it is an :class:`ExcusePayload`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta


class ToolPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A tool, as it is entered at Vox.ai."""

    name: str
    description: str
    methods: list[Literal["GET", "POST"]]
    parameters: Annotated[dict[str, Any], Meta(description="JSON Schema of the object of arguments.")]


class ToolsPayload(msgspec.Struct, frozen=True):
    """In the order of the configuration."""

    tools: list[ToolPayload]


class ExcusePayload(msgspec.Struct, frozen=True):
    """Why there is no answer, in words that the agent can say."""

    error: str
    details: str


class CallerPayload(msgspec.Struct, frozen=True):
    """What is known of a caller."""

    dynamic_variables: dict[str, str]
    metadata: dict[str, Any]


class InboundPayload(msgspec.Struct, frozen=True):
    """The answer to a call that comes in."""

    call_inbound: CallerPayload
