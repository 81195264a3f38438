"""Keeps what is sent out of private networks, whatever name or redirect leads there.

It stands where the socket is made: by then every name is resolved, and what is judged is what is connected to.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any, Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""NAT64 (RFC 6052): the last 32 bits are an IPv4 address, and that is what is judged."""
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that was ever given to anybody in public (RFC 4291 and IANA's registry)."""
_DOCUMENTATION: Final = ipaddress.IPv6Network("3fff::/20")
"""RFC 9637, which Python's own list does not have everywhere."""


class PrivateAddressError(OSError):
    """A name leads to an address that nobody allowed."""


class AddressGuard:
    """Lets public addresses pass, and those in ``allowed``."""

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def passes(self, address: Address) -> bool:
        """Whether one may connect there."""
        if any(address in network for network in self._allowed):
            return True
        return all(_is_public(each) for each in _meant(address))

    def socket(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket for one result of ``getaddrinfo``. Raises :class:`PrivateAddressError`."""
        family, kind, protocol, _, target = info
        address = ipaddress.ip_address(str(target[0]).partition("%")[0])
        if not self.passes(address):
            raise PrivateAddressError("it leads to a private address, which the configuration does not allow")
        return socket.socket(family, kind, protocol)


def _meant(address: Address) -> list[Address]:
    """The address, and those that are hidden in it; where it is but a way of writing another, that one."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in _TRANSLATED:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    hidden = [address.sixtofour, *(address.teredo or ())]
    return [address, *(each for each in hidden if each is not None)]


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and (address not in _UNICAST or address in _DOCUMENTATION):
        return False
    return address.is_global and not address.is_multicast
