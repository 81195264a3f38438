"""The demo's destination: whom it takes webhooks from, and that its trouble ends."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio

from daemon.demo.receiver import UnsteadyReceiver
from protocols.webhooks.standard import sign

SECRET = "whsec_ZXhhbXBsZSBzZWNyZXQgb2YgYSBkZW1v"


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[UnsteadyReceiver]:
    made = UnsteadyReceiver(SECRET, speed=200.0, choice=random.Random(7))
    await made.start()
    yield made
    await made.stop()


async def _post(http: aiohttp.ClientSession, receiver: UnsteadyReceiver, webhook_id: str, secret: str = SECRET) -> int:
    body = b'{"event":"call_started"}'
    headers = sign(secret, webhook_id, int(time.time()), body)
    async with http.post(receiver.url, data=body, headers=headers) as response:
        return response.status


async def test_one_of_the_first_is_refused_until_its_trouble_is_over(receiver: UnsteadyReceiver) -> None:
    async with aiohttp.ClientSession() as http:
        assert [await _post(http, receiver, name) for name in ("one", "two", "three", "four")] == [200, 200, 503, 200]
        async with asyncio.timeout(30):
            while await _post(http, receiver, "three") != 200:  # noqa: ASYNC110 - it tells nobody when it is well again
                await asyncio.sleep(0.01)
        assert receiver.taken == ["one", "two", "four", "three"]


async def test_what_is_not_signed_with_its_secret_is_not_taken(receiver: UnsteadyReceiver) -> None:
    async with aiohttp.ClientSession() as http:
        assert await _post(http, receiver, "one", "whsec_YW5vdGhlciBzZWNyZXQgb2YgYSBkZW1v") == 401
        async with http.post(receiver.url, data=b"{}") as response:
            assert response.status == 401
    assert receiver.taken == []
