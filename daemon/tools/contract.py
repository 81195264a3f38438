"""What a tool and an inbound lookup are, and what a tool may ask for beside what the process supplies to all.

A tool is an async function. Its arguments are what the agent gives, and its docstring tells the agent what it is for:

    async def order_status(order: Annotated[str, Meta(description="The order's number")]) -> dict[str, Any]:
        \"\"\"How far an order is.\"\"\"

It returns a JSON object (a dict or a Struct) that the agent speaks about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

import msgspec

_ACTS = "__parley_acts__"

Function = TypeVar("Function", bound=Callable[..., Any])


def acts(tool: Function) -> Function:
    """Mark a tool that changes something: it answers to POST only."""
    setattr(tool, _ACTS, True)
    return tool


def is_acting(tool: Callable[..., Any]) -> bool:
    """Whether a tool is marked by :func:`acts`."""
    return getattr(tool, _ACTS, False) is True


class ToolError(Exception):
    """What was asked for cannot be had. The text is for the agent to speak about, and so for the caller."""


class Reach:
    """The extensions and numbers that one tool may touch: regular expressions, matched whole; without any, none."""

    def __init__(self, extensions: Iterable[str], numbers: Iterable[str]) -> None:
        self._extensions = [re.compile(pattern) for pattern in extensions]
        self._numbers = [re.compile(pattern) for pattern in numbers]

    def allows_extension(self, extension: str) -> bool:
        """Whether that extension may be touched."""
        return any(pattern.fullmatch(extension) for pattern in self._extensions)

    def allows_number(self, number: str) -> bool:
        """Whether that number may be called or forwarded to."""
        return any(pattern.fullmatch(number) for pattern in self._numbers)


class RequestKeys(Protocol):
    """Keys by which a request that an agent repeats is known as the same one."""

    def key(self, *parts: str) -> str:
        """The key of what is asked for now; the same parts within a minute of each other have the same key."""


class InboundAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a lookup knows of a caller: variables for the agent to speak of, and metadata that goes with the call.

    What it leaves out is taken from the configuration. A lookup is an async function of ``from_number`` and
    ``to_number``, as they were sent, or of one of them.
    """

    dynamic_variables: dict[str, str] = {}
    metadata: dict[str, Any] = {}
