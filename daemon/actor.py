"""Who asks for something to be done."""

from __future__ import annotations

import msgspec


class Actor(msgspec.Struct, frozen=True, gc=False):
    """Somebody who asks, for the audit and the limits. ``via`` and ``address`` are those of an audit row."""

    name: str
    via: str
    address: str = ""
