"""The providers that may deliver: how each proves who it is, and where it says what it delivers."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final

from daemon.address_guard import Address
from daemon.config import SourceConfig
from daemon.secrets import Secrets, source_secrets
from daemon.verifiers import identify_of, verifier_of
from protocols.webhooks.delivery import Identified
from protocols.webhooks.signatures import Reason, SignatureRefusedError, Verifier
from protocols.webhooks.tokens import TokenVerifier

_BURST: Final = 10.0
"""Seconds' worth of deliveries that may come at once."""


class SourceRefusedError(Exception):
    """The request is not taken. ``reason`` is one of a few words; the text is for people, without anything of the
    request. ``retry_after`` is in seconds, where another try may do."""

    def __init__(self, reason: str, text: str, *, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.retry_after = retry_after


TOO_FAST: Final = "too_fast"
TOO_LARGE: Final = "too_large"
TOO_SLOW: Final = "too_slow"
NOT_STORABLE: Final = "not_storable"
FULL: Final = "full"
STORE_AWAY: Final = "store_away"
BROKEN_OFF: Final = "broken_off"
REASONS: Final = (
    *(reason.value for reason in Reason),
    TOO_FAST,
    TOO_LARGE,
    TOO_SLOW,
    BROKEN_OFF,
    NOT_STORABLE,
    FULL,
    STORE_AWAY,
)
"""Why a delivery is not taken. Those that are too fast, and all from ``NOT_STORABLE`` on, were verified."""


class Source:
    """One provider. Raises ``LocalError`` for a configuration or a secret that cannot work."""

    def __init__(self, config: SourceConfig, secrets: Secrets) -> None:
        self.name = config.name
        self.kind = config.kind
        self.stores_as_is = config.kind != "voxai"
        """Whether nothing that it delivers has to be taken out before it is stored."""
        self.takes_url_token = config.check == "url-token"
        self._networks = tuple(ipaddress.ip_network(network) for network in config.addresses)
        self._verifier: Verifier | None = None
        self._url_token: TokenVerifier | None = None
        given = source_secrets(config, secrets)
        if self.takes_url_token:
            self._url_token = TokenVerifier(given)
        elif config.check != "address":
            self._verifier = verifier_of(config, given)
        self._identify = identify_of(config)
        self._rate = config.per_second
        self._tokens = self._most = max(1.0, config.per_second * _BURST)
        self._filled_at: float | None = None

    def verify(
        self, headers: Mapping[str, str], body: bytes, *, address: Address | None, url_token: str | None, now: float
    ) -> None:
        """Return if the request is from this provider. Raises :class:`SourceRefusedError`.

        ``address`` is where it comes from, ``None`` where that means nothing.
        """
        if self._networks and (address is None or not any(address in network for network in self._networks)):
            refused = SignatureRefusedError(Reason.ADDRESS)
            raise SourceRefusedError(refused.reason.value, refused.text)
        try:
            if self._url_token is not None:
                self._url_token.verify_token(url_token)
            elif self._verifier is not None:
                self._verifier.verify(headers, body, now=now)
        except SignatureRefusedError as error:
            raise SourceRefusedError(error.reason.value, error.text) from error

    def admit(self, now: float) -> None:
        """Count a verified delivery against the rate. Raises :class:`SourceRefusedError`."""
        if self._filled_at is not None:
            self._tokens = min(self._most, self._tokens + max(0.0, now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens < 1.0:
            wait = (1.0 - self._tokens) / self._rate
            raise SourceRefusedError(TOO_FAST, "more is delivered than is allowed in a second", retry_after=wait)
        self._tokens -= 1.0

    def identify(self, headers: Mapping[str, str], body: bytes) -> Identified:
        """What it delivers. Never raises."""
        return self._identify(headers, body)
