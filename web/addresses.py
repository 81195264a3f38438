"""Where a request comes from: the address of whoever sent it, past the proxies that we were told of."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_FORWARDING = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Proto")


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks from ``10.0.0.0/8`` or single addresses. Raises ``ValueError``."""
    return tuple(ip_network(text, strict=False) for text in texts)


def is_in(address: Address | None, networks: Sequence[Network]) -> bool:
    """Whether ``address`` lies in one of ``networks``; no address lies nowhere."""
    return address is not None and any(
        address.version == network.version and address in network for network in networks
    )


def peer_address(request: web.Request) -> Address | None:
    """The other end of the connection, ``None`` for a Unix socket."""
    return None if request.transport is None else transport_address(request.transport)


def transport_address(transport: asyncio.BaseTransport) -> Address | None:
    """The other end of ``transport``, ``None`` for a Unix socket."""
    peer = transport.get_extra_info("peername")
    return _parse(peer[0]) if isinstance(peer, tuple) and peer else None


def client_address(request: web.Request, trusted: Sequence[Network]) -> Address | None:
    """Who sent the request."""
    return address_behind(peer_address(request), request.headers.getall("X-Forwarded-For", ()), trusted)


def address_behind(address: Address | None, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> Address | None:
    """Who sent what came from ``address`` with these values of ``X-Forwarded-For``.

    Only a trusted proxy is believed there, and of that only the part that trusted proxies wrote: it is read from the
    right, to the first address that is none of them.
    """
    hops = _hops(forwarded_for)
    while hops and is_in(address, trusted):
        hop = hops.pop()
        if hop is None:
            break
        address = hop
    return address


def _hops(forwarded_for: Sequence[str]) -> list[Address | None]:
    """What ``X-Forwarded-For`` names, the nearest last; ``None`` for a hop that is no address."""
    return [_parse(hop.strip()) for value in forwarded_for for hop in value.split(",")]


def is_local(request: web.Request, trusted: Sequence[Network]) -> bool:
    """Whether the request began on this host.

    What a proxy passes on did not, unless we trust it and it says so in full: its connection is local, its client is
    not. A client that it does not name, or names by a word, is not known to be local.
    """
    peer = peer_address(request)
    if not is_forwarded(request):
        return is_unix(request) or (peer is not None and peer.is_loopback)
    hops = _hops(request.headers.getall("X-Forwarded-For", ()))
    if not is_in(peer, trusted) or not hops or None in hops:
        return False
    address = client_address(request, trusted)
    return address is not None and address.is_loopback


def is_forwarded(request: web.Request) -> bool:
    """Whether the request says of itself that it came through a proxy."""
    return any(name in request.headers for name in _FORWARDING)


def is_unix(request: web.Request) -> bool:
    """Whether it came over a Unix socket."""
    raw = unix_socket(request)
    return raw is not None


def unix_socket(request: web.Request) -> socket.socket | None:
    """The connection's socket if it is a Unix one."""
    transport = request.transport
    raw: socket.socket | None = transport.get_extra_info("socket") if transport is not None else None
    return raw if raw is not None and raw.family == socket.AF_UNIX else None


# Most requests come from those that came before.
@lru_cache(maxsize=1024)
def _parse(text: str) -> Address | None:
    """An address as proxies write it: with or without a port, IPv6 in brackets or mapped from IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
