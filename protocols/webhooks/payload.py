"""Bodies of webhooks read without ever refusing one: what cannot be read is an empty object.

Providers send what they like, and a webhook of an unknown shape is worth as much as another. So nothing here raises,
and no text that comes out has a NUL or a lone surrogate in it: no database would store it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_decoder = msgspec.json.Decoder()
# Control characters inside texts, lone surrogates and NaN are no JSON, but are sent.
_lenient = json.JSONDecoder(strict=False, parse_int=lambda digits: int(digits) if len(digits) < 40 else math.inf)


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``; an empty one for anything else, and for one nested too deeply to be read.

    Of a key that stands twice the last counts. Bytes that are no UTF-8 become U+FFFD.
    """
    try:
        try:
            document = _decoder.decode(body)
        except (msgspec.DecodeError, UnicodeError):
            document = _storable(_lenient.decode(body.decode("utf-8-sig", "replace")))
        else:
            # Only an escape can write what is not storable in JSON that is right.
            if b"\\u0000" in body:
                document = _storable(document)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def at(document: Any, *path: str) -> Any:
    """What stands at ``path``; ``None`` where nothing does. In a list a name of digits counts from 0."""
    for name in path:
        if isinstance(document, Mapping):
            document = document.get(name)
        elif isinstance(document, list) and re.fullmatch(r"[0-9]{1,6}", name):
            index = int(name)
            document = document[index] if index < len(document) else None
        else:
            return None
    return document


def storable(text: str) -> str:
    """``text`` without NULs, its lone surrogates replaced by U+FFFD."""
    return _UNSTORABLE.sub(lambda found: "" if found[0] == "\0" else "�", text)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): _storable(item) for key, item in value.items()}
    return value
