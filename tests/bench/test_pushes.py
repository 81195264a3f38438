"""What the inbox's benchmark delivers is what GitHub would."""

from __future__ import annotations

import pytest

from protocols.webhooks.github import GithubVerifier, identify
from protocols.webhooks.signatures import SignatureRefusedError
from tests.bench.push import REPOSITORIES, SECRET, SIZE, pushes, signature


def test_each_is_signed_and_of_a_repository_of_its_own() -> None:
    verifier = GithubVerifier([SECRET])
    bodies = pushes()
    for body in bodies:
        verifier.verify({"x-hub-signature-256": signature(body, "sha256")}, body, now=0.0)
    keys = {identify({"x-github-event": "push", "x-github-delivery": "1"}, body).key for body in bodies}

    assert {len(body) for body in bodies} == {SIZE}
    assert None not in keys
    assert len(keys) == REPOSITORIES


def test_a_signature_is_of_its_body_alone() -> None:
    first, second = pushes()[:2]
    with pytest.raises(SignatureRefusedError):
        GithubVerifier([SECRET]).verify({"x-hub-signature-256": signature(first, "sha256")}, second, now=0.0)
