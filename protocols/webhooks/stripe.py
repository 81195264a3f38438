"""Stripe: ``Stripe-Signature: t=<Unix seconds>,v1=<hex>[,v1=…]``, an HMAC-SHA256 of ``<t>.<body>``.

The secret is used as it stands, ``whsec_`` included. There are several ``v1`` while a secret is changed; other schemes
(``v0``) are of Stripe's tests and are passed over. Source: docs.stripe.com, "Resolve webhook signature verification
errors" and "Verify manually".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from protocols.webhooks.delivery import Identified, event_name, stable_id
from protocols.webhooks.payload import at, read_object
from protocols.webhooks.signatures import (
    TOLERANCE,
    Algorithm,
    Encoding,
    Reason,
    SignatureRefusedError,
    check_tolerance,
    decode_digest,
    mac,
    read_timestamp,
    secret_keys,
    signed_by_any,
    tolerance_seconds,
)

_HEADER = "stripe-signature"


class StripeVerifier:
    """Verifies Stripe's signature. Raises ``LocalError`` for an unusable secret."""

    def __init__(self, secrets: Sequence[str], *, tolerance: float = TOLERANCE) -> None:
        self._keys = secret_keys(secrets)
        self._tolerance = tolerance_seconds(tolerance)

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: float) -> None:
        """Raises :class:`SignatureRefusedError`."""
        text = headers.get(_HEADER)
        if not text:
            raise SignatureRefusedError(Reason.MISSING, _HEADER)
        items = [item.partition("=") for item in text.split(",")]
        timestamps = [value for name, _, value in items if name == "t"]
        digests = [decode_digest(value, Encoding.HEX, Algorithm.SHA256) for name, _, value in items if name == "v1"]
        signatures = [digest for digest in digests if digest is not None]
        if len(timestamps) != 1 or not signatures:
            raise SignatureRefusedError(Reason.MALFORMED, _HEADER)
        sent = read_timestamp(timestamps[0], _HEADER)
        message = timestamps[0].encode() + b"." + body
        if not signed_by_any(self._keys, message, Algorithm.SHA256, signatures):
            raise SignatureRefusedError(Reason.WRONG, _HEADER)
        check_tolerance(sent, self._tolerance, _HEADER, now=now)


def sign(secret: str, body: bytes, *, timestamp: int) -> dict[str, str]:
    """The header that Stripe adds."""
    [key] = secret_keys([secret])
    digest = mac(key, f"{timestamp}.".encode() + body, Algorithm.SHA256)
    return {_HEADER: f"t={timestamp},v1={digest.hex()}"}


def identify(headers: Mapping[str, str], body: bytes) -> Identified:
    """Never raises. Events of one object (a subscription, an invoice) stay in order."""
    payload = read_object(body)
    return Identified(
        event_name(payload.get("type")),
        stable_id(payload.get("id")),
        stable_id(at(payload, "data", "object", "id")),
    )
