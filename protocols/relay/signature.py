"""The headers of a gateway's dial to an app, by which the app knows who dials.

``X-DVG-Signature`` is the HMAC-SHA256, in hex, of the app's id, the call's id and the Unix seconds, with a line break
between them. Source: the published contract of voice relay v1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from protocols.errors import LocalError
from protocols.webhooks.signatures import (
    TOLERANCE,
    Algorithm,
    Encoding,
    Reason,
    SignatureRefusedError,
    as_bytes,
    check_tolerance,
    decode_digest,
    encode_digest,
    mac,
    read_timestamp,
    secret_keys,
    signed_by_any,
    tolerance_seconds,
)

VERSION = 1
"""The version of the contract, in the headers and in ``setup``."""

_APP_ID = "X-DVG-App-Id"
_CALL_ID = "X-DVG-Call-Id"
_TIMESTAMP = "X-DVG-Timestamp"
_VERSION = "X-DVG-Relay-Version"
_SIGNATURE = "X-DVG-Signature"


class Dial(msgspec.Struct, frozen=True, gc=False):
    """What a verified dial says: which app is meant, and which call it is about."""

    app_id: str
    call_id: str


def sign(secret: str, dial: Dial, *, timestamp: int) -> dict[str, str]:
    """The headers of a dial made at ``timestamp`` (Unix seconds).

    Raises ``LocalError`` for an unusable secret, and for ids that are not printable ASCII without blanks.
    """
    [key] = secret_keys([secret])
    for what, text in (("an app", dial.app_id), ("a call", dial.call_id)):
        # A line break would sign another pair of ids alike, and anything else is no value of a header.
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise LocalError(f"the id of {what} is printable ASCII without blanks")
    digest = mac(key, _message(dial.app_id, dial.call_id, str(timestamp)), Algorithm.SHA256)
    return {
        _APP_ID: dial.app_id,
        _CALL_ID: dial.call_id,
        _TIMESTAMP: str(timestamp),
        _VERSION: str(VERSION),
        _SIGNATURE: encode_digest(digest, Encoding.HEX),
    }


class DialVerifier:
    """The app's side. Raises ``LocalError`` for unusable secrets or tolerance (seconds)."""

    def __init__(self, secrets: Sequence[str], *, tolerance: float = TOLERANCE) -> None:
        self._keys = secret_keys(secrets)
        self._tolerance = tolerance_seconds(tolerance)

    def verify(self, headers: Mapping[str, str], *, now: float) -> Dial:
        """Who is dialled about what. ``headers`` have names in lower case; ``now`` is in Unix seconds.

        Raises :class:`~protocols.webhooks.signatures.SignatureRefusedError`, and nothing else.
        """
        app_id, call_id, timestamp, signature = (
            _present(headers, name) for name in (_APP_ID, _CALL_ID, _TIMESTAMP, _SIGNATURE)
        )
        sent = read_timestamp(timestamp, _TIMESTAMP.lower())
        digest = decode_digest(signature, Encoding.HEX, Algorithm.SHA256)
        if digest is None:
            raise SignatureRefusedError(Reason.MALFORMED, _SIGNATURE.lower())
        if not signed_by_any(self._keys, _message(app_id, call_id, timestamp), Algorithm.SHA256, [digest]):
            raise SignatureRefusedError(Reason.WRONG, _SIGNATURE.lower())
        check_tolerance(sent, self._tolerance, _TIMESTAMP.lower(), now=now)
        return Dial(app_id, call_id)


def _present(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name.lower())
    if not value:
        raise SignatureRefusedError(Reason.MISSING, name.lower())
    return value


def _message(app_id: str, call_id: str, timestamp: str) -> bytes:
    return as_bytes(f"{app_id}\n{call_id}\n{timestamp}")
