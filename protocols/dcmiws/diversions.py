"""Call forwarding as the PBX stores it: keys and values of the server's database."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType


class DiversionKind(StrEnum):
    """When a call is forwarded."""

    IMMEDIATE = "IMMEDIATE"
    BUSY = "BUSY"
    NO_ANSWER = "NO_ANSWER"
    UNAVAILABLE = "UNAVAILABLE"


KIND_CODES = MappingProxyType(
    {
        DiversionKind.IMMEDIATE: "CFI",
        DiversionKind.BUSY: "CFB",
        DiversionKind.NO_ANSWER: "CFN",
        DiversionKind.UNAVAILABLE: "CFU",
    }
)
"""The name of each kind in a database key."""
