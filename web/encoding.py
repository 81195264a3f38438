"""Payloads as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode


def encode(payload: Any) -> bytes:
    """``payload`` as UTF-8 JSON.

    Half a surrogate pair, which some switch or vendor may let through and no UTF-8 can hold, becomes U+FFFD: the
    rest of what was said still arrives.
    """
    try:
        return _encode(payload)
    except UnicodeEncodeError:
        return _encode(_whole(msgspec.to_builtins(payload)))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_whole(name): _whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return value
