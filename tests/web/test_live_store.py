"""Watching a call that left memory, while the store takes its time or is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from daemon.calls.call import Call
from tests.web.conftest import Connect
from tests.web.house import House
from tests.web.turns import until


@asynccontextmanager
async def busy_store(house: House) -> AsyncIterator[None]:
    """Somebody else has every connection of the pool, so whoever reads must wait."""
    async with AsyncExitStack() as stack:
        for _ in range(house.config.database.pool_size):
            connection = await stack.enter_async_context(house.database.read())
            await connection.exec_driver_sql("SELECT 1")
        yield


async def forgotten(house: House, *texts: str) -> Call:
    """A call that ended, was stored and left memory."""
    call = house.ring()
    for text in texts:
        house.say(text)
    house.hang_up()
    await house.store(call, texts)
    house.now += 1_000
    house.registry.sweep()
    return call


def reading(house: House) -> int:
    """How many calls clients have asked for and not been told of."""
    return sum(len(client._asked) for client in house.sources.live._clients.values())


async def test_the_live_view_never_waits_for_the_store(house: House, connect: Connect) -> None:
    call = await forgotten(house, "하나", "둘")
    browser = await connect()
    await browser.watch("*")
    async with busy_store(house):
        watching = asyncio.ensure_future(browser.watch(call.call_id))
        await until(lambda: reading(house) == 1)
        house.ring("leg-b")
        house.say("지금", "leg-b")
        await browser.until_texts("지금")
        assert not watching.done()
    assert (await watching)["ok"]
    assert browser.texts() == ["지금", "하나", "둘"]


async def test_a_call_that_comes_back_meanwhile_is_told_from_memory(house: House, connect: Connect) -> None:
    call = house.ring()
    house.say("하나")
    finals = house.transcripts.finals(call.call_id)
    house.hang_up()
    await house.store(call, ["하나"])
    house.now += 1_000
    house.registry.sweep()
    browser = await connect()
    async with busy_store(house):
        watching = asyncio.ensure_future(browser.watch(call.call_id))
        await until(lambda: reading(house) == 1)
        house.registry.adopt({"leg-a": call.call_id}, "freeswitch", "main")
        house.transcripts.adopt(call.call_id, finals)
        assert house.ring("leg-a").call_id == call.call_id
        house.say("새로", "leg-a")
    assert (await watching)["ok"]
    house.say("그리고", "leg-a")
    await browser.until_texts("하나", "새로", "그리고")


async def test_who_changed_their_mind_is_told_nothing(house: House, connect: Connect) -> None:
    call = await forgotten(house, "하나")
    browser = await connect()
    async with busy_store(house):
        watching = asyncio.ensure_future(browser.watch(call.call_id))
        await until(lambda: reading(house) == 1)
        await browser.ask("unwatch", {"call_id": call.call_id})
    await watching
    assert browser.texts() == []


async def test_who_left_while_the_store_was_read_leaves_nothing_behind(house: House, connect: Connect) -> None:
    call = await forgotten(house, "하나")
    browser, live = await connect(), house.sources.live
    async with busy_store(house):
        await browser.send("watch", {"call_id": call.call_id})
        await until(lambda: reading(house) == 1)
        await browser.close()
        await until(lambda: live.clients == 0)
    another = await connect()
    assert (await another.watch(call.call_id))["ok"]
    assert len(live._clients) == 1
    assert [len(audience) for audience in live._audiences._of_call[call.call_id]] == [1]


async def test_one_client_may_not_ask_for_everything_at_once(house: House, connect: Connect) -> None:
    browser = await connect()
    async with busy_store(house):
        asked = [asyncio.ensure_future(browser.watch(f"unknown-{number}")) for number in range(601)]
        done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result()["error"]["title"] for task in done] == ["Too many calls asked for at once"]
        await browser.close()


async def test_a_call_that_is_asked_for_again_is_read_only_for_the_last_to_ask(house: House, connect: Connect) -> None:
    call = await forgotten(house, "하나")
    browser = await connect()
    async with busy_store(house):
        asked = [asyncio.ensure_future(browser.watch(call.call_id)) for _ in range(300)]
        await until(lambda: next(iter(house.sources.live._clients.values()))._waiting == 300)
    assert all(answer["ok"] for answer in await asyncio.gather(*asked))
    assert browser.texts() == ["하나"]
    assert len(browser.payloads("reset")) <= 2, "the one that was being read, and the last"


async def test_many_readers_leave_connections_to_the_recorder(house: House, connect: Connect) -> None:
    calls = [await forgotten(house, "하나")]
    browsers = [await connect() for _ in range(20)]
    asked = [asyncio.ensure_future(browser.watch(calls[0].call_id)) for browser in browsers]
    pool = house.database._engine.pool
    most = 0

    def all_told() -> bool:
        nonlocal most
        most = max(most, pool.checkedout())  # type: ignore[attr-defined]
        return all(task.done() for task in asked)

    await until(all_told)
    assert 0 < most <= 2 < house.config.database.pool_size


async def test_nobody_watches_more_calls_than_there_is_sense_in(house: House, connect: Connect) -> None:
    browser = await connect()
    ids = [house.ring(f"leg-{number}").call_id for number in range(501)]
    for call_id in ids[:500]:
        assert (await browser.watch(call_id))["ok"]
    assert (await browser.watch(ids[500]))["error"]["title"] == "Too many calls watched"
    assert (await browser.watch(ids[0]))["ok"], "one it watches already"
    await browser.ask("unwatch", {"call_id": ids[0]})
    assert (await browser.watch(ids[500]))["ok"]


async def test_a_store_that_is_away_is_said_to_be(house: House, connect: Connect) -> None:
    live = house.ring("leg-b")
    call = await forgotten(house, "하나")
    browser = await connect()
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE calls RENAME TO gone")
    assert (await browser.watch(call.call_id))["error"]["title"] == "The store is away"
    assert (await browser.watch(live.call_id))["ok"]
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE gone RENAME TO calls")
    assert (await browser.watch(call.call_id))["ok"]
    assert browser.texts() == ["하나"]
