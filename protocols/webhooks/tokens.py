"""Secret tokens: one that a provider sends as a bearer (RFC 6750), and one that stands in the address it calls."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256

from protocols.webhooks.signatures import Reason, SignatureRefusedError, as_bytes, secret_keys

_HEADER = "authorization"


class TokenVerifier:
    """Verifies a token that stands in the URL. Raises ``LocalError`` for an unusable one."""

    def __init__(self, tokens: Sequence[str]) -> None:
        # Hashes are of one length, so how long it takes says nothing of how long a token is.
        self._hashes = tuple(sha256(token).digest() for token in secret_keys(tokens))

    def verify_token(self, token: str | None) -> None:
        """Raises :class:`SignatureRefusedError` unless ``token`` is one of ours."""
        if not token:
            raise SignatureRefusedError(Reason.MISSING)
        if not self.knows(token):
            raise SignatureRefusedError(Reason.TOKEN)

    def knows(self, token: str) -> bool:
        """Whether ``token`` is one of ours. All are tried, whichever matches."""
        given = sha256(as_bytes(token)).digest()
        matched = False
        for known in self._hashes:
            matched |= hmac.compare_digest(known, given)
        return matched


class BearerVerifier:
    """Verifies ``Authorization: Bearer <token>``. Raises ``LocalError`` for an unusable token."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = TokenVerifier(tokens)

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: float) -> None:
        """Raises :class:`SignatureRefusedError`; neither the body nor the time matters."""
        text = headers.get(_HEADER)
        if not text:
            raise SignatureRefusedError(Reason.MISSING, _HEADER)
        kind, _, token = text.partition(" ")
        if kind.lower() != "bearer" or not token.strip(" "):
            raise SignatureRefusedError(Reason.MALFORMED, _HEADER)
        if not self._tokens.knows(token.strip(" ")):
            raise SignatureRefusedError(Reason.TOKEN, _HEADER)
