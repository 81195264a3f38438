"""What is read at once is read as aiohttp reads it; everything else is left to aiohttp."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import hdrs
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser
from aiohttp.http_exceptions import HttpProcessingError
from hypothesis import given
from hypothesis import strategies as st
from multidict import istr

from web.whole_request import WholeRequest, whole_request

MOST = 1_000
HEAD = b"POST /webhooks/github HTTP/1.1\r\nHost: example.com\r\nContent-Length: 2\r\n"
WHOLE = HEAD + b"\r\n{}"


def changed(old: bytes, new: bytes) -> bytes:
    assert old in WHOLE
    return WHOLE.replace(old, new, 1)


def test_a_whole_request() -> None:
    more = b"X-Event: push \r\nX-Name: \xea\xb0\x80\xff\r\nx-forwarded-for: 192.0.2.1\r\nConnection: keep-alive\r\n"
    found = whole_request(HEAD + more + b"\r\n{}", MOST)
    assert found == WholeRequest(
        source="github",
        headers=[
            ("Host", "example.com"),
            ("Content-Length", "2"),
            ("X-Event", "push"),
            ("X-Name", "가\udcff"),
            ("x-forwarded-for", "192.0.2.1"),
            ("Connection", "keep-alive"),
        ],
        by_name={
            "host": "example.com",
            "content-length": "2",
            "x-event": "push",
            "x-name": "가\udcff",
            "x-forwarded-for": "192.0.2.1",
            "connection": "keep-alive",
        },
        forwarded_for=["192.0.2.1"],
        body=b"{}",
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        WHOLE[:-1],
        WHOLE + b"P",
        WHOLE + WHOLE,
        WHOLE[:40],
        changed(b"POST", b"PUT"),
        changed(b"/webhooks/github", b"/webhooks/github?token=x"),
        changed(b"/webhooks/github", b"/webhooks/git%68ub"),
        changed(b"/webhooks/github", b"/webhooks/github/"),
        changed(b"/webhooks/github", b"/webhooks/"),
        changed(b"HTTP/1.1", b"HTTP/1.0"),
        changed(b"Host: example.com\r\n", b""),
        changed(b"Host: example.com\r\n", b"Host: example.com\r\nHost: example.org\r\n"),
        changed(b"Length: 2", b"Length: 2\r\nContent-Length: 2"),
        changed(b"Length: 2", b"Length: +2"),
        changed(b"Length: 2", b"Length: 2, 2"),
        changed(b"Length: 2", "Length: ²".encode()),
        changed(b"Content-Length: 2\r\n", b""),
        changed(b"Content-Length: 2", b"Transfer-Encoding: chunked"),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n{}",
        HEAD + b"Content-Type: text/plain\r\nContent-type: application/json\r\n\r\n{}",
        HEAD + b"User-Agent: x\r\nUser-Agent: x\r\n\r\n{}",
        HEAD + b"Proxy-Connection: close\r\n\r\n{}",
        HEAD + b"Sec-WebSocket-Key1: x\r\n\r\n{}",
        HEAD + b"X: y\r\n" * 99 + b"\r\n{}",
        HEAD + b"Content-Encoding: gzip\r\n\r\n{}",
        HEAD + b"Connection: close\r\n\r\n{}",
        HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n{}",
        HEAD + b"Expect: 100-continue\r\n\r\n{}",
        HEAD + b"X-Long: " + b"x" * 8_000 + b"\r\n\r\n{}",
        HEAD + b" folded\r\n\r\n{}",
        HEAD + b"X Y: z\r\n\r\n{}",
        HEAD + b"X-Nul: \0\r\n\r\n{}",
        changed(b"Length: 2\r\n\r\n{}", b"Length: 1001\r\n\r\n" + b"x" * 1_001),
    ],
)
def test_what_is_left_to_aiohttp(data: bytes) -> None:
    assert whole_request(data, MOST) is None


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("name", [name for name in vars(hdrs).values() if isinstance(name, istr)])
def test_no_header_is_taken_that_aiohttp_does_not_take(name: str, times: int) -> None:
    head = HEAD + f"{name}: 2\r\n".encode() * times + b"\r\n"
    if whole_request(head + b"{}", MOST) is not None:
        assert by_aiohttp(head) is not None


names = st.sampled_from(
    ["Host", "Content-Length", "X-Event", "X-Forwarded-For", "Connection", "Transfer-Encoding", "Expect", "X-É", "A B"]
)
values = st.sampled_from(
    ["2", "02", "3", "example.com", "keep-alive", "Keep-Alive", "close", "chunked", "", " x ", "가"]
)
breaks = st.sampled_from(["\r\n"] * 8 + ["\n", "\r", "\r\n "])
lines = st.lists(st.tuples(names, values, breaks), max_size=5)


def by_aiohttp(head: bytes) -> tuple[str, list[tuple[bytes, bytes]]] | None:
    """What aiohttp reads, if anything."""
    loop = asyncio.new_event_loop()
    try:
        parser = HttpRequestParser(BaseProtocol(loop), loop, 2**16)
        messages, upgraded, tail = parser.feed_data(head)
    except HttpProcessingError:
        return None
    finally:
        loop.close()
    assert (len(messages), upgraded, tail) == (1, False, b"")
    [(message, _)] = messages
    assert not message.should_close
    assert not message.chunked
    assert message.compression is None
    return message.path, list(message.raw_headers)


@given(
    st.sampled_from(
        ["/webhooks/github", "/webhooks/a_b-C9", "/webhooks/", "/webhooks/a?b", "/webhooks/a#b", "/webhooks/é"]
    ),
    st.sampled_from(["HTTP/1.1"] * 6 + ["HTTP/1.0", "HTTP/2.0", "http/1.1"]),
    lines,
    st.permutations([("Host", "example.com", "\r\n"), ("Content-Length", "2", "\r\n")]),
)
def test_what_is_read_is_read_alike(
    path: str, version: str, more: list[tuple[str, str, str]], needed: list[tuple[str, str, str]]
) -> None:
    head = f"POST {path} {version}\r\n" + "".join(f"{name}: {value}{end}" for name, value, end in [*needed, *more])
    data = f"{head}\r\n".encode()
    found = whole_request(data + b"{}", MOST)
    if found is None:
        return
    read = by_aiohttp(data)
    assert read is not None
    assert read[0] == f"/webhooks/{found.source}"
    assert [
        (name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")) for name, value in read[1]
    ] == found.headers
