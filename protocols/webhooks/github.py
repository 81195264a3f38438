"""GitHub: ``X-Hub-Signature-256: sha256=<hex>``, an HMAC-SHA256 of the body.

The event is the header ``X-GitHub-Event`` with the payload's ``action`` behind it (``pull_request.opened``), the id
``X-GitHub-Delivery``. An event of an organisation has no ``repository``.
Source: docs.github.com, "Validating webhook deliveries" and "Webhook events and payloads".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from protocols.webhooks.delivery import Identified, event_name, stable_id
from protocols.webhooks.hmac_scheme import HmacScheme, HmacVerifier
from protocols.webhooks.payload import at, read_object

SCHEME = HmacScheme("x-hub-signature-256", prefix="sha256=")


class _Repository(msgspec.Struct, frozen=True, gc=False):
    full_name: Any = None


class _Payload(msgspec.Struct, frozen=True):
    """What is read of a payload; the rest, which is most of it, is only stepped over."""

    action: Any = None
    repository: _Repository = _Repository()


_decoder = msgspec.json.Decoder(_Payload)


class GithubVerifier(HmacVerifier):
    """Verifies GitHub's signature. Raises ``LocalError`` for an unusable secret."""

    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__(SCHEME, secrets)


def sign(secret: str, body: bytes) -> dict[str, str]:
    """The header that GitHub adds."""
    return SCHEME.sign(secret, body)


def identify(headers: Mapping[str, str], body: bytes) -> Identified:
    """Never raises. Events of one repository stay in order."""
    action, repository = _action_and_repository(body)
    name = headers.get("x-github-event")
    return Identified(
        event_name(name, action if name else None),
        stable_id(headers.get("x-github-delivery")),
        stable_id(repository),
    )


def _action_and_repository(body: bytes) -> tuple[Any, Any]:
    try:
        payload = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass
    else:
        action, repository = payload.action, payload.repository.full_name
        if not any(isinstance(text, str) and "\0" in text for text in (action, repository)):
            return action, repository
    # Whatever it is, it is not what GitHub sends; there may be something in it all the same.
    unusual = read_object(body)
    return unusual.get("action"), at(unusual, "repository", "full_name")
