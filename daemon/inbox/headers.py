"""Headers as they are stored: all of them, in order, without what could be used to come in again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

_SECRET: Final = re.compile(r"authorization|proxy-authorization|cookie|set-cookie|.*(token|secret|api-?key|password).*")
MASK: Final = "***"


def storable_headers(headers: Sequence[tuple[str, str]]) -> str:
    """A JSON array of pairs. What is no Unicode text is replaced (U+FFFD)."""
    kept = [(str(name), MASK if _is_secret(name) else _text(value)) for name, value in headers]
    return msgspec.json.encode(kept).decode()


# A provider names the same ones each time; whoever makes some up only costs the time to look at them.
@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET.fullmatch(name.lower()) is not None


def _text(value: str) -> str:
    if value.isascii() and "\0" not in value:
        return value
    return value.encode("utf-8", "surrogateescape").decode(errors="replace").replace("\0", "\ufffd")
