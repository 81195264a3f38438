"""Connections of providers, byte by byte: what is answered at once, what aiohttp takes over, and how they end."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from daemon.config import Config, InboxConfig, SourceConfig
from daemon.inbox.counts import Counted
from daemon.stores.database import Database
from daemon.stores.deliveries import DeliveryFilter
from protocols.webhooks import github
from tests.services.databases import PostgresDatabases
from tests.web.house import House
from tests.web.listening import Listening, listening
from tests.web.turns import until

SECRET = "It's a Secret to Everybody"
MOST = 100_000


class Answer(msgspec.Struct):
    status: int
    headers: dict[str, str]
    body: dict[str, Any]


class Provider:
    """A connection of one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> Answer:
        async with asyncio.timeout(30):
            head = await self.reader.readuntil(b"\r\n\r\n")
            line, _, rest = head.partition(b"\r\n")
            headers = {name: str(value) for name, value in BytesHeaderParser().parsebytes(rest).items()}
            body = await self.reader.readexactly(int(headers["Content-Length"]))
        return Answer(int(line.split()[1]), headers, msgspec.json.decode(body))

    async def asked(self, data: bytes) -> Answer:
        self.send(data)
        return await self.answer()

    async def ended(self) -> bool:
        async with asyncio.timeout(30):
            return await self.reader.read(1) == b""


Connect = Callable[[int], Awaitable[Provider]]


def push(number: int, body: bytes = b"{}", secret: str = SECRET, more: str = "") -> bytes:
    [(name, value)] = github.sign(secret, body).items()
    head = (
        "POST /webhooks/github HTTP/1.1\r\nHost: example.com\r\n"
        f"Content-Length: {len(body)}\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: d-{number}\r\n"
        f"{name}: {value}\r\n{more}\r\n"
    )
    return head.encode() + body


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[House]:
    sources = [
        SourceConfig(name="github", kind="github"),
        SourceConfig(name="slow", kind="generic", check="bearer", per_second=0.1),
    ]
    config = Config(inbox=InboxConfig(source=sources, max_body=MOST))
    made = House(
        database, config, tmp_path, {"PARLEY_SOURCE_GITHUB_SECRET": SECRET, "PARLEY_SOURCE_SLOW_SECRET": "slow"}
    )
    made.now = time.time()
    await made.store_clock.known(database)
    yield made
    await made.close()


@pytest.fixture
async def served(house: House) -> AsyncIterator[Listening]:
    async with listening(house) as made:
        yield made


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    opened: list[asyncio.StreamWriter] = []

    async def open_one(port: int) -> Provider:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        opened.append(writer)
        return Provider(reader, writer)

    yield open_one
    for writer in opened:
        writer.transport.abort()


def small(raw: socket.socket) -> socket.socket:
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    return raw


async def test_one_delivery_after_another_is_taken_in_at_once(
    house: House, served: Listening, connect: Connect
) -> None:
    provider = await connect(served.port)
    async with house.inbox_at_work():
        for number in range(3):
            answer = await provider.asked(push(number))
            assert (answer.status, answer.body["message"]) == (202, "accepted")
        assert (await provider.asked(push(2))).status == 200
    assert len(served.connections) == 1
    page = await house.inbox.page(DeliveryFilter(), before=None, limit=10)
    assert [row.other_id for row in page.rows] == ["d-2", "d-1", "d-0"]


