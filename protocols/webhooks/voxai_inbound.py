"""What Vox.ai asks while it waits: who is calling, of an inbound call before it is answered.

The caller hears silence until an inbound request is answered. Source: Vox.ai's documentation of inbound webhooks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from protocols.webhooks.payload import at, read_object

_NUMBER_LENGTH = 128


class InboundCall(NamedTuple):
    """The numbers of a call that comes in, as Vox.ai writes them; ``""`` for one that it does not say."""

    from_number: str
    to_number: str


def read_inbound(body: bytes) -> InboundCall:
    """The numbers in ``{"call_inbound": {"from_number", "to_number"}}`` or the same without the outer object.

    Never raises.
    """
    payload = read_object(body)
    inner = payload.get("call_inbound")
    fields = inner if isinstance(inner, Mapping) else payload
    return InboundCall(_number(at(fields, "from_number")), _number(at(fields, "to_number")))


def _number(value: Any) -> str:
    """A number is text; one that is longer than any is none."""
    if type(value) is int and 0 <= value < 10**15:
        return str(value)
    return value.strip() if isinstance(value, str) and len(value) <= _NUMBER_LENGTH else ""
