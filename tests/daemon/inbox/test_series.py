"""Deliveries of one key that are worked one after another: in order, and without harm to those that were not begun."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text

from daemon.inbox.contract import Delivery
from daemon.inbox.leases import LOST, Leases
from daemon.inbox.series import Series, SlowSources
from daemon.stores.database import Database
from daemon.stores.delivery_inserts import Accepted
from daemon.stores.delivery_work import ClaimedRow, DeliveryState, RunOutcome
from daemon.stores.store_clock import StoreClock
from tests.daemon.inbox.workshop import Workshop, at_work
from tests.services.databases import PostgresDatabases

PENDING, WORKING, DONE = DeliveryState.PENDING, DeliveryState.WORKING, DeliveryState.DONE


def row(number: int) -> ClaimedRow:
    return ClaimedRow(
        delivery_id=str(number),
        source="github",
        event="push",
        other_id=None,
        order_key="k",
        received_at=0.0,
        attempts=1,
        attempts_allowed=3,
        replays=0,
        failing_since=None,
        done_by="[]",
        address="",
        redacted=False,
        headers="[]",
        body=b"",
    )


async def stored(shop: Workshop, count: int) -> list[Accepted]:
    """Deliveries of one key, before anybody works."""
    async with at_work(shop.acceptor):
        return [await shop.accept(order_key="k") for _ in range(count)]


def test_a_series_goes_on_while_all_is_well_and_there_is_time() -> None:
    series = Series([row(1), row(2), row(3)], began=10.0)
    assert series.goes_on(10.9)
    assert not series.goes_on(11.0)
    series.broken = True
    assert not series.goes_on(10.9)


def test_a_source_that_is_slow_has_no_series_for_a_while() -> None:
    slow, series = SlowSources(), Series([row(1), row(2), row(3)], began=10.0)
    series.left.popleft()
    slow.note(series, 20.0)
    assert slow.has("github", 79.9)
    assert not slow.has("github", 80.0)
    assert not slow.has("stripe", 20.0)
    series.broken = True
    slow.note(series, 90.0)
    assert not slow.has("github", 90.0)


async def test_a_key_with_many_is_worked_in_order_in_few_claims(database: Database) -> None:
    shop, ran = Workshop(database), list[str]()

    async def note(delivery: Delivery) -> None:
        ran.append(delivery.delivery_id)

    shop.handle(note)
    accepted = await stored(shop, 100)
    worker = shop.worker()
    async with at_work(worker):
        await shop.is_in(accepted[-1], DONE)
    assert ran == [one.delivery_id for one in accepted]
    assert (worker.finished, worker.attempts) == (100, 100)
    assert [(await shop.get(one)).row.attempts for one in accepted] == [1] * 100


async def test_what_may_be_changed_until_it_is_worked_on_is_claimed_by_itself(database: Database) -> None:
    shop, begun = Workshop(database), asyncio.Event()

    async def hang(_: Delivery) -> None:
        begun.set()
        await asyncio.Event().wait()

    shop.handle(hang)
    accepted = await stored(shop, 3)
    async with at_work(shop.worker(alone=["github"])):
        await begun.wait()
        assert [(await shop.get(one)).row.state for one in accepted] == [WORKING, PENDING, PENDING]


async def test_behind_one_that_fails_nothing_is_begun_and_no_attempt_is_lost(database: Database) -> None:
    shop, ran = Workshop(database, retries=[5.0]), list[str]()
    accepted = await stored(shop, 6)

    async def fail_once(delivery: Delivery) -> None:
        ran.append(delivery.delivery_id)
        if ran.count(accepted[2].delivery_id) == 1 and delivery.delivery_id == accepted[2].delivery_id:
            raise ConnectionError

    shop.handle(fail_once)
    async with at_work(shop.worker()):
        failed = (await shop.failed(accepted[2], 1)).row
        last = (await shop.until(accepted[-1], lambda row: row.state is PENDING)).row
        assert last.attempts_allowed - last.attempts == 2
        shop.now = failed.due_at
        await shop.is_in(accepted[-1], DONE)
    ids = [one.delivery_id for one in accepted]
    assert ran == [*ids[:3], *ids[2:]]


async def test_what_was_not_begun_when_its_process_died_loses_no_attempt(database: Database) -> None:
    shop, ran = Workshop(database, retries=[5.0, 5.0]), list[str]()
    accepted = await stored(shop, 3)
    begun = asyncio.Event()

    async def kill_once(delivery: Delivery) -> None:
        ran.append(delivery.delivery_id)
        if len(ran) == 1:
            begun.set()
            await asyncio.Event().wait()

    shop.handle(kill_once)
    async with at_work(shop.worker()):
        await begun.wait()
    assert [(await shop.get(one)).row.state for one in accepted] == [WORKING] * 3
    async with at_work(shop.worker()):
        first = await shop.failed(accepted[0], 1)
        assert [run.outcome for run in first.runs] == [RunOutcome.LOST]
        others = [(await shop.failed(one, 1)) for one in accepted[1:]]
        assert [(one.row.attempts_allowed - one.row.attempts, one.row.error, one.runs) for one in others] == [
            (3, LOST, [])
        ] * 2
        shop.now = first.row.due_at
        for one in accepted:
            await shop.is_in(one, DONE)
    ids = [one.delivery_id for one in accepted]
    assert ran == [ids[0], *ids]


@pytest.mark.parametrize("grace", [0.0, 0.01])
async def test_what_is_claimed_in_the_moment_of_a_stop_is_handed_back_as_not_tried(
    database: Database, grace: float
) -> None:
    shop, begun = Workshop(database, retries=[5.0]), asyncio.Event()

    async def hang(_: Delivery) -> None:
        begun.set()
        await asyncio.Event().wait()

    shop.handle(hang)
    accepted = await stored(shop, 3)
    worker = shop.worker()
    async with at_work(worker):
        async with asyncio.timeout(30):
            while not worker.running:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0)
        # It has its tasks, and none has made a step.
        assert not begun.is_set()
        await worker.close(grace)
        assert worker.running == 0
        rows = [(await shop.get(one)).row for one in accepted]
    assert [(one.state, one.error) for one in rows] == [(PENDING, "")] * 3
    assert all(one.attempts_allowed - one.attempts == 2 for one in rows)


async def test_a_stop_waits_for_what_is_just_being_claimed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Workshop(database, retries=[5.0])
    claimed, go_on = asyncio.Event(), asyncio.Event()
    transaction = database.transaction

    async def hang(_: Delivery) -> None:
        await asyncio.Event().wait()

    @asynccontextmanager
    async def slow() -> AsyncIterator[Any]:
        """The commit comes through, and its answer takes its time."""
        async with transaction() as connection:
            yield connection
        if not claimed.is_set() and await shop.all() == [WORKING]:
            claimed.set()
            await go_on.wait()

    shop.handle(hang)
    [accepted] = await stored(shop, 1)
    monkeypatch.setattr(database, "transaction", slow)
    worker = shop.worker()
    async with at_work(worker):
        await claimed.wait()
        closing = asyncio.create_task(worker.close(0.2))
        await asyncio.sleep(0)
        assert not closing.done()
        go_on.set()
        await closing
        row = (await shop.get(accepted)).row
    assert (row.state, row.attempts_allowed - row.attempts) == (PENDING, 2)


@pytest.fixture
async def shared(postgres_databases: PostgresDatabases) -> Database:
    return Database.of(await asyncio.to_thread(postgres_databases.make))


async def test_parleys_whose_clocks_differ_leave_each_other_their_work(shared: Database) -> None:
    shop, runs, go_on = Workshop(shared, lease=30.0), list[int](), asyncio.Event()

    async def take_long(delivery: Delivery) -> None:
        runs.append(delivery.attempt)
        await go_on.wait()

    shop.handle(take_long)
    behind, ahead = (
        StoreClock(lambda skew=skew: time.time() + skew, of_database=True)  # type: ignore[misc]
        for skew in (-7200.0, 7200.0)
    )
    # What a process stores is due for the others at once, whatever its clock says.
    now = await ahead.known(shared)
    assert abs(now - await behind.known(shared)) < 60.0
    async with at_work(shop.acceptor, shop.worker("behind", clock=behind)):
        accepted = await shop.accept(received_at=now, due_at=now)
        await shop.is_in(accepted, WORKING)
        leases = Leases(shared, shop.retries, 30.0, running=lambda: (), wake=lambda: None, clock=ahead)
        async with at_work(shop.worker("ahead", clock=ahead)):
            await leases.take_back_lost()
            assert (await shop.get(accepted)).row.state is WORKING
            go_on.set()
            await shop.is_in(accepted, DONE)
    assert runs == [1]
    async with shared.read() as connection:
        finished = await connection.scalar(text("SELECT finished_at - extract(epoch FROM now()) FROM deliveries"))
    assert abs(finished) < 60.0
    await shared.close()
