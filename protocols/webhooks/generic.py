"""Any other provider: the configuration says where its event, its id and its key stand.

A place is ``header:<name>``, ``json:<dotted path into the body>`` (``json:data.0.id``: digits count into a list), or,
for an id or a key, ``body-hash``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from protocols.errors import LocalError
from protocols.webhooks.delivery import Identified, body_hash, event_name, stable_id
from protocols.webhooks.payload import at, read_object
from protocols.webhooks.signatures import header_name

_Reader = Callable[[Mapping[str, str], bytes, Mapping[str, Any]], Any]


class GenericSource:
    """Reads what a delivery is from the places named; ``None`` for what this provider does not say.

    Raises ``LocalError`` for what is no place.
    """

    def __init__(self, *, event: str | None = None, other_id: str | None = None, key: str | None = None) -> None:
        if event == "body-hash":
            raise LocalError("a hash of the body is no event")
        self._event, self._other_id, self._key = map(_reader, (event, other_id, key))

    def identify(self, headers: Mapping[str, str], body: bytes) -> Identified:
        """Never raises."""
        payload = read_object(body)
        return Identified(
            event_name(self._event(headers, body, payload)),
            stable_id(self._other_id(headers, body, payload)),
            stable_id(self._key(headers, body, payload)),
        )


def _reader(place: str | None) -> _Reader:
    if place is None:
        return lambda headers, body, payload: None
    if place == "body-hash":
        return lambda headers, body, payload: body_hash(body)
    kind, _, name = place.partition(":")
    if kind == "header":
        header = header_name(name)
        return lambda headers, body, payload: headers.get(header)
    path = name.split(".")
    if kind == "json" and all(path):
        return lambda headers, body, payload: at(payload, *path)
    raise LocalError(f"{place[:200]!r} is no place in a delivery: header:<name>, json:<path> or body-hash")
