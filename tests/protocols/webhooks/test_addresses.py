"""Addresses behind proxies: what a stranger writes into X-Forwarded-For makes nobody of him."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalError
from protocols.webhooks.addresses import AddressList, client_address, read_networks
from protocols.webhooks.signatures import Reason, SignatureRefusedError

VENDOR, STRANGER, PROXY, INNER = "192.0.2.7", "203.0.113.9", "10.0.0.1", "10.0.0.2"
PROXIES = read_networks(["10.0.0.0/8", "::1"])
ALLOWED = AddressList([VENDOR, "2001:db8::/32"], trusted_proxies=["10.0.0.0/8", "::1"])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        (VENDOR, "", VENDOR),
        (STRANGER, VENDOR, STRANGER),
        (PROXY, VENDOR, VENDOR),
        (PROXY, f"{VENDOR}, {STRANGER}", STRANGER),
        (PROXY, f"{STRANGER},{VENDOR} , {INNER}", VENDOR),
        (PROXY, f"{VENDOR}:4711", VENDOR),
        (PROXY, "[2001:db8::1]:4711", "2001:db8::1"),
        (PROXY, "2001:db8::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", f"::ffff:{VENDOR}", VENDOR),
        ("fe80::1%eth0", VENDOR, "fe80::1"),
        ("::1", VENDOR, VENDOR),
        (PROXY, "", PROXY),
        (PROXY, INNER, INNER),
        (PROXY, "unknown", None),
        (PROXY, f"{VENDOR},", None),
        (PROXY, f"{VENDOR}, unknown, {INNER}", None),
        ("", VENDOR, None),
        ("", "", None),
    ],
)
def test_the_client_is_whom_the_last_trusted_proxy_names(peer: str, forwarded_for: str, expected: str | None) -> None:
    address = client_address(peer, forwarded_for, PROXIES)
    assert (None if address is None else str(address)) == expected


@pytest.mark.parametrize("peer", [VENDOR, "2001:db8:5::1", f"::ffff:{VENDOR}"])
def test_an_address_of_the_list_passes(peer: str) -> None:
    ALLOWED.verify_address(peer)
    ALLOWED.verify_address(PROXY, f"{STRANGER}, {peer}")


@pytest.mark.parametrize(
    ("peer", "forwarded_for"),
    [(STRANGER, ""), (STRANGER, VENDOR), (PROXY, ""), (PROXY, f"{VENDOR}, {STRANGER}"), ("", "")],
)
def test_any_other_is_refused(peer: str, forwarded_for: str) -> None:
    with pytest.raises(SignatureRefusedError) as raised:
        ALLOWED.verify_address(peer, forwarded_for)
    assert raised.value.reason is Reason.ADDRESS


def test_without_trusted_proxies_the_peer_counts() -> None:
    with pytest.raises(SignatureRefusedError):
        AddressList([VENDOR]).verify_address(PROXY, VENDOR)


@given(st.text(st.characters()), st.text(st.characters()) | st.text("0123456789abcdef.:,[]% /", max_size=60))
def test_any_text_is_an_address_or_refused(peer: str, forwarded_for: str) -> None:
    with contextlib.suppress(SignatureRefusedError):
        ALLOWED.verify_address(peer, forwarded_for)
    assert client_address(STRANGER, forwarded_for, PROXIES) == client_address(STRANGER, "", PROXIES)
    with contextlib.suppress(SignatureRefusedError):
        ALLOWED.verify_address(PROXY, forwarded_for)


@given(st.text(st.characters()))
def test_what_a_stranger_claims_before_a_proxy_does_not_matter(claimed: str) -> None:
    with pytest.raises(SignatureRefusedError):
        ALLOWED.verify_address(PROXY, f"{claimed},{STRANGER}")
    ALLOWED.verify_address(PROXY, f"{claimed},{VENDOR}")


@pytest.mark.parametrize("allowed", [[], ["example.com"], ["192.0.2.1/24"], [""], VENDOR])
def test_what_is_no_list_of_networks_is_refused(allowed: list[str]) -> None:
    with pytest.raises(LocalError):
        AddressList(allowed)
