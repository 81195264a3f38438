"""What a delivery says of itself before anybody works on it: its event, its id and what it has to stay in order with.

All three come from outside. They are stored in columns, shown in tables and matched with patterns, so here they are
made printable and bounded, and an id or key that had to be changed for that becomes its hash: two that differ stay two.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

from protocols.webhooks.signatures import as_bytes

UNKNOWN_EVENT = "unknown"
EVENT_LENGTH = 200
"""Characters of an event at most."""
ID_LENGTH = 255
"""Characters of an id or a key at most."""


class Identified(msgspec.Struct, frozen=True, gc=False):
    """What a delivery is.

    ``event`` is the provider's word for it, ``unknown`` where it says none. ``other_id`` is the same for each attempt
    of the provider to deliver it; ``None``: nothing tells one from another, so each is worked on. ``key``: those that
    share one stay in order; ``None``: in order with nothing.
    """

    event: str
    other_id: str | None = None
    key: str | None = None


def event_name(*parts: Any) -> str:
    """The parts that are text, printable and not empty, joined by dots; ``unknown`` for none."""
    names = [_printable(part) for part in parts if isinstance(part, str)]
    return ".".join(name for name in names if name)[:EVENT_LENGTH] or UNKNOWN_EVENT


def stable_id(*parts: Any, most: int = ID_LENGTH) -> str | None:
    """The parts joined by colons; ``None`` if any is neither text nor a whole number, or is empty.

    What has more than ``most`` characters, which are 71 or more, is its hash.
    """
    if len(parts) == 1 and type(parts[0]) is str:
        joined = parts[0]
    else:
        texts = [str(part) if type(part) is int and abs(part) < 10**40 else part for part in parts]
        joined = ":".join(texts) if all(isinstance(text, str) and text for text in texts) else ""
    if not joined:
        return None
    if len(joined) <= most and _printable(joined) == joined:
        return joined
    return f"sha256:{sha256(as_bytes(joined)).hexdigest()}"


def body_hash(body: bytes) -> str:
    """An id for a body whose provider gives none."""
    return f"sha256:{sha256(body).hexdigest()}"


def _printable(text: str) -> str:
    # Twice the length is more than enough, and a header or a body cannot make this loop long.
    text = text[: 2 * ID_LENGTH]
    return (text if text.isprintable() else "".join(filter(str.isprintable, text))).strip()
