"""Every verifier alike: what is rightly signed passes, and everything else is refused with a reason, never an error."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import LocalError
from protocols.webhooks import github, standard, stripe, webex
from protocols.webhooks.github import GithubVerifier
from protocols.webhooks.hmac_scheme import HmacScheme, HmacVerifier
from protocols.webhooks.signatures import Algorithm, Encoding, Reason, SignatureRefusedError, Verifier
from protocols.webhooks.standard import StandardVerifier
from protocols.webhooks.stripe import StripeVerifier
from protocols.webhooks.tokens import BearerVerifier
from protocols.webhooks.webex import WebexVerifier

EXAMPLES = settings(max_examples=3_000 if os.environ.get("PARLEY_PROVE") == "1" else 150, deadline=None)

NOW = 1_790_000_000
OLD, NEW, OTHER = "d2hzZWNyZXQtb2xk", "d2hzZWNyZXQtbmV3", "d2hzZWNyZXQtb3RoZXI="


class Scheme(NamedTuple):
    """How one kind of request is signed and verified; the secrets fit all of them."""

    verifier: Callable[[list[str]], Verifier]
    sign: Callable[[str, bytes, int], dict[str, str]]
    timed: bool = False
    covers_body: bool = True


PLAIN = HmacScheme("X-Signature", Algorithm.SHA512, Encoding.BASE64)
TIMED = HmacScheme(
    "x-slack-signature", prefix="v0=", timestamp_header="X-Slack-Request-Timestamp", template="v0:{timestamp}:{body}"
)
SCHEMES = {
    "github": Scheme(GithubVerifier, lambda secret, body, now: github.sign(secret, body)),
    "stripe": Scheme(StripeVerifier, lambda secret, body, now: stripe.sign(secret, body, timestamp=now), timed=True),
    "webex": Scheme(WebexVerifier, lambda secret, body, now: webex.sign(secret, body)),
    "webex-sha512": Scheme(
        lambda secrets: WebexVerifier(secrets, algorithm=Algorithm.SHA512),
        lambda secret, body, now: webex.sign(secret, body, algorithm=Algorithm.SHA512),
    ),
    "standard": Scheme(
        StandardVerifier, lambda secret, body, now: standard.sign(secret, "msg_1", now, body), timed=True
    ),
    "hmac": Scheme(lambda secrets: HmacVerifier(PLAIN, secrets), lambda secret, body, now: PLAIN.sign(secret, body)),
    "hmac-timed": Scheme(
        lambda secrets: HmacVerifier(TIMED, secrets),
        lambda secret, body, now: TIMED.sign(secret, body, timestamp=now),
        timed=True,
    ),
    "bearer": Scheme(
        BearerVerifier, lambda secret, body, now: {"authorization": f"Bearer {secret}"}, covers_body=False
    ),
}
TIMED_SCHEMES = sorted(name for name, scheme in SCHEMES.items() if scheme.timed)
any_scheme = pytest.mark.parametrize("name", SCHEMES)


def reason(verifier: Verifier, headers: dict[str, str], body: bytes, now: float = NOW) -> Reason | None:
    """Why the request is refused; ``None`` if it is not."""
    try:
        verifier.verify(headers, body, now=now)
    except SignatureRefusedError as refused:
        return refused.reason
    return None


def test_the_verifiers_of_hmac_come_out_as_configured() -> None:
    assert PLAIN.header == "x-signature"
    assert TIMED.timestamp_header == "x-slack-request-timestamp"


@any_scheme
@pytest.mark.parametrize("body", [b"", b"{}", "한빛상담실".encode(), b"\0\xff" * 5000])
def test_what_is_rightly_signed_passes(name: str, body: bytes) -> None:
    scheme = SCHEMES[name]
    assert reason(scheme.verifier([NEW]), scheme.sign(NEW, body, NOW), body) is None


@any_scheme
def test_any_of_several_secrets_may_match(name: str) -> None:
    scheme = SCHEMES[name]
    wrong = Reason.TOKEN if name == "bearer" else Reason.WRONG
    both, swapped, one = scheme.verifier([OLD, NEW]), scheme.verifier([NEW, OLD]), scheme.verifier([NEW])
    for secret in (OLD, NEW):
        for verifier in (both, swapped):
            assert reason(verifier, scheme.sign(secret, b"{}", NOW), b"{}") is None
    assert reason(both, scheme.sign(OTHER, b"{}", NOW), b"{}") is wrong
    assert reason(one, scheme.sign(OLD, b"{}", NOW), b"{}") is wrong


@any_scheme
def test_without_its_headers_a_request_is_refused(name: str) -> None:
    scheme = SCHEMES[name]
    signed = scheme.sign(NEW, b"{}", NOW)
    assert reason(scheme.verifier([NEW]), {}, b"{}") is Reason.MISSING
    for header in signed:
        for without in ({**signed, header: ""}, {key: value for key, value in signed.items() if key != header}):
            assert reason(scheme.verifier([NEW]), without, b"{}") is Reason.MISSING


@any_scheme
def test_another_body_is_refused(name: str) -> None:
    scheme = SCHEMES[name]
    expected = Reason.WRONG if scheme.covers_body else None
    for body in (b"{} ", b"", b"{}\0"):
        assert reason(scheme.verifier([NEW]), scheme.sign(NEW, b"{}", NOW), body) is expected


@pytest.mark.parametrize("name", TIMED_SCHEMES)
@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (0, None),
        (300, None),
        (-300, None),
        (300.5, Reason.STALE),
        (-300.5, Reason.STALE),
        (301, Reason.STALE),
        (1e9, Reason.STALE),
        (-1.7e9, Reason.STALE),
    ],
)
def test_a_timestamp_is_good_for_300_seconds_either_way(name: str, late: float, expected: Reason | None) -> None:
    scheme = SCHEMES[name]
    assert reason(scheme.verifier([NEW]), scheme.sign(NEW, b"{}", NOW), b"{}", NOW + late) is expected


@pytest.mark.parametrize("name", TIMED_SCHEMES)
def test_what_is_old_and_wrongly_signed_is_wrong(name: str) -> None:
    scheme = SCHEMES[name]
    assert reason(scheme.verifier([NEW]), scheme.sign(OLD, b"{}", NOW), b"{}", NOW + 9999) is Reason.WRONG


@pytest.mark.parametrize("name", TIMED_SCHEMES)
@pytest.mark.parametrize(
    "timestamp",
    ["9" * 400, "9" * 13, "nan", "inf", "1e9", "-1790000000", "+1790000000", " 1790000000", "1790000000 ",
     "1_790_000_000", "١٧٩٠٠٠٠٠٠٠", "1790000000.0", "0x6ab13b80", "\ud800", "\0", "t"],
)  # fmt: skip
def test_a_timestamp_that_is_none_is_malformed(name: str, timestamp: str) -> None:
    scheme = SCHEMES[name]
    headers = {key: value.replace(str(NOW), timestamp) for key, value in scheme.sign(NEW, b"{}", NOW).items()}
    assert timestamp in "".join(headers.values())
    assert reason(scheme.verifier([NEW]), headers, b"{}") is Reason.MALFORMED


@any_scheme
@pytest.mark.parametrize(
    "value",
    ["=", ",", " ", "sha256", "sha256=", "sha256=é", "v0=", "v1,", "t=1,v1=", "t=1790000000,v1=é", "Basic eA==",
     "Bearer", "Bearer ", "\ud800", "\0", "서명", "a" * 63, "sha256=" + "a" * 63, "a" * 100_000,
     "t=1790000000,v1=" + "a" * 65],
)  # fmt: skip
def test_a_signature_of_no_known_form_is_malformed(name: str, value: str) -> None:
    scheme = SCHEMES[name]
    signed = scheme.sign(NEW, b"{}", NOW)
    header = next(key for key in signed if "signature" in key or key == "authorization")
    assert reason(scheme.verifier([NEW]), signed | {header: value}, b"{}") is Reason.MALFORMED


@any_scheme
@pytest.mark.parametrize("secrets", [[], [""], ["  "], [NEW, ""], ["\ud800"], NEW])
def test_a_secret_that_cannot_be_used_is_refused_without_being_said(name: str, secrets: list[str]) -> None:
    with pytest.raises(LocalError) as raised:
        SCHEMES[name].verifier(secrets)
    assert NEW not in str(raised.value)


@any_scheme
def test_a_verifier_shows_no_secret(name: str) -> None:
    verifier = SCHEMES[name].verifier([NEW])
    assert NEW not in repr(verifier)
    assert NEW not in str(verifier)


@any_scheme
@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan"), float("inf")])
def test_a_tolerance_that_makes_no_sense_is_refused(name: str, tolerance: float) -> None:
    makers: dict[str, Callable[[], Verifier]] = {
        "stripe": lambda: StripeVerifier([NEW], tolerance=tolerance),
        "standard": lambda: StandardVerifier([NEW], tolerance=tolerance),
    }
    make = makers.get(name, lambda: HmacVerifier(TIMED, [NEW], tolerance=tolerance))
    with pytest.raises(LocalError, match="tolerance"):
        make()


@pytest.mark.parametrize("why", Reason)
def test_a_refusal_says_why_to_people_and_to_metrics(why: Reason) -> None:
    refused = SignatureRefusedError(why, "x-signature")
    assert (refused.reason, refused.header) == (why, "x-signature")
    assert str(refused) == refused.text
    assert refused.text.endswith("(x-signature)")
    assert len(SignatureRefusedError(why).text) > 20


def test_a_refusal_repeats_nothing_of_the_request() -> None:
    for scheme in SCHEMES.values():
        verifier = scheme.verifier([NEW])
        signed = scheme.sign(OTHER, b"{}", NOW)
        for headers in (signed, {key: f"{value}leak" for key, value in signed.items()}):
            with pytest.raises(SignatureRefusedError) as raised:
                verifier.verify(headers, b"a leak in a body", now=NOW)
            assert "leak" not in raised.value.text
            assert not any(value in raised.value.text for value in headers.values())


HEADERS = sorted({header for scheme in SCHEMES.values() for header in scheme.sign(NEW, b"", NOW)} | {"svix-id"})
anything = st.text(max_size=80) | st.text(st.characters(categories=["Cs", "Nd", "Lo"]), max_size=20)
almost = st.builds(
    "".join,
    st.lists(
        st.sampled_from(["t=", "v1=", "v1,", ",", " ", "sha256=", "v0=", "Bearer ", str(NOW), "a" * 64, "=", "\udcff"])
        | st.text("0123456789abcdef+/-_=", max_size=90),
        max_size=6,
    ),
)


@any_scheme
@EXAMPLES
@given(
    headers=st.dictionaries(st.sampled_from(HEADERS), anything | almost), body=st.binary(max_size=50), data=st.data()
)
def test_any_headers_and_any_body_are_refused(
    name: str, headers: dict[str, str], body: bytes, data: st.DataObject
) -> None:
    now = data.draw(st.just(float(NOW)) | st.floats())
    with pytest.raises(SignatureRefusedError) as raised:
        SCHEMES[name].verifier([OLD, NEW]).verify(headers, body, now=now)
    assert raised.value.reason in Reason


@any_scheme
@EXAMPLES
@given(body=st.binary(max_size=100), data=st.data())
def test_a_right_request_that_was_changed_anywhere_is_refused(name: str, body: bytes, data: st.DataObject) -> None:
    scheme = SCHEMES[name]
    verifier, headers = scheme.verifier([NEW]), scheme.sign(NEW, body, NOW)
    verifier.verify(headers, body, now=NOW)
    header = data.draw(st.sampled_from(sorted(headers)))
    value = headers[header]
    at = data.draw(st.integers(0, len(value) - 1))
    changed = value[:at] + data.draw(st.text(max_size=2)) + value[at + data.draw(st.integers(0, 2)) :]
    if same(name, changed, value):
        return
    with pytest.raises(SignatureRefusedError):
        verifier.verify(headers | {header: changed}, body, now=NOW)
    if scheme.covers_body:
        with pytest.raises(SignatureRefusedError):
            verifier.verify(headers, body + b"x", now=NOW)


def same(name: str, changed: str, value: str) -> bool:
    """Whether both texts mean the same: hex and the word Bearer in either case, base64 in either alphabet or bare."""
    if changed == value:
        return True
    if name in ("standard", "hmac"):
        # What is beside the signature of a list is passed over.
        plain = changed.replace("-", "+").replace("_", "/").rstrip("=")
        return value.rstrip("=") in (plain, *(item.rstrip("=") for item in plain.split(" ")))
    if name == "bearer":
        return changed.partition(" ")[0].lower() == "bearer" and changed.partition(" ")[2].strip(" ") == value[7:]
    if name == "stripe":
        return set(value.lower().split(",")) <= set(changed.lower().split(","))
    return changed.lower() == value.lower() and changed.startswith(value.partition("=")[0] if "=" in value else "")


@EXAMPLES
@given(st.dictionaries(anything, anything), st.binary(max_size=50))
def test_headers_of_other_names_do_not_matter(headers: dict[str, str], body: bytes) -> None:
    for scheme in SCHEMES.values():
        signed = scheme.sign(NEW, body, NOW)
        scheme.verifier([NEW]).verify(headers | signed, body, now=NOW)
        with contextlib.suppress(SignatureRefusedError):
            scheme.verifier([NEW]).verify(headers, body, now=NOW)
