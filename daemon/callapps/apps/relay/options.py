"""What a relay is configured with."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from daemon.address_guard import AddressGuard
from daemon.authorities import authority_problem
from protocols.relay.session import CONNECT_WITHIN, Limits

_USUAL: Final = Limits()
_DESTINATION: Final = re.compile(r"[0-9A-Za-z*#+_.-]{1,128}")


class RelayOptions(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The options of the app ``relay``. Limits are those of the contract, or less. Raises ``ValueError``."""

    url: str
    """Where the app is, ``ws://`` or ``wss://``."""
    app_id: str = ""
    """How the app is called in the headers and in ``setup``; empty: by the name of its ``[[callapps.app]]``."""
    tenant_id: str = ""
    org_id: str = ""
    notice: str = "이 통화는 사람이 아닌 인공지능이 응대합니다."
    """Said to its end before the app speaks. Empty: the dialplan has said it, and the app is told that Parley did not.
    Where it cannot be said, the caller is sent to a person."""
    transfer_to: str = ""
    """Where the app's own transfer leads; empty: to the fall-back."""
    tell_caller: bool = False
    """Whether the app learns the caller's number."""
    private_networks: tuple[str, ...] = ()
    """Networks that are not public and that the app may be in all the same."""
    ca_file: str = ""
    """A PEM file of authorities to trust for ``wss``, beside the system's."""
    low_confidence: Annotated[float, Meta(ge=0, le=1)] = 0.5
    """What a recogniser is less sure of is told to the app as doubtful."""
    connect_within: Annotated[float, Meta(gt=0, le=CONNECT_WITHIN)] = CONNECT_WITHIN
    answer_within: Annotated[float, Meta(gt=0, le=_USUAL.answer_within)] = _USUAL.answer_within
    duration: Annotated[float, Meta(gt=0, le=_USUAL.duration)] = _USUAL.duration
    instructions: Annotated[int, Meta(ge=1, le=_USUAL.instructions)] = _USUAL.instructions

    @property
    def guard(self) -> AddressGuard:
        """Which addresses the app may have."""
        return AddressGuard(ipaddress.ip_network(network) for network in self.private_networks)

    @property
    def limits(self) -> Limits:
        """What the app may take."""
        return Limits(
            answer_within=self.answer_within,
            instructions=self.instructions,
            duration=self.duration,
            faults=_USUAL.faults,
        )

    def __post_init__(self) -> None:
        """See what a type does not say. Errors never repeat the address: a token may stand in it."""
        if self.app_id and not (self.app_id.isascii() and self.app_id.isprintable() and " " not in self.app_id):
            raise ValueError("app_id is printable ASCII without blanks")
        if self.transfer_to and not _DESTINATION.fullmatch(self.transfer_to):
            raise ValueError("transfer_to is no number that a call can be sent to")
        problem = authority_problem(self.ca_file) if self.ca_file else ""
        if problem:
            raise ValueError(f"ca_file: {problem}")
        for network in self.private_networks:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ValueError(f"private_networks: {error}") from error
        self._check_url()

    def _check_url(self) -> None:
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname or "", parts.port
            host.encode("idna")
        except ValueError as error:  # of which UnicodeError is one
            raise ValueError("url is no URL; give wss://host/path or ws://…") from error
        if parts.scheme not in ("ws", "wss") or not host or parts.fragment:
            raise ValueError("url is no address of a WebSocket; give wss://host/path or ws://…")
        if parts.username or parts.password:
            raise ValueError("a password stands in url; take it out: every dial is signed")
        try:
            address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
        except ValueError:
            return  # a name, which is judged when it is dialled
        if not self.guard.passes(address):
            raise ValueError(f"url leads to a private address; name {address}, or its network, in private_networks")
