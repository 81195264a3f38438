"""What a source of the configuration means in the words of :mod:`protocols.webhooks`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from daemon.config import SourceConfig
from protocols.webhooks import github, standard, stripe, voxai, webex
from protocols.webhooks.delivery import Identified
from protocols.webhooks.generic import GenericSource
from protocols.webhooks.github import GithubVerifier
from protocols.webhooks.hmac_scheme import HmacScheme, HmacVerifier
from protocols.webhooks.signatures import Algorithm, Encoding, Verifier
from protocols.webhooks.standard import StandardVerifier
from protocols.webhooks.stripe import StripeVerifier
from protocols.webhooks.tokens import BearerVerifier
from protocols.webhooks.webex import WebexVerifier

Identify = Callable[[Mapping[str, str], bytes], Identified]

_IDENTIFY: Final[Mapping[str, Identify]] = {
    "github": github.identify,
    "stripe": stripe.identify,
    "webex": webex.identify,
    "standard": standard.identify,
    "voxai": voxai.identify,
}


def identify_of(config: SourceConfig) -> Identify:
    """What tells the event, id and key of its deliveries: the places that are configured, else what its kind has.

    Raises ``LocalError`` for what is no place of one.
    """
    places = {"event": config.event, "other_id": config.other_id, "key": config.key}
    configured = GenericSource(**{name: place or None for name, place in places.items()}).identify
    of_kind = _IDENTIFY.get(config.kind)
    if of_kind is None:
        return configured
    named = [name for name, place in places.items() if place]
    if not named:
        return of_kind

    def identify(headers: Mapping[str, str], body: bytes) -> Identified:
        found = configured(headers, body)
        return msgspec.structs.replace(of_kind(headers, body), **{name: getattr(found, name) for name in named})

    return identify


def verifier_of(config: SourceConfig, secrets: Sequence[str]) -> Verifier:
    """What knows its requests by a header. Raises ``LocalError`` for a secret or a scheme that cannot work."""
    if config.check == "bearer":
        return BearerVerifier(secrets)
    match config.kind:
        case "github":
            return GithubVerifier(secrets)
        case "stripe":
            return StripeVerifier(secrets, tolerance=config.tolerance)
        case "webex":
            return WebexVerifier(secrets, algorithm=Algorithm(config.algorithm or "sha1"))
        case "standard":
            return StandardVerifier(secrets, tolerance=config.tolerance)
    scheme = HmacScheme(
        config.header,
        algorithm=Algorithm(config.algorithm or "sha256"),
        encoding=Encoding(config.encoding),
        prefix=config.prefix,
        timestamp_header=config.timestamp_header or None,
        template=config.signed,
    )
    return HmacVerifier(scheme, secrets, tolerance=config.tolerance)
