"""The configurable scheme: every hash, both ways of writing, what stands before it, and what is signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

from protocols.errors import LocalError
from protocols.webhooks.hmac_scheme import HmacScheme, HmacVerifier
from protocols.webhooks.signatures import Algorithm, Encoding, Reason, SignatureRefusedError

NOW = 1_790_000_000
BODY = b'{"a": "\xff"}'


def refusal(scheme: HmacScheme, headers: dict[str, str]) -> Reason:
    with pytest.raises(SignatureRefusedError) as raised:
        HmacVerifier(scheme, ["k"]).verify(headers, BODY, now=NOW)
    return raised.value.reason


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("prefix", ["", "sha=", "v1:"])
def test_every_hash_and_writing(algorithm: Algorithm, prefix: str) -> None:
    digest = hmac.new(b"k", BODY, getattr(hashlib, algorithm.value)).digest()
    b64 = base64.b64encode(digest).decode()
    writings = {
        Encoding.HEX: [digest.hex(), digest.hex().upper()],
        Encoding.BASE64: [b64, b64.rstrip("="), base64.urlsafe_b64encode(digest).decode()],
    }
    for encoding, texts in writings.items():
        scheme = HmacScheme("x-mac", algorithm, encoding, prefix)
        assert scheme.sign("k", BODY) == {"x-mac": prefix + texts[0]}
        for text in texts:
            HmacVerifier(scheme, ["k"]).verify({"x-mac": prefix + text}, BODY, now=NOW)
            for wrong in (f"{text}=====", text[:-3], f"{text} ", f" {text}", f"{text}00", f"x{prefix}{text}"):
                assert refusal(scheme, {"x-mac": prefix + wrong}) is Reason.MALFORMED
        if prefix:
            assert refusal(scheme, {"x-mac": texts[0]}) is Reason.MALFORMED


def test_base64_that_only_ends_in_other_bits_is_no_other_signature() -> None:
    scheme = HmacScheme("x-mac", Algorithm.SHA256, Encoding.BASE64)
    text = scheme.sign("k", BODY)["x-mac"].rstrip("=")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    sibling = text[:-1] + letters[letters.index(text[-1]) + 1]
    assert base64.b64decode(f"{text}=") == base64.b64decode(f"{sibling}=")
    assert refusal(scheme, {"x-mac": sibling}) is Reason.MALFORMED


@pytest.mark.parametrize(
    ("template", "signed"),
    [
        ("{timestamp}.{body}", b"1790000000." + BODY),
        ("v0:{timestamp}:{body}", b"v0:1790000000:" + BODY),
        ("{body}{timestamp}", BODY + b"1790000000"),
        ("{timestamp}{timestamp}\n한{body}}", "17900000001790000000\n한".encode() + BODY + b"}"),
    ],
)
def test_what_is_signed_follows_the_template(template: str, signed: bytes) -> None:
    scheme = HmacScheme("x-mac", timestamp_header="X-Sent", template=template)
    headers = {"x-mac": hmac.new(b"k", signed, hashlib.sha256).hexdigest(), "x-sent": str(NOW)}
    assert scheme.sign("k", BODY, timestamp=NOW) == headers
    HmacVerifier(scheme, ["k"]).verify(headers, BODY, now=NOW)
    assert refusal(scheme, headers | {"x-sent": str(NOW + 1)}) is Reason.WRONG
    # The timestamp is signed as it is written.
    assert refusal(scheme, headers | {"x-sent": f"0{NOW}"}) is Reason.WRONG


def test_a_body_that_looks_like_a_place_is_left_alone() -> None:
    scheme = HmacScheme("x-mac", timestamp_header="x-sent", template="{timestamp}.{body}")
    body = b"{timestamp}{body}"
    assert scheme.message(body, "1") == b"1." + body


def test_the_tolerance_is_the_configured_one() -> None:
    scheme = HmacScheme("x-mac", timestamp_header="x-sent", template="{timestamp}.{body}")
    headers = scheme.sign("k", BODY, timestamp=NOW)
    verifier = HmacVerifier(scheme, ["k"], tolerance=10)
    for late in (-10.0, 10.0):
        verifier.verify(headers, BODY, now=NOW + late)
    for late in (-10.1, 10.1):
        with pytest.raises(SignatureRefusedError, match="too long ago"):
            verifier.verify(headers, BODY, now=NOW + late)


@pytest.mark.parametrize(
    "wrong",
    [
        {"header": ""},
        {"header": "x y"},
        {"header": "한"},
        {"header": "x", "timestamp_header": "a:b", "template": "{timestamp}{body}"},
        {"header": "x", "prefix": "é"},
        {"header": "x", "prefix": "a\n"},
        {"header": "x", "template": ""},
        {"header": "x", "template": "body"},
        {"header": "x", "template": "{body}{body}"},
        {"header": "x", "template": "{timestamp}.{body}"},
        {"header": "x", "template": "{id}.{body}"},
        {"header": "x", "template": "{}{body}"},
        {"header": "x", "timestamp_header": "x-sent"},
    ],
)
def test_a_scheme_that_could_not_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(LocalError):
        HmacScheme(**wrong)
