"""A webhook's request read at once, where all of it is there and nothing about it is unusual.

What is unusual is left to aiohttp, which reads it from its first byte. This says yes to few things, so that what it
says yes to is read the same there (RFC 9112; both stand on llhttp).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

_BEGINNING: Final = b"POST /webhooks/"
_PATH: Final = re.compile(rb"/webhooks/([A-Za-z0-9_-]+)")
_LENGTH: Final = re.compile(r"[0-9]{1,9}")
_HEAD: Final = 8_000
"""Bytes of a head at most; aiohttp takes lines of some more."""
_LINES: Final = 100
"""Headers at most; aiohttp takes some more."""
_NEEDED: Final = frozenset({"host", "content-length"})
_ONCE: Final = _NEEDED | {
    "content-location",
    "content-range",
    "content-type",
    "etag",
    "max-forwards",
    "server",
    "user-agent",
}
"""What aiohttp does not take twice."""
_TELLING: Final = _ONCE | {
    "x-forwarded-for",
    "connection",
    "proxy-connection",
    "transfer-encoding",
    "content-encoding",
    "upgrade",
    "expect",
    "trailer",
    "sec-websocket-key1",
}


class WholeRequest(msgspec.Struct, frozen=True, gc=False):
    """A request for ``/webhooks/{source}``, by HTTP/1.1 on a connection that stays open.

    ``headers`` are as they came, name by name; bytes that are no UTF-8 as lone surrogates. ``by_name`` has the last of
    each by its name in lower case.
    """

    source: str
    headers: list[tuple[str, str]]
    by_name: dict[str, str]
    forwarded_for: list[str]
    body: bytes

    @property
    def host(self) -> str:
        """Whom the sender takes us for."""
        return self.by_name["host"]


def whole_request(data: bytes, most: int) -> WholeRequest | None:
    """What ``data`` is if that is one whole request with a body of ``most`` bytes at most; ``None`` for all else."""
    if not data.startswith(_BEGINNING):
        return None
    end = data.find(b"\r\n\r\n", 0, _HEAD) + 4
    if end < 4:
        return None
    head = _Head()
    parser = HttpRequestParser(head)
    try:
        parser.feed_data(data[:end])
    except (HttpParserError, HttpParserUpgrade):
        return None
    path = _PATH.fullmatch(head.target)
    length = len(data) - end
    if (
        path is None
        or not head.plain
        or not head.by_name.keys() >= _NEEDED
        or len(head.headers) > _LINES
        or head.length != length
        or length > most
        or parser.get_http_version() != "1.1"
    ):
        return None
    return WholeRequest(path[1].decode(), head.headers, head.by_name, head.forwarded_for, data[end:])


class _Head:
    """What the parser tells of a head."""

    __slots__ = ("by_name", "forwarded_for", "headers", "length", "plain", "target")

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[str, str]] = []
        self.by_name: dict[str, str] = {}
        self.forwarded_for: list[str] = []
        self.plain = True
        self.length = -1

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        text, lower = _name(name)
        content = value.strip(b" \t").decode("utf-8", "surrogateescape")
        if lower in _TELLING:
            self._tell(lower, content)
        self.headers.append((text, content))
        self.by_name[lower] = content

    def _tell(self, name: str, content: str) -> None:
        """It says how the request is to be read. This is before it is among the others."""
        if name in _ONCE:
            # A second one is for aiohttp to judge.
            self.plain &= name not in self.by_name
            if name == "content-length":
                self.length = int(content) if _LENGTH.fullmatch(content) else -1
        elif name == "x-forwarded-for":
            self.forwarded_for.append(content)
        else:
            self.plain &= name == "connection" and content.lower() == "keep-alive"


# A provider names the same ones each time; whoever makes some up only costs the time to look at them.
@lru_cache(maxsize=1024)
def _name(name: bytes) -> tuple[str, str]:
    text = name.decode("utf-8", "surrogateescape")
    return text, text.lower()
