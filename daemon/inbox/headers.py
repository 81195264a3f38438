"""Headers as they are stored: all of them, in order, without what could be used to come in again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

import msgspec

_SECRET: Final = re.compile(
    r"(x-)?auth|.*(authorization|authentication)|(set-)?cookie2?"
    r"|.*(token|secret|password|credential|(api|auth|access)[-_]?key).*"
)
_ADDRESS: Final = re.compile(r"referr?er|(x-)?(original|forwarded|rewrite|rewritten|request)[-_]ur[il]")
"""Headers in which a proxy repeats the address that was asked for, and with it a token in it."""
MASK: Final = "***"


def storable_headers(headers: Sequence[tuple[str, str]], *, url_token: str | None = None) -> str:
    """A JSON array of pairs. What is no Unicode text is replaced (U+FFFD).

    ``url_token`` is what the address was asked with: no value that has it in it is kept.
    """
    kept = [
        (str(name), MASK if _is_secret(name) or (url_token and url_token in unquote(value)) else _text(value))
        for name, value in headers
    ]
    return msgspec.json.encode(kept).decode()


# A provider names the same ones each time; whoever makes some up only costs the time to look at them.
@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    name = name.lower()
    return _SECRET.fullmatch(name) is not None or _ADDRESS.fullmatch(name) is not None


def _text(value: str) -> str:
    if value.isascii() and "\0" not in value:
        return value
    return value.encode("utf-8", "surrogateescape").decode(errors="replace").replace("\0", "\ufffd")
