"""The load of the inbox's benchmark, against a server that looks at every delivery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from protocols.webhooks.github import GithubVerifier
from tests.bench.provider import Delivered, DeliveriesFailedError, deliver
from tests.bench.push import SECRET

Answer = Callable[[int], int]
"""The status for a delivery, by its number."""


class Receiver:
    """Verifies what it gets. ``ids`` are those of the deliveries, in order."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._verifier = GithubVerifier([SECRET])
        self.ids: list[str] = []

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self._verifier.verify(headers, await request.read(), now=0.0)
        self.ids.append(headers["x-github-delivery"])
        return web.Response(status=self._answer(len(self.ids)), text=self.ids[-1])


@asynccontextmanager
async def served(receiver: Receiver) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_post("/webhooks/github", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def load(port: int, number: int) -> Delivered:
    return await asyncio.to_thread(deliver, port, "/webhooks/github", 1, number)


async def test_every_delivery_is_signed_and_its_own_and_every_answer_is_known() -> None:
    receiver = Receiver(lambda number: 202)
    async with served(receiver) as port:
        first, second = await load(port, 1), await load(port, 2)

    answered = {answer.decode() for answer in first.answers + second.answers}
    assert len(answered) == len(first.answers) + len(second.answers) > 0
    assert answered <= set(receiver.ids)
    assert len(set(receiver.ids)) == len(receiver.ids)
    assert first.per_s > 0
    assert first.p99_ms > 0


@pytest.mark.parametrize("status", [200, 401, 503])
async def test_one_other_answer_fails_the_load(status: int) -> None:
    async with served(Receiver(lambda number: status if number == 50 else 202)) as port:
        with pytest.raises(DeliveriesFailedError):
            await load(port, 1)
