"""Standard Webhooks: ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature: v1,<base64> [v1,…]``.

The signature is an HMAC-SHA256 of ``<id>.<timestamp>.<body>``. A secret is base64, mostly with ``whsec_`` before it.
There are several signatures while a secret is changed; those of other versions (``v1a``) are passed over. Svix, where
this comes from, sends the same under ``svix-…``. Source: standardwebhooks.com, the specification.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence

from protocols.errors import LocalError
from protocols.webhooks.delivery import Identified, event_name, stable_id
from protocols.webhooks.payload import read_object
from protocols.webhooks.signatures import (
    TOLERANCE,
    Algorithm,
    Encoding,
    Reason,
    SignatureRefusedError,
    as_bytes,
    check_tolerance,
    decode_base64,
    decode_digest,
    mac,
    read_timestamp,
    secret_keys,
    signed_by_any,
    tolerance_seconds,
)

_SECRET_PREFIX = "whsec_"  # noqa: S105 - what stands before every secret


class StandardVerifier:
    """Verifies a signature of Standard Webhooks. Raises ``LocalError`` for an unusable secret."""

    def __init__(self, secrets: Sequence[str], *, tolerance: float = TOLERANCE) -> None:
        secret_keys(secrets)
        self._keys = tuple(map(_key, secrets))
        self._tolerance = tolerance_seconds(tolerance)

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: float) -> None:
        """Raises :class:`SignatureRefusedError`."""
        prefix = _prefix(headers)
        parts = []
        for name in (f"{prefix}-id", f"{prefix}-timestamp", f"{prefix}-signature"):
            value = headers.get(name)
            if not value:
                raise SignatureRefusedError(Reason.MISSING, name)
            parts.append(value)
        message_id, timestamp, text = parts
        sent = read_timestamp(timestamp, f"{prefix}-timestamp")
        items = [item.partition(",") for item in text.split(" ")]
        digests = [decode_digest(value, Encoding.BASE64, Algorithm.SHA256) for name, _, value in items if name == "v1"]
        signatures = [digest for digest in digests if digest is not None]
        if not signatures:
            raise SignatureRefusedError(Reason.MALFORMED, f"{prefix}-signature")
        if not signed_by_any(self._keys, _message(message_id, timestamp, body), Algorithm.SHA256, signatures):
            raise SignatureRefusedError(Reason.WRONG, f"{prefix}-signature")
        check_tolerance(sent, self._tolerance, f"{prefix}-timestamp", now=now)


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a webhook of ours, sent at ``timestamp`` (Unix seconds). Raises ``LocalError``.

    ``message_id`` is printable ASCII without a dot, a blank or a line break, and the same for each attempt.
    """
    if not message_id or not message_id.isascii() or not message_id.isprintable() or set(message_id) & {" ", "."}:
        raise LocalError("the id of a webhook is printable ASCII without blanks and dots")
    digest = mac(_key(secret), _message(message_id, str(timestamp), body), Algorithm.SHA256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }


def identify(headers: Mapping[str, str], body: bytes) -> Identified:
    """Never raises. Nothing says what has to stay in order with what."""
    return Identified(
        event_name(read_object(body).get("type")),
        stable_id(headers.get(f"{_prefix(headers)}-id")),
    )


def _prefix(headers: Mapping[str, str]) -> str:
    return "svix" if "svix-id" in headers and "webhook-id" not in headers else "webhook"


def _message(message_id: str, timestamp: str, body: bytes) -> bytes:
    return as_bytes(f"{message_id}.{timestamp}.") + body


def _key(secret: str) -> bytes:
    try:
        key = decode_base64(secret.removeprefix(_SECRET_PREFIX))
    except ValueError:
        key = b""
    # Raised outside the handler, so that no exception that quotes the secret hangs on to this one.
    if not key:
        raise LocalError("a secret of Standard Webhooks is base64, with or without whsec_ before it")
    return key
