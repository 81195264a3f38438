"""Requests that are none, and bodies that nobody wants: what is said of them, and how much is read."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from daemon.config import Config, InboxConfig, SourceConfig
from daemon.stores.database import Database
from protocols.webhooks import github
from tests.web.house import House
from tests.web.listening import Listening, listening

SECRET = "It's a Secret to Everybody"
TOKEN = "example-token-in-an-address"
SAID = "내 카드 번호는"
MOST = 100_000
LARGE = 50_000_000
PIECE = b"x" * 65_536
CHUNK = b"10000\r\n%b\r\n" % PIECE
SOURCES = [
    SourceConfig(name="github", kind="github"),
    SourceConfig(name="voxai", kind="voxai", check="url-token"),
]


@pytest.fixture
async def served(store_url: str, static: Path) -> AsyncIterator[Listening]:
    config = Config(inbox=InboxConfig(source=SOURCES, max_body=MOST))
    secrets = {"PARLEY_SOURCE_GITHUB_SECRET": SECRET, "PARLEY_SOURCE_VOXAI_SECRET": TOKEN}
    database = Database.of(store_url)
    house = House(database, config, static, secrets)
    async with house.inbox_at_work(), listening(house) as made:
        yield made
    await house.close()
    await database.close()


async def answers(served: Listening, sent: bytes) -> list[bytes]:
    """All that is answered until the connection is closed, part by part."""
    reader, writer = await asyncio.open_connection(served.host, served.port)
    writer.write(sent)
    async with asyncio.timeout(30):
        answered = await reader.read()
    writer.close()
    return answered.split(b"\r\n\r\n")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(f"GET /api/v1/tools/call_history?token={TOKEN}&number={SAID} HTTP/1.1", id="raw UTF-8"),
        pytest.param(f"POST /api/v1/call_events?token={TOKEN}&x=a b HTTP/1.1", id="a blank"),
        pytest.param(f"POST /api/v1/call_events?token={TOKEN}&x={'a' * 9_000} HTTP/1.1", id="a long address"),
        pytest.param(
            f"POST /webhooks/github HTTP/1.1\r\nAuthorization: Bearer {TOKEN}{'a' * 9_000}", id="a long header"
        ),
        pytest.param(f"POST /webhooks/github HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\0", id="a NUL"),
        pytest.param(f"\x01{TOKEN}{SAID}" * 1_000, id="no HTTP"),
        pytest.param(
            "POST /webhooks/github HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}" + f'{{"said": "{SAID} {TOKEN}"}}',
            id="more than was said",
        ),
        pytest.param(
            f"POST /webhooks/github HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{SAID} {TOKEN}\r\n", id="no chunk"
        ),
    ],
)
async def test_what_cannot_be_read_is_repeated_nowhere(
    served: Listening, sent: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    first, *rest = await answers(served, f"{sent}\r\nHost: x\r\n\r\n".encode())
    said = [first, *rest]
    assert b"400 Bad Request" in b"".join(said)
    assert msgspec.json.decode(said[-1])["status"] == 400
    logged = caplog.text + "".join(capsys.readouterr())
    assert "request_unreadable" in logged or b"cannot be read" in said[-1]
    for secret in (TOKEN, SAID):
        assert secret not in logged
        assert secret.encode() not in b"".join(said)


async def written(served: Listening, head: bytes, piece: bytes) -> tuple[bytes, int]:
    """The first line that is answered, and how many bytes of the body could be sent before the connection ended."""
    reader, writer = await asyncio.open_connection(served.host, served.port)
    writer.write(head + b"\r\nHost: x\r\n\r\n")
    sent = 0
    first = asyncio.ensure_future(reader.readline())
    async with asyncio.timeout(30):
        with contextlib.suppress(ConnectionError):
            while sent < LARGE:
                writer.write(piece)
                await writer.drain()
                sent += len(piece)
        answered = await first
    writer.close()
    return answered, sent


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (b"POST /webhooks/github", b"413"),
        (b"POST /webhooks/nobody", b"404"),
        (b"PUT /webhooks/github", b"405"),
        (b"POST /api/v1/tools/call_history", b"413"),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_was_refused_is_not_read_to_its_end(
    served: Listening, asked: bytes, status: bytes, chunked: bool
) -> None:
    length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % LARGE
    answered, sent = await written(served, asked + b" HTTP/1.1\r\n" + length, CHUNK if chunked else PIECE)
    assert status in answered
    # A little is read, and as much again stands in the buffers of both sides.
    assert sent < LARGE / 2


@pytest.mark.parametrize("size", [MOST + 1, 1_500_000, 5_000_000])
async def test_who_sends_all_of_it_before_he_reads_is_answered(served: Listening, size: int) -> None:
    def post() -> tuple[int, bytes]:
        with socket.create_connection((served.host, served.port), timeout=30) as connection:
            connection.sendall(b"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
            connection.sendall(b"x" * size)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            answer.read()
            # Nothing more comes: the connection is closed, as it says.
            return answer.status, connection.recv(1)

    assert [await asyncio.to_thread(post) for _ in range(5)] == [(413, b"")] * 5


async def test_a_connection_is_kept_where_little_was_not_read(served: Listening) -> None:
    small = b"POST /webhooks/nobody HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
    body = b"{}"
    head = "".join(f"{name}: {value}\r\n" for name, value in github.sign(SECRET, body).items())
    good = f"POST /webhooks/github HTTP/1.1\r\nHost: x\r\n{head}Connection: close\r\nContent-Length: 2\r\n\r\n".encode()
    first, *_, last = await answers(served, small + good + body)
    assert b" 404 " in first
    assert msgspec.json.decode(last)["message"] == "accepted"
