"""A rule of the configuration that a value breaks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import msgspec

from daemon.toml_lines import KeyPath


class BrokenRule(msgspec.Struct, frozen=True):
    """A rule that the value at ``path`` breaks."""

    path: KeyPath
    problem: str
    remedy: str
    rival: KeyPath | None = None
    """The other key that takes part, where it takes two."""


def network_rule(network: str, path: KeyPath) -> Iterator[BrokenRule]:
    """Whether that is a network or an address."""
    try:
        ipaddress.ip_network(network)
    except ValueError as error:
        yield BrokenRule(path, str(error), 'write it like "10.0.0.0/8", "192.0.2.7" or "2001:db8::/32"')
