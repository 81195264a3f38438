"""Why a webhook is refused, what every verifier is, and what all of them compare with.

Headers are a mapping with names in lower case; a value may hold anything, lone surrogates too. Bodies are the raw
bytes: a body that was parsed and written again is another one. Secrets come in numbers, because a secret is changed
by having two for a while; any of them may match.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from binascii import unhexlify
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from protocols.errors import LocalError, ProtocolError

TOLERANCE = 300.0
"""Seconds that a timestamp may differ from now, back and ahead, where the scheme has one."""

_SECONDS = re.compile(r"[0-9]{1,12}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_URL_SAFE = str.maketrans("-_", "+/")


class Reason(StrEnum):
    """Why a request is refused. Bounded, so that it can be a metric's label."""

    MISSING = "missing_signature"
    MALFORMED = "malformed_signature"
    WRONG = "wrong_signature"
    STALE = "stale_timestamp"
    """Rightly signed, but too long ago or too far ahead."""
    TOKEN = "wrong_token"  # noqa: S105 - a word, no secret
    ADDRESS = "wrong_address"


_TEXTS = {
    Reason.MISSING: "the request carries no signature or token",
    Reason.MALFORMED: "the signature is not of the form that this source uses",
    Reason.WRONG: "the signature is not that of this body under any of the secrets",
    Reason.STALE: "the request was signed too long ago or too far ahead of this host's clock",
    Reason.TOKEN: "the token is not one of this source",
    Reason.ADDRESS: "the request comes from an address that this source does not use",
}


class SignatureRefusedError(ProtocolError):
    """The request does not prove that it is from whom it should be: answer 401.

    ``text`` is for people and holds nothing of the request; ``header`` is the header that was looked for, if one was.
    """

    def __init__(self, reason: Reason, header: str = "") -> None:
        self.reason = reason
        self.header = header
        self.text = f"{_TEXTS[reason]} ({header})" if header else _TEXTS[reason]
        super().__init__(self.text)


class Verifier(Protocol):
    """Says whether a request is from whom it should be."""

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: float) -> None:
        """Return if it is, at ``now`` (Unix seconds). Raises :class:`SignatureRefusedError`, and nothing else."""


class Algorithm(StrEnum):
    """The hash of an HMAC."""

    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


class Encoding(StrEnum):
    """How a digest is written."""

    HEX = "hex"
    BASE64 = "base64"


_DIGEST_BYTES = {Algorithm.SHA1: 20, Algorithm.SHA256: 32, Algorithm.SHA384: 48, Algorithm.SHA512: 64}


def secret_keys(secrets: Sequence[str]) -> tuple[bytes, ...]:
    """The bytes of each secret. Raises ``LocalError`` for none, a blank one and one that is no Unicode text."""
    # One text is a sequence too: each of its letters would be a secret.
    if isinstance(secrets, str) or not secrets:
        raise LocalError("a verifier needs a list of one secret or more")
    if not all(secret.strip() for secret in secrets):
        raise LocalError("a secret is empty")
    keys = tuple(map(as_bytes, secrets))
    if any(key.decode(errors="replace") != secret for key, secret in zip(keys, secrets, strict=True)):
        raise LocalError("a secret is no Unicode text")
    return keys


def header_name(name: str) -> str:
    """``name`` in lower case. Raises ``LocalError`` for what cannot be the name of a header (RFC 9110, 5.6.2)."""
    if not _HEADER_NAME.fullmatch(name):
        raise LocalError(f"{name[:128]!r} cannot be the name of a header")
    return name.lower()


def as_bytes(text: str) -> bytes:
    """``text`` in UTF-8, lone surrogates included, so that two texts are equal exactly if their bytes are."""
    return text.encode("utf-8", "surrogatepass")


def mac(key: bytes, message: bytes, algorithm: Algorithm) -> bytes:
    """The HMAC (RFC 2104) of ``message``."""
    return hmac.digest(key, message, algorithm.value)


def signed_by_any(keys: Iterable[bytes], message: bytes, algorithm: Algorithm, signatures: Sequence[bytes]) -> bool:
    """Whether any of ``signatures`` is that of ``message`` under any key. All are tried, whichever matches."""
    matched = False
    for key in keys:
        expected = mac(key, message, algorithm)
        for signature in signatures:
            matched |= hmac.compare_digest(expected, signature)
    return matched


def encode_digest(digest: bytes, encoding: Encoding) -> str:
    """``digest`` as a header carries it."""
    return digest.hex() if encoding is Encoding.HEX else b64encode(digest).decode()


def decode_digest(text: str, encoding: Encoding, algorithm: Algorithm) -> bytes | None:
    """The digest that ``text`` writes; ``None`` if it is none of that length.

    Hex in either case; base64 in either alphabet, with or without its padding.
    """
    try:
        digest = unhexlify(text) if encoding is Encoding.HEX else decode_base64(text)
    except ValueError:
        return None
    return digest if len(digest) == _DIGEST_BYTES[algorithm] else None


def decode_base64(text: str) -> bytes:
    """The bytes of ``text``, in either alphabet, with or without padding. Raises ``ValueError`` for anything else."""
    bare = text.translate(_URL_SAFE).rstrip("=")
    if len(text) - len(bare) > 2:
        raise ValueError("too much padding")
    decoded = b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    # The last letter has bits that no byte takes. With any of them set the text is another one for the same bytes.
    if b64encode(decoded).decode().rstrip("=") != bare:
        raise ValueError("bits left over")
    return decoded


def read_timestamp(text: str, header: str) -> int:
    """Unix seconds of a header; raises :class:`SignatureRefusedError` for anything but up to 12 ASCII digits."""
    if not _SECONDS.fullmatch(text):
        raise SignatureRefusedError(Reason.MALFORMED, header)
    return int(text)


def check_tolerance(timestamp: int, tolerance: float, header: str, *, now: float) -> None:
    """Raise :class:`SignatureRefusedError` if ``timestamp`` differs from ``now`` by more than ``tolerance`` seconds."""
    if not abs(now - timestamp) <= tolerance:
        raise SignatureRefusedError(Reason.STALE, header)


def tolerance_seconds(tolerance: float) -> float:
    """``tolerance``. Raises ``LocalError`` for one that lets nothing in or everything."""
    if not 0 < tolerance <= 86_400:
        raise LocalError("the tolerance of a timestamp is more than 0 s and a day at most")
    return tolerance
