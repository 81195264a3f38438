"""Headers as they are stored: all of them, in order, without what could be used to come in again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

_SECRET: Final = re.compile(r"authorization|proxy-authorization|cookie|set-cookie|.*(token|secret|api-?key|password).*")
MASK: Final = "***"


def storable_headers(headers: Sequence[tuple[str, str]]) -> str:
    """A JSON array of pairs. What is no Unicode text is replaced (U+FFFD)."""
    kept = [(str(name), MASK if _SECRET.fullmatch(name.lower()) else _text(value)) for name, value in headers]
    return msgspec.json.encode(kept).decode()


def _text(value: str) -> str:
    return value.encode("utf-8", "surrogateescape").decode(errors="replace").replace("\0", "\ufffd")
