"""The headers of a dial: the published vector, and every way not to be believed."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalError
from protocols.relay.signature import Dial, DialVerifier, sign
from protocols.webhooks.signatures import Reason, SignatureRefusedError

NOW = 1_790_000_000
SECRET = "test-signing-secret"
DIAL = Dial("demo-order-app", "1790000000.42")
VECTOR = "8f5176f9494aea0ff84847a5d2a80fdac8b90de4d44633d841d4cff3b1133f9a"

HEADERS = {
    "x-dvg-app-id": "demo-order-app",
    "x-dvg-call-id": "1790000000.42",
    "x-dvg-timestamp": "1790000000",
    "x-dvg-relay-version": "1",
    "x-dvg-signature": VECTOR,
}


def refusal(headers: dict[str, str], *, now: float = NOW, secret: str = SECRET) -> tuple[Reason, str]:
    with pytest.raises(SignatureRefusedError) as raised:
        DialVerifier([secret]).verify(headers, now=now)
    return raised.value.reason, raised.value.header


def test_the_published_vector() -> None:
    assert sign(SECRET, DIAL, timestamp=NOW) == {
        "X-DVG-App-Id": "demo-order-app",
        "X-DVG-Call-Id": "1790000000.42",
        "X-DVG-Timestamp": "1790000000",
        "X-DVG-Relay-Version": "1",
        "X-DVG-Signature": VECTOR,
    }
    assert DialVerifier([SECRET]).verify(HEADERS, now=NOW) == DIAL


@pytest.mark.parametrize("name", ["x-dvg-app-id", "x-dvg-call-id", "x-dvg-timestamp", "x-dvg-signature"])
def test_a_header_that_is_missing_or_empty_is_named(name: str) -> None:
    for headers in ({key: value for key, value in HEADERS.items() if key != name}, HEADERS | {name: ""}):
        assert refusal(headers) == (Reason.MISSING, name)


def test_the_version_is_not_signed() -> None:
    headers = {key: value for key, value in HEADERS.items() if key != "x-dvg-relay-version"}
    assert DialVerifier([SECRET]).verify(headers, now=NOW) == DIAL


@pytest.mark.parametrize("text", ["", "soon", "-1790000000", "1790000000.0", " 1790000000", "１７９", "9" * 13])
def test_a_timestamp_is_digits(text: str) -> None:
    reason = Reason.MALFORMED if text else Reason.MISSING
    assert refusal(HEADERS | {"x-dvg-timestamp": text}) == (reason, "x-dvg-timestamp")


@pytest.mark.parametrize("text", [VECTOR[:-2], f"{VECTOR}00", f"sha256={VECTOR}", f" {VECTOR}", "z" * 64, "\ud800"])
def test_a_signature_of_another_form_is_malformed(text: str) -> None:
    assert refusal(HEADERS | {"x-dvg-signature": text}) == (Reason.MALFORMED, "x-dvg-signature")


def test_a_dial_is_fresh_for_five_minutes_either_way() -> None:
    verifier = DialVerifier([SECRET])
    for late in (-300.0, 300.0):
        assert verifier.verify(HEADERS, now=NOW + late) == DIAL
    for late in (-300.1, 300.1):
        assert refusal(HEADERS, now=NOW + late) == (Reason.STALE, "x-dvg-timestamp")
    with pytest.raises(SignatureRefusedError, match="too long ago"):
        DialVerifier([SECRET], tolerance=10).verify(HEADERS, now=NOW + 11)


def test_any_of_several_secrets_may_have_signed() -> None:
    assert DialVerifier(["the-next-one", SECRET]).verify(HEADERS, now=NOW) == DIAL
    assert refusal(HEADERS, secret="the-next-one") == (Reason.WRONG, "x-dvg-signature")


@pytest.mark.parametrize("bad", ["", "a b", "a\nb", "a\r", "a\tb", "앱"])
def test_an_id_that_no_header_can_carry_is_not_signed(bad: str) -> None:
    for dial in (Dial(bad, "1"), Dial("app", bad)):
        with pytest.raises(LocalError, match="printable ASCII"):
            sign(SECRET, dial, timestamp=NOW)


@pytest.mark.parametrize("secrets", [[], [""], [" "], "secret", ["\ud800"]])
def test_an_unusable_secret_is_a_fault_of_ours(secrets: list[str]) -> None:
    with pytest.raises(LocalError):
        DialVerifier(secrets)
    if len(secrets) == 1:
        with pytest.raises(LocalError):
            sign(secrets[0], DIAL, timestamp=NOW)


SECRETS = st.text(min_size=1).filter(lambda text: text.isprintable() and text.strip())
IDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)


@given(IDS, IDS, st.integers(0, 10**12 - 1), SECRETS)
def test_what_is_signed_is_verified_and_is_what_the_contract_says(
    app_id: str, call_id: str, timestamp: int, secret: str
) -> None:
    headers = sign(secret, Dial(app_id, call_id), timestamp=timestamp)
    signed = f"{app_id}\n{call_id}\n{timestamp}".encode()
    assert headers["X-DVG-Signature"] == hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    lowered = {name.lower(): value for name, value in headers.items()}
    assert DialVerifier([secret]).verify(lowered, now=timestamp) == Dial(app_id, call_id)


@given(st.sampled_from(sorted(HEADERS)), st.text())
def test_a_changed_header_is_refused_and_nothing_else_is_raised(name: str, value: str) -> None:
    headers = HEADERS | {name: value}
    if headers == HEADERS or name == "x-dvg-relay-version" or (name, value.lower()) == ("x-dvg-signature", VECTOR):
        assert DialVerifier([SECRET]).verify(headers, now=NOW) == DIAL
    else:
        refusal(headers)
