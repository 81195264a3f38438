"""Call forwarding as the PBX stores it: keys and values of the server's database.

The vendor documents the keys of ``CFI`` and the verbs get and put; the others are taken to be alike, which is why the
patterns are settings. The family is the tenant's id.
"""

from __future__ import annotations

import re
from enum import StrEnum
from types import MappingProxyType

from protocols.errors import LocalError

ENABLED = "yes"
DISABLED = "no"

_NUMBER = re.compile(r"\+?[0-9*#]+")
_EXTENSION = re.compile(r"[0-9A-Za-z*#_-]{1,40}")
_MARK = "{number}"


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


class DiversionKeys:
    """The patterns of keys (with ``{extension}`` and ``{kind}``) and of a destination's value (with ``{number}``).

    Raises ``LocalError`` for patterns that cannot tell what they must.
    """

    def __init__(self, enable: str, destination: str, value: str) -> None:
        for what, pattern in (("enable", enable), ("destination", destination)):
            if pattern.count("{extension}") != 1 or pattern.count("{kind}") != 1:
                raise LocalError(f"the pattern of the {what} key needs {{extension}} and {{kind}} once each")
        if enable == destination:
            raise LocalError("the keys of enable and destination are the same")
        if value.count(_MARK) != 1:
            raise LocalError("the pattern of a destination's value needs {number} once")
        self._enable = enable
        self._destination = destination
        self._head, _, self._tail = value.partition(_MARK)

    def enable_key(self, extension: str, kind: DiversionKind) -> str:
        """Where ``yes`` or ``no`` stands; absent means ``yes``."""
        return self._enable.replace("{extension}", extension).replace("{kind}", KIND_CODES[kind])

    def destination_key(self, extension: str, kind: DiversionKind) -> str:
        """Where the destination stands; absent means none."""
        return self._destination.replace("{extension}", extension).replace("{kind}", KIND_CODES[kind])

    def destination_value(self, number: str) -> str:
        """What is stored for ``number``. Raises ``LocalError`` for what is none."""
        if not _NUMBER.fullmatch(number):
            raise LocalError("a destination is a number: digits, * and #, with a + before them at most")
        return f"{self._head}{number}{self._tail}"

    def read_destination(self, value: str) -> str:
        """The number in a stored value; a bare number is itself, and any other value stands as it is."""
        if value.startswith(self._head) and value.endswith(self._tail):
            number = value[len(self._head) : len(value) - len(self._tail)]
            if _NUMBER.fullmatch(number):
                return number
        return value


def is_extension(text: str) -> bool:
    """Whether ``text`` is an extension and no more: a dial string has contexts (``@``), options (``/``) and further
    channels (``&``)."""
    return _EXTENSION.fullmatch(text) is not None


def is_number(text: str) -> bool:
    """Whether ``text`` can be dialled."""
    return _NUMBER.fullmatch(text) is not None