SLOW = b"POST /webhooks/slow HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 0\r\nAuthorization: Bearer slow\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        push(1),
        push(1, more="Host-Not: x\r\n"),
        push(1, secret="another"),
        push(1).replace(b"Host: example.com", b"Host: a b"),
        SLOW,
        SLOW.replace(b"Bearer slow", b"Bearer x"),
        SLOW.replace(b"slow HTTP", b"nobody HTTP"),
    ],
)
async def test_nobody_can_tell_who_answered(house: House, served: Listening, connect: Connect, data: bytes) -> None:
    """Twice in a row: what is new, then what is double or too fast. Only the date may differ, and the ids."""
    routes = await house.serve()
    answers: list[list[Answer]] = []
    async with house.inbox_at_work():
        for port, number in ((served.port, b"d-8"), (routes.port, b"d-9")):
            assert port is not None
            house.now += 20.0
            provider = await connect(port)
            answers.append([await provider.asked(data.replace(b"d-1", number)) for _ in range(2)])
    for fast, slow in zip(*answers, strict=True):
        assert fast.status == slow.status
        for answer in (fast, slow):
            assert "GMT" in answer.headers.pop("Date")
            answer.body.pop("delivery_id", None)
        assert list(fast.body.items()) == list(slow.body.items())
        content_type = slow.headers["Content-Type"].partition(";")[0]
        assert fast.headers == slow.headers | {"Content-Type": content_type}
    rows = (await house.inbox.page(DeliveryFilter(), before=None, limit=10)).rows
    wholes = [whole for row in rows if (whole := await house.inbox.get(row.delivery_id)) is not None]
    texts = {
        repr((whole.headers, whole.body, whole.address, whole.row.event)).replace("d-9", "d-8") for whole in wholes
    }
    assert len(wholes) == (2 if answers[0][0].status == 202 else 0)
    assert len(texts) <= 1 or b"slow" in data
    for text in ('handler="/webhooks/{source}",method="POST",status="2xx"',):
        assert (text in house.sources.metrics.text().decode()) == bool(wholes)


async def test_everything_else_is_aiohttps(house: House, served: Listening, connect: Connect) -> None:
    async with house.inbox_at_work():
        provider = await connect(served.port)
        assert (await provider.asked(push(1))).status == 202
        health = await provider.asked(b"GET /health HTTP/1.1\r\nHost: example.com\r\n\r\n")
        assert "status" in health.body
        assert len(served.connections) == 0
        assert (await provider.asked(push(2))).status == 202, "the connection is aiohttp's, which takes it too"


async def test_before_the_stores_clock_was_read_it_is_asked_for(
    house: House, postgres_databases: PostgresDatabases, connect: Connect
) -> None:
    """Else what comes then would be due when the clock of this host says, which may be hours from now."""
    house.database = Database.of(await asyncio.to_thread(postgres_databases.make))
    house.restart("epoch-2")
    house.now += 7_200.0
    async with listening(house) as served:
        provider = await connect(served.port)
        provider.send(push(1))
        await until(lambda: house.inbox.acceptor.waiting == 1)
        assert served.connections.handed_over == 1
        async with house.inbox_at_work():
            delivery_id = (await provider.answer()).body["delivery_id"]
            whole = await house.inbox.get(delivery_id)
            assert whole is not None
            assert whole.row.due_at < time.time() + 3_600.0
    await house.database.close()


@pytest.mark.parametrize("cut", [1, 10, 60, len(push(1)) - 1])
async def test_a_request_in_two_pieces(house: House, served: Listening, connect: Connect, cut: int) -> None:
    data = push(1)
    async with house.inbox_at_work():
        provider = await connect(served.port)
        provider.send(data[:cut])
        await until(lambda: served.connections.handed_over == 1)
        assert (await provider.asked(data[cut:])).status == 202


async def test_what_comes_ahead_is_answered_in_order(house: House, served: Listening, connect: Connect) -> None:
    """Each in a piece of its own, before the one before it is answered; then two in one piece."""
    provider = await connect(served.port)
    provider.send(push(0))
    await until(lambda: house.inbox.acceptor.waiting == 1)
    provider.send(push(1))
    provider.send(push(2))
    async with house.inbox_at_work():
        ids = [(await provider.answer()).body["delivery_id"] for _ in range(3)]
    wholes = [await house.inbox.get(delivery_id) for delivery_id in ids]
    assert [whole and whole.row.other_id for whole in wholes] == ["d-0", "d-1", "d-2"]


