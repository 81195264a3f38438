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
        (name, MASK if _is_secret(name) or (url_token and url_token in unquote(value)) else value)
        for name, value in headers
    ]
    try:
        text = msgspec.json.encode(kept).decode()
    except (UnicodeEncodeError, TypeError):  # a name may be of a class of its own, which is a text all the same
        pass
    else:
        if "\\u0000" not in text:
            return text
    return msgspec.json.encode([(str(name), _text(value)) for name, value in kept]).decode()


# A provider names the same ones each time; whoever makes some up only costs the time to look at them.
@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    name = name.lower()
    return _SECRET.fullmatch(name) is not None or _ADDRESS.fullmatch(name) is not None


def _text(value: str) -> str:
    return value.encode("utf-8", "surrogateescape").decode(errors="replace").replace("\0", "\ufffd")
