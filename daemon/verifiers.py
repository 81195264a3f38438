"""What a source of the configuration means in the words of :mod:`protocols.webhooks`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

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
    """What tells the event, id and key of its deliveries. Raises ``LocalError`` for what is no place of one."""
    known = _IDENTIFY.get(config.kind)
    if known is not None:
        return known
    return GenericSource(event=config.event or None, other_id=config.other_id or None, key=config.key or None).identify


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
