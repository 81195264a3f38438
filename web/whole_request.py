"""A webhook's request read at once, where all of it is there and nothing about it is unusual.

What is unusual is left to aiohttp, which reads it from its first byte. This says yes to few things, so that what it
says yes to is read the same there (RFC 9112; both stand on llhttp).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
_TURNING: Final = frozenset(
    {
        "connection",
        "proxy-connection",
        "transfer-encoding",
        "content-encoding",
        "upgrade",
        "expect",
        "trailer",
        "sec-websocket-key1",
    }
)
"""What may say that the request is to be read, or answered, in another way."""
_FORWARDED_FOR: Final = "x-forwarded-for"
_TELLING: Final = _TURNING | {_FORWARDED_FOR}


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
    if path is None or len(head.lines) > _LINES or parser.get_http_version() != "1.1":
        return None
    headers = [
        (name.decode("utf-8", "surrogateescape"), value.strip(b" \t").decode("utf-8", "surrogateescape"))
        for name, value in head.lines
    ]
    by_name = {name.lower(): value for name, value in headers}
    if not by_name.keys() >= _NEEDED:
        return None
    forwarded_for: list[str] = []
    if len(by_name) < len(headers) or not _TELLING.isdisjoint(by_name):
        lines = [(name.lower(), value) for name, value in headers]
        if not _is_plain(lines):
            return None
        forwarded_for = [value for name, value in lines if name == _FORWARDED_FOR]
    length = by_name["content-length"]
    if not _LENGTH.fullmatch(length) or int(length) != len(data) - end or int(length) > most:
        return None
    return WholeRequest(path[1].decode(), headers, by_name, forwarded_for, data[end:])


def _is_plain(lines: Sequence[tuple[str, str]]) -> bool:
    """Whether a request with these headers, by their names in lower case, is read as any other."""
    names = [name for name, _ in lines]
    if any(names.count(name) > 1 for name in _ONCE):
        # Which of the two is meant is for aiohttp to judge.
        return False
    turning = [(name, value.lower()) for name, value in lines if name in _TURNING]
    return all(line == ("connection", "keep-alive") for line in turning)


class _Head:
    """What the parser tells of a head."""

    __slots__ = ("lines", "target")

    def __init__(self) -> None:
        self.target = b""
        self.lines: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.lines.append((name, value))
