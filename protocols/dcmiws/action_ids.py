"""ActionIDs in the vendor's form: ``DIPCAST-{feature}-{server}-{tenant}-{extension}-{what}-{unique}``.

A gateway tells every client every answer, so ours must be like nobody else's: the unique part holds a token of the
process. An id carries the tenant and the extension, which is why a log shows only its unique part.
"""

from __future__ import annotations

from itertools import count
from urllib.parse import quote, unquote

import msgspec

from protocols.errors import LocalError

_PREFIX = "DIPCAST"
_FIELDS = 6


class ActionId(msgspec.Struct, frozen=True, gc=False):
    """The fields of an ActionID, decoded. Any may be ``""`` but ``feature`` and ``unique``."""

    feature: str
    server: str
    tenant: str
    extension: str
    what: str
    unique: str

    def text(self) -> str:
        """As it stands on the wire."""
        fields = (self.feature, self.server, self.tenant, self.extension, self.what, self.unique)
        return "-".join((_PREFIX, *map(_quoted, fields)))


def parse_action_id(text: str) -> ActionId | None:
    """The fields of ``text``; ``None`` for what is no such id, as other programs have them (``DIPCAST-C2C``)."""
    prefix, *fields = text.split("-")
    if prefix != _PREFIX or len(fields) != _FIELDS or not fields[0] or not fields[-1]:
        return None
    return ActionId(*map(unquote, fields))


def unique_part(text: str) -> str:
    """What of an ActionID may stand in a log."""
    parsed = parse_action_id(text)
    return parsed.unique if parsed is not None else "foreign"


class ActionIds:
    """Makes ids that no other process makes, as long as none has the same ``process`` (letters and digits)."""

    def __init__(self, process: str) -> None:
        if not process.isalnum() or not process.isascii():
            raise LocalError("a process token is of letters and digits")
        self._head = f"{process}."
        self._numbers = count(1)

    def make(
        self, feature: str, *, server: str = "", tenant: str = "", extension: str = "", what: str = ""
    ) -> ActionId:
        """A fresh one."""
        return ActionId(feature, server, tenant, extension, what, f"{self._head}{next(self._numbers)}")

    def is_ours(self, text: str) -> bool:
        """Whether this process made it."""
        return text.startswith(_PREFIX) and text.rpartition("-")[2].startswith(self._head)


def _quoted(field: str) -> str:
    return quote(field, safe="").replace("-", "%2D")
