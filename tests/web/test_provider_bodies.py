"""Bodies of deliveries, however they come: whole, in pieces, without a length, and too long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from zlib import compress

import aiohttp
import pytest

from daemon.config import Config, InboxConfig, SourceConfig
from daemon.stores.database import Database
from protocols.webhooks import github
from tests.web.house import House

SECRET = "example-secret"
MOST = 100_000
SMALL = b'{"repository": {"full_name": "example/parts"}}'
LARGEST = SMALL + b" " * (MOST - len(SMALL))


@pytest.fixture
async def house(store_url: str, static: Path) -> AsyncIterator[House]:
    config = Config(inbox=InboxConfig(max_body=MOST, source=[SourceConfig(name="github", kind="github")]))
    database = Database.of(store_url)
    made = House(database, config, static, {"PARLEY_SOURCE_GITHUB_SECRET": SECRET})
    async with made.inbox_at_work():
        yield made
    await made.close()
    await database.close()


@pytest.fixture
async def http(house: House) -> AsyncIterator[aiohttp.ClientSession]:
    server = await house.serve()
    async with aiohttp.ClientSession(server.make_url("/")) as session:
        yield session


async def in_pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def stored(house: House, answer: aiohttp.ClientResponse) -> bytes:
    assert answer.status == 202, await answer.text()
    whole = await house.inbox.get((await answer.json())["delivery_id"])
    assert whole is not None
    return whole.body


@pytest.mark.parametrize("body", [b"", SMALL, LARGEST])
@pytest.mark.parametrize("size", [0, 10_000])
async def test_it_is_stored_as_it_was_sent(house: House, http: aiohttp.ClientSession, body: bytes, size: int) -> None:
    data = in_pieces(body, size) if size else body
    async with http.post("/webhooks/github", data=data, headers=github.sign(SECRET, body)) as answer:
        assert await stored(house, answer) == body


async def test_a_compressed_one_is_the_text_that_was_signed(house: House, http: aiohttp.ClientSession) -> None:
    headers = github.sign(SECRET, SMALL) | {"Content-Encoding": "deflate"}
    async with http.post("/webhooks/github", data=compress(SMALL), headers=headers) as answer:
        assert await stored(house, answer) == SMALL


@pytest.mark.parametrize("size", [0, 10_000])
async def test_one_that_is_too_long_is_refused(http: aiohttp.ClientSession, size: int) -> None:
    body = LARGEST + b" "
    data = in_pieces(body, size) if size else body
    async with http.post("/webhooks/github", data=data, headers=github.sign(SECRET, body)) as answer:
        assert answer.status == 413


async def test_one_that_grows_too_long_when_it_is_unpacked_is_refused(http: aiohttp.ClientSession) -> None:
    body = LARGEST + b" "
    headers = github.sign(SECRET, body) | {"Content-Encoding": "deflate"}
    async with http.post("/webhooks/github", data=compress(body), headers=headers) as answer:
        assert answer.status == 413
