"""Which addresses may be reached."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from daemon.address_guard import AddressGuard, PrivateAddressError

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
    "2001:0:a00:1::1",
    "fc00::1",
    "fe80::1",
    "fec0::1",
    "ff0e::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b:1::7f00:1",
    "5f00::1",
    "3fff::1",
    "3fff:fff::1",
    "2001:db8::1",
    "4000::1",
]
PUBLIC = ["8.8.8.8", "34.123.198.226", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_do_not_pass(address: str) -> None:
    assert not AddressGuard().passes(ipaddress.ip_address(address))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(PrivateAddressError):
        AddressGuard().socket((family, socket.SOCK_STREAM, 0, "", (address, 80)))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert AddressGuard().passes(ipaddress.ip_address(address))


def test_what_an_operator_named_passes() -> None:
    guard = AddressGuard([ipaddress.ip_network("10.0.0.0/8")])
    assert guard.passes(ipaddress.ip_address("10.1.2.3"))
    assert not guard.passes(ipaddress.ip_address("192.168.0.1"))
    guard = AddressGuard([ipaddress.ip_network("5f00::/16")])
    assert guard.passes(ipaddress.ip_address("5f00::1"))
    assert not guard.passes(ipaddress.ip_address("3fff::1"))
