"""Each provider's own scheme, against published vectors and signatures that are made here by hand."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from protocols.errors import LocalError
from protocols.webhooks import github, standard, stripe, webex
from protocols.webhooks.github import GithubVerifier
from protocols.webhooks.signatures import Algorithm, Reason, SignatureRefusedError, Verifier
from protocols.webhooks.standard import StandardVerifier
from protocols.webhooks.stripe import StripeVerifier
from protocols.webhooks.webex import WebexVerifier

NOW = 1_790_000_000
BODY = '{"무엇": "가나다"}'.encode()


def hmac_by_hand(key: bytes, message: bytes, name: str = "sha256") -> bytes:
    """RFC 2104, written out."""
    block = hashlib.new(name).block_size
    padded = (hashlib.new(name, key).digest() if len(key) > block else key).ljust(block, b"\0")
    inner = hashlib.new(name, bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.new(name, bytes(byte ^ 0x5C for byte in padded) + inner).digest()


def refusal(verifier: Verifier, headers: dict[str, str], body: bytes = BODY) -> Reason:
    with pytest.raises(SignatureRefusedError) as raised:
        verifier.verify(headers, body, now=NOW)
    return raised.value.reason


def test_githubs_published_vector() -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    verifier = GithubVerifier(["It's a Secret to Everybody"])
    verifier.verify({"x-hub-signature-256": signature}, b"Hello, World!", now=NOW)
    assert github.sign("It's a Secret to Everybody", b"Hello, World!") == {"x-hub-signature-256": signature}
    assert refusal(verifier, {"x-hub-signature-256": signature}, b"Hello, World?") is Reason.WRONG


def test_githubs_older_header_is_not_enough() -> None:
    old = {"x-hub-signature": "sha1=" + hmac_by_hand(b"k", BODY, "sha1").hex()}
    assert refusal(GithubVerifier(["k"]), old) is Reason.MISSING
    wrong = {"x-hub-signature-256": "sha1=" + hmac_by_hand(b"k", BODY).hex()}
    assert refusal(GithubVerifier(["k"]), wrong) is Reason.MALFORMED


def test_stripe_by_hand() -> None:
    # All of the secret is the key, its prefix too.
    signature = hmac_by_hand(b"whsec_key", b"1790000000." + BODY).hex()
    verifier = StripeVerifier(["whsec_key"])
    verifier.verify({"stripe-signature": f"t={NOW},v1={signature}"}, BODY, now=NOW)
    assert stripe.sign("whsec_key", BODY, timestamp=NOW) == {"stripe-signature": f"t={NOW},v1={signature}"}
    for passes in (
        f"v1={signature},t={NOW}",
        f"t={NOW},v1={'0' * 64},v1={signature}",
        f"t={NOW},v1={signature},v0={'0' * 64}",
        f"t={NOW},v1=zz,v1={signature.upper()},x",
    ):
        verifier.verify({"stripe-signature": passes}, BODY, now=NOW)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("t={now},v0={right}", Reason.MALFORMED),
        ("v1={right}", Reason.MALFORMED),
        ("t={now},t={now},v1={right}", Reason.MALFORMED),
        ("t={now}, v1={right}", Reason.MALFORMED),
        ("t=,v1={right}", Reason.MALFORMED),
        ("t={now},v1={wrong},v1={wrong}", Reason.WRONG),
        ("t=01790000000,v1={right}", Reason.WRONG),
    ],
)
def test_stripes_header_has_one_time_and_one_signature_that_matches(header: str, expected: Reason) -> None:
    right = hmac_by_hand(b"k", b"1790000000." + BODY).hex()
    text = header.format(now=NOW, right=right, wrong="0" * 64)
    assert refusal(StripeVerifier(["k"]), {"stripe-signature": text}) is expected


@pytest.mark.parametrize("algorithm", Algorithm)
def test_webex_by_hand(algorithm: Algorithm) -> None:
    headers = {"x-spark-signature": hmac_by_hand("비밀".encode(), BODY, algorithm.value).hex()}
    WebexVerifier(["비밀"], algorithm=algorithm).verify(headers, BODY, now=NOW)
    assert webex.sign("비밀", BODY, algorithm=algorithm) == headers
    if algorithm is Algorithm.SHA1:
        WebexVerifier(["비밀"]).verify(headers, BODY, now=NOW)
    else:
        assert refusal(WebexVerifier(["비밀"]), headers) is Reason.MALFORMED


KEY = bytes(range(24))
SECRET = base64.b64encode(KEY).decode()


def standard_signature(key: bytes = KEY) -> str:
    return "v1," + base64.b64encode(hmac_by_hand(key, b"msg_1.1790000000." + BODY)).decode()


def standard_headers(signature: str, prefix: str = "webhook") -> dict[str, str]:
    return {f"{prefix}-id": "msg_1", f"{prefix}-timestamp": str(NOW), f"{prefix}-signature": signature}


@pytest.mark.parametrize("secret", [SECRET, f"whsec_{SECRET}"])
@pytest.mark.parametrize("prefix", ["webhook", "svix"])
def test_standard_by_hand(secret: str, prefix: str) -> None:
    verifier = StandardVerifier([secret])
    right = standard_signature()
    for signature in (right, f"v1,{'A' * 43}= {right}", f"v1a,xyz {right}", f"{right} v2,xyz", f"v1 {right} v1,é"):
        verifier.verify(standard_headers(signature, prefix), BODY, now=NOW)
    assert standard.sign(secret, "msg_1", NOW, BODY) == standard_headers(right)
    for signature, expected in (
        (standard_signature(b"another"), Reason.WRONG),
        (right.replace("v1,", "v2,"), Reason.MALFORMED),
        (right.replace("v1,", "v1"), Reason.MALFORMED),
        (right[3:], Reason.MALFORMED),
    ):
        assert refusal(verifier, standard_headers(signature, prefix)) is expected


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp"])
def test_all_that_standard_webhooks_sign_is_covered(header: str) -> None:
    headers = standard_headers(standard_signature())
    changed = {"webhook-id": "msg_2", "webhook-timestamp": str(NOW + 1)}[header]
    assert refusal(StandardVerifier([SECRET]), headers | {header: changed}) is Reason.WRONG


def test_headers_of_both_names_are_not_mixed() -> None:
    svix, ours = standard_headers(standard_signature(), "svix"), standard_headers(standard_signature())
    StandardVerifier([SECRET]).verify(ours | {"svix-id": "msg_2", "svix-signature": "v1,x"}, BODY, now=NOW)
    assert refusal(StandardVerifier([SECRET]), svix | {"webhook-id": "msg_1"}) is Reason.MISSING


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "가나다", "abcde", "whsec_===="])
def test_a_secret_of_standard_webhooks_is_base64(secret: str) -> None:
    for use in (lambda: StandardVerifier([secret]), lambda: standard.sign(secret, "msg_1", NOW, BODY)):
        with pytest.raises(LocalError) as raised:
            use()
        assert not re.search(re.escape(secret.removeprefix("whsec_") or "\0"), str(raised.value))
        assert raised.value.__context__ is None


@pytest.mark.parametrize("message_id", ["", "a b", "a.b", "a\nb", "가"])
def test_an_id_of_ours_can_stand_in_a_header_and_in_what_is_signed(message_id: str) -> None:
    with pytest.raises(LocalError, match="id of a webhook"):
        standard.sign(SECRET, message_id, NOW, BODY)