@asynccontextmanager
async def deaf(house: House, served: Listening) -> AsyncIterator[tuple[Provider, int]]:
    """One that does not read its answers, until it is not read any more; and how many deliveries it sent."""
    loop = asyncio.get_running_loop()
    nobody = web.Server(lambda _: pytest.fail("handed over"))
    # Of small buffers, which both ends of each connection inherit, so that what is not read backs up soon.
    listener = small(socket.socket())
    listener.bind(("127.0.0.1", 0))
    accepted = house.inbox.counts.by_source()["github"]
    async with await loop.create_server(served.connections.begin_on(nobody), sock=listener):
        raw = small(socket.socket())
        raw.setblocking(False)
        await loop.sock_connect(raw, listener.getsockname())
        reader, writer = await asyncio.open_connection(sock=raw, limit=4_096)
        provider = Provider(reader, writer)
        async with house.inbox_at_work():
            sent = 0
            while accepted.accepted == sent:
                assert sent < 1_000
                provider.send(push(sent))
                sent += 1
                # One at a time, and none that is read takes so long.
                await until(taken_or_late(accepted, sent, loop.time() + 1.0))
            assert accepted.accepted == sent - 1 > 50
            yield provider, sent
        writer.transport.abort()


async def test_who_does_not_read_its_answers_is_not_read(house: House, served: Listening) -> None:
    async with deaf(house, served) as (provider, sent):
        for _ in range(sent):
            assert (await provider.answer()).status == 202
        assert house.inbox.counts.by_source()["github"].accepted == sent


async def test_who_never_reads_its_answers_is_closed(house: House, served: Listening) -> None:
    async with deaf(house, served):
        assert len(served.connections) == 1
        served.connections.close_idle(asyncio.get_running_loop().time() + 4_000.0)
        await until(lambda: len(served.connections) == 0)


def taken_or_late(accepted: Counted, count: int, end: float) -> Callable[[], bool]:
    loop = asyncio.get_running_loop()
    return lambda: accepted.accepted == count or loop.time() > end


async def test_closing_waits_for_the_answer(house: House, served: Listening, connect: Connect) -> None:
    waiting, idle = await connect(served.port), await connect(served.port)
    waiting.send(push(1))
    await until(lambda: house.inbox.acceptor.waiting == 1 and len(served.connections) == 2)
    closing = asyncio.create_task(served.listeners.close())
    assert await idle.ended()
    assert not closing.done()
    async with house.inbox_at_work():
        assert (await waiting.answer()).status == 202
    assert await waiting.ended()
    await closing


async def test_what_is_aiohttps_is_closed_meanwhile(house: House, served: Listening, connect: Connect) -> None:
    waiting, others = await connect(served.port), await connect(served.port)
    waiting.send(push(1))
    assert "status" in (await others.asked(b"GET /health HTTP/1.1\r\nHost: example.com\r\n\r\n")).body
    await until(lambda: house.inbox.acceptor.waiting == 1)
    closing = asyncio.create_task(served.listeners.close())
    assert await others.ended()
    assert not closing.done()
    async with house.inbox_at_work():
        assert (await waiting.answer()).status == 202
    await closing


async def test_what_begins_after_the_closing_ends_at_once(served: Listening, connect: Connect) -> None:
    await served.connections.close(0.0)
    assert await (await connect(served.port)).ended()


async def test_closing_does_not_wait_for_ever(house: House, served: Listening, connect: Connect) -> None:
    provider = await connect(served.port)
    provider.send(push(1))
    await until(lambda: house.inbox.acceptor.waiting == 1)
    await served.connections.close(0.0)
    assert await provider.ended()


async def test_who_says_nothing_is_closed(house: House, served: Listening, connect: Connect) -> None:
    silent, heard = await connect(served.port), await connect(served.port)
    async with house.inbox_at_work():
        assert (await heard.asked(push(1))).status == 202
        now = asyncio.get_running_loop().time()
        served.connections.close_idle(now + 59.0)
        assert len(served.connections) == 2
        served.connections.close_idle(now + 61.0)
        assert await silent.ended()
        assert (await heard.asked(push(2))).status == 202
        served.connections.close_idle(now + 4_000.0)
        assert await heard.ended()


async def test_who_goes_away_before_the_answer_is_stored_all_the_same(
    house: House, served: Listening, connect: Connect
) -> None:
    provider = await connect(served.port)
    provider.send(push(1))
    await until(lambda: house.inbox.acceptor.waiting == 1)
    provider.writer.transport.abort()
    await until(lambda: len(served.connections) == 0)
    async with house.inbox_at_work():
        await until(lambda: house.inbox.counts.by_source()["github"].accepted == 1)
