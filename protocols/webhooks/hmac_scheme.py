"""The scheme that most providers use with small differences: an HMAC of the body in a header.

What differs is said by :class:`HmacScheme`: the header, the hash, how the digest is written and what stands before it,
and whether a timestamp of another header is signed along. Slack's, for one, is ``HmacScheme("x-slack-signature",
prefix="v0=", timestamp_header="x-slack-request-timestamp", template="v0:{timestamp}:{body}")``.
"""

from __future__ import annotations

import re
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
    header_name,
    mac,
    read_timestamp,
    secret_keys,
    signed_by_any,
    tolerance_seconds,
)

_PLACE = re.compile(r"(\{\w*\})")


class HmacScheme(msgspec.Struct, frozen=True):
    """Where a signature is, how it is written and of what it is made.

    ``prefix`` stands before the digest (``sha256=``). ``template`` says what is signed: text with ``{body}`` once and,
    exactly if there is a ``timestamp_header``, ``{timestamp}``, which is that header's value as it was sent. Raises
    ``LocalError`` for a scheme that could not work.
    """

    header: str
    algorithm: Algorithm = Algorithm.SHA256
    encoding: Encoding = Encoding.HEX
    prefix: str = ""
    timestamp_header: str | None = None
    template: str = "{body}"

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "header", header_name(self.header))
        if self.timestamp_header is not None:
            msgspec.structs.force_setattr(self, "timestamp_header", header_name(self.timestamp_header))
        if not self.prefix.isascii() or not self.prefix.isprintable():
            raise LocalError("what stands before a signature is printable ASCII")
        places = _PLACE.findall(self.template)
        if places.count("{body}") != 1:
            raise LocalError("what is signed has {body} in it once")
        if ("{timestamp}" in places) != (self.timestamp_header is not None):
            raise LocalError("what is signed has {timestamp} in it if a header carries one, and only then")
        if not set(places) <= {"{body}", "{timestamp}"}:
            raise LocalError("what is signed knows {body} and {timestamp} only")

    def message(self, body: bytes, timestamp: str = "") -> bytes:
        """What is signed."""
        if self.template == "{body}":
            return body
        values = {"{body}": body, "{timestamp}": as_bytes(timestamp)}
        return b"".join(values.get(part, as_bytes(part)) for part in _PLACE.split(self.template))

    def sign(self, secret: str, body: bytes, *, timestamp: int = 0) -> dict[str, str]:
        """The headers that a sender adds; ``timestamp`` (Unix seconds) matters where the scheme has one."""
        [key] = secret_keys([secret])
        digest = mac(key, self.message(body, str(timestamp)), self.algorithm)
        headers = {self.header: self.prefix + encode_digest(digest, self.encoding)}
        return headers if self.timestamp_header is None else headers | {self.timestamp_header: str(timestamp)}


class HmacVerifier:
    """Verifies requests that are signed by a scheme. Raises ``LocalError`` for an unusable secret."""

    def __init__(self, scheme: HmacScheme, secrets: Sequence[str], *, tolerance: float = TOLERANCE) -> None:
        self.scheme = scheme
        self._keys = secret_keys(secrets)
        self._tolerance = tolerance_seconds(tolerance)

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: float) -> None:
        """Raises :class:`SignatureRefusedError`."""
        scheme = self.scheme
        text = headers.get(scheme.header)
        if not text:
            raise SignatureRefusedError(Reason.MISSING, scheme.header)
        timestamp, sent = "", 0
        if scheme.timestamp_header is not None:
            timestamp = headers.get(scheme.timestamp_header, "")
            if not timestamp:
                raise SignatureRefusedError(Reason.MISSING, scheme.timestamp_header)
            sent = read_timestamp(timestamp, scheme.timestamp_header)
        digest = None
        if text.startswith(scheme.prefix):
            digest = decode_digest(text[len(scheme.prefix) :], scheme.encoding, scheme.algorithm)
        if digest is None:
            raise SignatureRefusedError(Reason.MALFORMED, scheme.header)
        if not signed_by_any(self._keys, scheme.message(body, timestamp), scheme.algorithm, [digest]):
            raise SignatureRefusedError(Reason.WRONG, scheme.header)
        if scheme.timestamp_header is not None:
            check_tolerance(sent, self._tolerance, scheme.timestamp_header, now=now)
