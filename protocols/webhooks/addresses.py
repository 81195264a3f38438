"""Which addresses a source calls from, seen through proxies of ours.

A proxy writes whom it speaks for at the end of ``X-Forwarded-For``; what stands before that was written by whoever
called it and proves nothing. So the list is read from its end, and only as far as trusted proxies wrote it.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from protocols.errors import LocalError
from protocols.webhooks.signatures import Reason, SignatureRefusedError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def read_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks (``192.0.2.0/24``) and single addresses. Raises ``LocalError`` that names what is neither."""
    if isinstance(texts, str):
        raise LocalError("networks are a list")
    networks = []
    for text in texts:
        try:
            networks.append(ip_network(text))
        except ValueError as error:
            raise LocalError(f"{text[:64]!r} is neither an address nor a network") from error
    return tuple(networks)


def client_address(peer: str, forwarded_for: str, trusted_proxies: Sequence[Network]) -> Address | None:
    """The address that a request really comes from; ``None`` if that cannot be told.

    ``peer`` is the other end of the connection, ``forwarded_for`` the value of ``X-Forwarded-For``, several of them
    joined by commas in their order. Where all in it are trusted proxies, the first one is meant.
    """
    address = _read_address(peer)
    for hop in reversed(forwarded_for.split(",") if forwarded_for else []):
        if address is None or not _is_in(address, trusted_proxies):
            break
        address = _read_address(hop)
    return address


class AddressList:
    """The addresses that a source may call from. Raises ``LocalError`` for what is none, and for an empty list."""

    def __init__(self, allowed: Sequence[str], *, trusted_proxies: Sequence[str] = ()) -> None:
        self._allowed = read_networks(allowed)
        self._trusted_proxies = read_networks(trusted_proxies)
        if not self._allowed:
            raise LocalError("a list of addresses has one or more")

    def verify_address(self, peer: str, forwarded_for: str = "") -> None:
        """Raises :class:`SignatureRefusedError` unless the request comes from an address of the list."""
        address = client_address(peer, forwarded_for, self._trusted_proxies)
        if address is None or not _is_in(address, self._allowed):
            raise SignatureRefusedError(Reason.ADDRESS)


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _read_address(text: str) -> Address | None:
    """An address, with a port or a zone or without; an IPv4 one that IPv6 carries is the IPv4 one."""
    bare = text.strip(" \t")
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
