"""Webex: ``X-Spark-Signature: <hex>``, an HMAC of the body, SHA-1 unless Webex says otherwise, without a timestamp.

The body is ``{id, name, resource, event, actorId, data{id, roomId, personId, …}}``: ``id`` is the webhook's own, and
what happened is told apart by all of (``id``, ``resource``, ``event``, ``data.id``).
Source: developer.webex.com, "Webhooks".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from protocols.webhooks.delivery import Identified, event_name, stable_id
from protocols.webhooks.hmac_scheme import HmacScheme, HmacVerifier
from protocols.webhooks.payload import at, read_object
from protocols.webhooks.signatures import Algorithm

_HEADER = "x-spark-signature"


class WebexVerifier(HmacVerifier):
    """Verifies Webex's signature. Raises ``LocalError`` for an unusable secret."""

    def __init__(self, secrets: Sequence[str], *, algorithm: Algorithm = Algorithm.SHA1) -> None:
        super().__init__(HmacScheme(_HEADER, algorithm), secrets)


def sign(secret: str, body: bytes, *, algorithm: Algorithm = Algorithm.SHA1) -> dict[str, str]:
    """The header that Webex adds."""
    return HmacScheme(_HEADER, algorithm).sign(secret, body)


def identify(headers: Mapping[str, str], body: bytes) -> Identified:
    """Never raises. What one person does in one room stays in order, and the rest that happens there."""
    payload = read_object(body)
    resource, event = payload.get("resource"), payload.get("event")
    room_id, person_id = at(payload, "data", "roomId"), at(payload, "data", "personId")
    return Identified(
        event_name(resource, event),
        stable_id(payload.get("id"), resource, event, at(payload, "data", "id")),
        stable_id(room_id, person_id) or stable_id(room_id),
    )
