"""A browser that does not read: it is told less, then cut off, and nobody else notices."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from daemon.config import Config, LiveConfig
from tests.web.browser import bearer
from tests.web.conftest import Connect
from tests.web.house import House
from tests.web.raw_client import RawClient
from tests.web.turns import until

PROVE = os.environ.get("PARLEY_PROVE") == "1"
OTHERS = 50
LONG_TEXT = "가" * 600
"""Speech that fills a client's buffers after some hundreds of times."""

Open = Callable[[], Awaitable[RawClient]]


@pytest.fixture
def config() -> Config:
    return Config(live=LiveConfig(queue_packets=200, queue_bytes=400_000))


@pytest.fixture
async def open_raw(house: House) -> AsyncIterator[Open]:
    """Opens raw clients that watch everything."""
    clients: list[RawClient] = []
    headers = bearer(await house.token("viewer", "raw"))

    async def open_one() -> RawClient:
        if not house.servers:
            await house.serve()
        client = await RawClient.connect(house.servers[-1], headers)
        client.watch()
        while not (await client.read()).startswith("43/live,1"):
            pass
        clients.append(client)
        return client

    yield open_one
    for client in clients:
        await client.close()


async def say_until(house: House, true: Callable[[], bool]) -> int:
    """Say finals, with turns of the loop between them, until that holds. Returns how many."""
    said = 0
    async with asyncio.timeout(60):
        while not true():
            said += 1
            house.say(f"{said} {LONG_TEXT}")
            await asyncio.sleep(0)
    return said


async def test_one_who_does_not_read_is_cut_off_and_forgotten(house: House, open_raw: Open) -> None:
    house.ring()
    stuck = await open_raw()
    live = house.sources.live
    (connection,) = live._server.connections()
    outbox = weakref.ref(connection.outbox)
    remembered = weakref.ref(connection)
    del connection
    said = await say_until(house, lambda: live.counts.cut_off == 1)
    assert said > 200
    await until(lambda: live.clients == 0)
    await stuck.read_to_the_end()
    gc.collect()
    assert outbox() is None
    assert remembered() is None
    assert live._server.environ == {}
    assert live._clients == {}
    assert live._audiences.views() == []


async def test_others_hear_everything_while_one_is_stuck(house: House, open_raw: Open, connect: Connect) -> None:
    house.ring()
    await open_raw()
    others = [await connect() for _ in range(OTHERS)]
    for other in others:
        await other.watch("*")
    said = await say_until(house, lambda: house.sources.live.counts.cut_off == 1)
    for other in others:
        await other.until(lambda other=other: len(other.texts()) == said)  # type: ignore[misc]
        assert [text.split()[0] for text in other.texts()] == [str(number) for number in range(1, said + 1)]
        assert not other.gone


async def test_interims_give_way_before_anybody_is_cut_off(house: House, open_raw: Open) -> None:
    house.ring()
    slow = await open_raw()
    counts = house.sources.live.counts
    said = await say_until(house, lambda: house.sources.live._server.connections()[0].outbox.backed_up)
    for number in range(5_000):
        house.say(f"interim {number} {LONG_TEXT}", final=False)
        await asyncio.sleep(0)
    house.say("the final")
    assert counts.cut_off == 0
    assert counts.interims_dropped > 4_000
    heard: list[Any] = []
    while not heard or heard[-1]["text"] != "the final":
        heard += await slow.read_events("utterance", 1)
    finals = [one for one in heard if one["final"]]
    assert [one["seq"] for one in finals] == list(range(1, said + 2))
    interims = [one for one in heard if not one["final"]]
    # Those that were waiting when the final came are of no use to anybody.
    assert len(interims) < 100


async def test_the_newest_interim_is_the_one_that_waits(house: House, open_raw: Open) -> None:
    house.ring()
    slow = await open_raw()
    await say_until(house, lambda: len(house.sources.live._server.connections()[0].outbox) > 0)
    for number in range(1_000):
        house.say(f"interim {number}", final=False)
        await asyncio.sleep(0)
    heard: list[Any] = []
    while not heard or heard[-1]["final"]:
        heard += await slow.read_events("utterance", 1)
    assert heard[-1]["text"] == "interim 999"


async def test_one_who_reads_slowly_hears_everything_in_order(house: House, open_raw: Open) -> None:
    house.ring()
    slow = await open_raw()
    total = 20_000 if PROVE else 1_500
    connection = house.sources.live._server.connections()[0]
    heard: list[Any] = []
    for number in range(total):
        house.say(f"{number} {LONG_TEXT}")
        await asyncio.sleep(0)
        # Behind, but never by more than its bounds.
        while len(connection.outbox) > 100:
            heard += await slow.read_events("utterance", 1)
    while len(heard) < total:
        heard += await slow.read_events("utterance", 1)
    assert [one["seq"] for one in heard] == list(range(1, total + 1))


async def test_pings_and_answers_keep_their_place_among_what_waits(house: House, open_raw: Open) -> None:
    house.ring()
    slow = await open_raw()
    said = await say_until(house, lambda: len(house.sources.live._server.connections()[0].outbox) > 20)
    slow.send('42/live,7["unwatch",{"call_id":"*"}]')
    await until(lambda: all(not client.watched for client in house.sources.live._clients.values()))
    house.say("unheard")
    texts: list[str] = []
    while not texts or not texts[-1].startswith("43/live,7"):
        texts.append(await slow.read())
    heard = [json.loads(text[8:])[1]["seq"] for text in texts if text.startswith('42/live,["utterance"')]
    assert heard == list(range(1, said + 1))


async def test_a_long_past_is_caught_up_without_being_cut_off(house: House, connect: Connect) -> None:
    house.ring()
    for number in range(2_000):
        house.say(f"{number} {LONG_TEXT}")
    browser = await connect()
    watching = asyncio.ensure_future(browser.watch("*"))
    await asyncio.sleep(0)
    house.say("now")
    await watching
    await browser.until(lambda: len(browser.texts()) == 2_001)
    assert browser.texts()[-1] == "now"
    assert [text.split()[0] for text in browser.texts()[:-1]] == [str(number) for number in range(2_000)]


async def test_one_who_asks_without_reading_costs_the_others_nothing(
    house: House, open_raw: Open, connect: Connect
) -> None:
    for number in range(50):
        house.ring(f"leg-{number}")
        for _ in range(4):
            house.say(LONG_TEXT, f"leg-{number}")
    stuck = await open_raw()
    other = await connect()
    live = house.sources.live
    [asking] = [client for client in live._clients.values() if client.watched]
    for _ in range(900):
        stuck.watch()
    await until(lambda: asking._waiting > 100)
    # One past is under way and no other is made before the client has taken it.
    assert sum(not isinstance(item, bytes) for item in asking.outbox._waiting.values()) <= 1
    assert (await other.watch("*"))["ok"]
    house.say("들립니다", "leg-0")
    await other.until(lambda: "들립니다" in other.texts())
    assert sum(not isinstance(item, bytes) for item in asking.outbox._waiting.values()) <= 1
    await stuck.close()
    await until(lambda: live.clients == 1)
    await until(lambda: asking._waiting == 0)
