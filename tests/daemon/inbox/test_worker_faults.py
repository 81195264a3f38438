"""What must not stop the work, lose a delivery or keep it from ever being worked on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from daemon.inbox.contract import Delivery, PermanentError, PostponedError
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.deliveries import cancel_delivery, replay_deliveries
from daemon.stores.delivery_work import DeliveryState
from tests.daemon.inbox.workshop import Workshop, at_work

PENDING, DONE, DEAD = DeliveryState.PENDING, DeliveryState.DONE, DeliveryState.DEAD


class Gate:
    """A handler that waits until it is let go on."""

    def __init__(self) -> None:
        self.begun = 0
        self.some = asyncio.Event()
        self.open = asyncio.Event()

    async def handle(self, _: Delivery) -> None:
        self.begun += 1
        self.some.set()
        await self.open.wait()

    async def reached(self, count: int) -> None:
        async with asyncio.timeout(30):
            while self.begun < count:
                self.some.clear()
                await self.some.wait()


async def test_one_that_is_cancelled_and_replayed_while_it_runs_ends_nothing(database: Database) -> None:
    shop, gate = Workshop(database), Gate()
    shop.handle(gate.handle)
    worker = shop.worker()
    async with at_work(shop.acceptor, worker):
        accepted = await shop.accept()
        await gate.reached(1)
        async with database.transaction() as connection:
            assert await cancel_delivery(connection, accepted.delivery_id, shop.now)
        async with database.transaction() as connection:
            assert await replay_deliveries(connection, [(accepted.delivery_id, shop.now)], 9) == 1
        shop.wake()
        await gate.reached(2)
        gate.open.set()
        whole = await shop.is_in(accepted, DONE)
        assert [run.attempt for run in whole.runs] == [2]
        await shop.is_in(await shop.accept(), DONE)
        assert worker.not_ours == 1


async def test_a_claim_whose_answer_is_lost_is_given_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Workshop(database)
    ran: list[int] = []

    async def note(delivery: Delivery) -> None:
        ran.append(delivery.attempt)

    shop.handle(note)
    worker = shop.worker()
    lost = 0
    transaction = database.transaction

    @asynccontextmanager
    async def unsure() -> AsyncIterator[Any]:
        """The commit comes through, and nobody is told: once, when something was claimed."""
        nonlocal lost
        async with transaction() as connection:
            yield connection
        if not lost and (await shop.all()) == [DeliveryState.WORKING]:
            lost += 1
            raise DatabaseAwayError("the answer was lost")

    monkeypatch.setattr(database, "transaction", unsure)
    async with at_work(shop.acceptor, worker):
        accepted = await shop.accept(order_key="k")
        whole = await shop.is_in(accepted, DONE)
        await shop.is_in(await shop.accept(order_key="k"), DONE)
    assert lost == 1
    # It was not tried, so that was no attempt of those that it has.
    assert whole.row.attempts_allowed - whole.row.attempts == shop.retries.attempts - 1
    assert len(ran) == 2


async def test_an_orderly_stop_costs_no_attempt_and_no_result(database: Database) -> None:
    shop, gate = Workshop(database, retries=[5.0]), Gate()
    quick: list[str] = []

    async def note(delivery: Delivery) -> None:
        quick.append(delivery.idempotency_key)

    shop.handle(gate.handle, source="slow")
    shop.handle(note, source="quick")
    worker = shop.worker()
    async with at_work(shop.acceptor, worker):
        slow = [await shop.accept("slow") for _ in range(3)]
        fast = await shop.accept("quick")
        await gate.reached(3)
        await shop.is_in(fast, DONE)
        await worker.close(0.01)
        assert worker.running == 0
        await shop.accept("quick")
    assert (await shop.get(fast)).row.state is DONE
    for one in slow:
        row = (await shop.get(one)).row
        assert (row.state, row.error, row.due_at) == (PENDING, "", shop.now)
        assert row.attempts_allowed - row.attempts == 2
    gate.open.set()
    async with at_work(shop.acceptor, shop.worker()):
        for one in slow:
            assert len((await shop.is_in(one, DONE)).runs) == 1
    assert len(quick) == len(set(quick)) == 2


async def test_what_ends_within_the_grace_is_done(database: Database) -> None:
    shop, gate = Workshop(database), Gate()
    shop.handle(gate.handle)
    worker = shop.worker()
    async with at_work(shop.acceptor, worker):
        accepted = await shop.accept()
        await gate.reached(1)
        closing = asyncio.create_task(worker.close(30.0))
        await asyncio.sleep(0)
        gate.open.set()
        await closing
        assert (await shop.get(accepted)).row.state is DONE


async def test_what_nobody_is_there_for_any_more_is_no_success(database: Database) -> None:
    shop = Workshop(database, retries=[5.0])

    async def fail(_: Delivery) -> None:
        raise ConnectionError

    shop.handle(fail, source="github", event="push")
    async with at_work(shop.acceptor, shop.worker()):
        sent = await shop.accept("to:gone")
        kept = await shop.accept("stripe")
        failed = await shop.accept("github")
        due = [(await shop.failed(one, 1)).row.due_at for one in (failed, sent)]
        await shop.is_in(kept, DONE)
    later = Workshop(database, retries=[5.0])
    later.now = max(due)
    async with at_work(later.worker()):
        for one in (failed, sent):
            assert (await later.is_in(one, DEAD)).row.error.startswith("no handler of that source")


async def test_what_another_parley_knows_the_handler_of_waits_for_that_one(database: Database) -> None:
    old, new = Workshop(database, retries=[5.0]), Workshop(database, retries=[5.0])
    done: list[Delivery] = []

    async def fire(delivery: Delivery) -> None:
        done.append(delivery)

    new.handle(fire, source="parley:schedules")
    async with at_work(old.acceptor, old.worker("old")):
        put = await old.accept("parley:schedules")
        whole = await old.failed(put, 1)
        assert whole.row.state is PENDING
        assert whole.row.error.startswith("no handler of that source")
    new.now = whole.row.due_at
    async with at_work(new.worker("new")):
        await new.is_in(put, DONE)
    assert len(done) == 1


async def test_handlers_that_cancel_themselves_leave_their_places(database: Database) -> None:
    shop = Workshop(database, concurrency=4)

    async def end(_: Delivery) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    async def well(_: Delivery) -> None:
        await asyncio.sleep(0)

    shop.handle(end, source="bad")
    shop.handle(well, source="good")
    worker = shop.worker()
    async with at_work(shop.acceptor, worker):
        bad = [await shop.accept("bad") for _ in range(6)]
        for one in bad:
            assert (await shop.failed(one, 1)).row.error == "end: it cancelled itself"
        await shop.is_in(await shop.accept("good"), DONE)
        assert worker.running == 0


async def test_a_source_whose_handlers_hang_leaves_the_others_their_places(database: Database) -> None:
    shop, gate = Workshop(database, concurrency=8), Gate()

    async def well(_: Delivery) -> None:
        return

    shop.handle(gate.handle, source="slow")
    shop.handle(well, source="good")
    async with at_work(shop.acceptor, shop.worker()):
        for _ in range(40):
            await shop.accept("slow")
        await gate.reached(4)
        for _ in range(20):
            await shop.is_in(await shop.accept("good"), DONE)
        assert gate.begun == 4
        gate.open.set()


async def test_who_refused_does_not_run_again_while_others_are_tried(database: Database) -> None:
    shop = Workshop(database, retries=[5.0, 5.0])
    refusing: list[int] = []
    fails = True

    async def refuse(delivery: Delivery) -> None:
        refusing.append(delivery.attempt)
        raise PermanentError("never: no")

    async def fail(_: Delivery) -> None:
        if fails:
            raise ConnectionError("not yet")

    shop.handle(refuse)
    shop.handle(fail)
    async with at_work(shop.acceptor, shop.worker()):
        accepted = await shop.accept()
        row = (await shop.failed(accepted, 1)).row
        assert row.error == "fail: ConnectionError: not yet; refuse: never: no"
        fails = False
        shop.now = row.due_at
        whole = await shop.is_in(accepted, DEAD)
        assert (refusing, whole.row.error) == ([1], "refuse: never: no")
        # A replay is another life.
        async with database.transaction() as connection:
            await replay_deliveries(connection, [(accepted.delivery_id, shop.now)], shop.retries.attempts)
        shop.wake()
        await shop.until(accepted, lambda row: row.attempts == 3 and row.state == DEAD)
    assert refusing == [1, 3]


@pytest.mark.parametrize("counts", [True, False])
async def test_what_waits_for_somebody_who_is_gone_for_good_dies_in_the_end(database: Database, counts: bool) -> None:
    shop = Workshop(database, retries=[5.0])
    asked: list[float] = []

    async def wait(_: Delivery) -> None:
        asked.append(shop.now)
        raise PostponedError("it keeps failing", after=10_000.0, counts_in_the_end=counts)

    shop.handle(wait)
    async with at_work(shop.acceptor, shop.worker()):
        accepted = await shop.accept()
        while True:
            whole = await shop.failed(accepted, len(asked) + 1)
            if whole.row.state == DEAD or len(asked) == 20:
                break
            shop.now = whole.row.due_at
            shop.wake()
    if not counts:
        assert (whole.row.state, whole.runs) == (DeliveryState.PENDING, [])
        return
    # Nine times within a day it was no attempt.
    assert [round(moment - asked[0], -3) for moment in asked] == [10_000.0 * number for number in range(11)]
    assert [run.error for run in whole.runs] == ["it keeps failing"] * shop.retries.attempts
    assert whole.row.error == "wait: it keeps failing"


async def test_who_refused_does_not_run_again_after_attempts_that_do_not_count(database: Database) -> None:
    """One is postponed, and one given up at a stop."""
    shop, ends = Workshop(database, retries=[5.0, 5.0]), [ConnectionError(), PostponedError("busy", after=5.0)]
    refusing: list[int] = []
    hanging = asyncio.Event()

    async def refuse(delivery: Delivery) -> None:
        refusing.append(delivery.attempt)
        raise PermanentError("never")

    async def end(delivery: Delivery) -> None:
        if ends:
            raise ends.pop(0)
        if delivery.attempt == 3:
            hanging.set()
            await asyncio.Event().wait()

    shop.handle(refuse)
    shop.handle(end)
    worker = shop.worker()
    async with at_work(shop.acceptor, worker):
        accepted = await shop.accept()
        for attempt in (1, 2):
            shop.now = (await shop.failed(accepted, attempt)).row.due_at
        await hanging.wait()
        await worker.close(0.0)
    async with at_work(shop.worker()):
        whole = await shop.is_in(accepted, DEAD)
        assert (refusing, whole.row.attempts, whole.row.error) == ([1], 4, "refuse: never")
        async with database.transaction() as connection:
            await replay_deliveries(connection, [(accepted.delivery_id, shop.now)], shop.retries.attempts)
        shop.wake()
        await shop.until(accepted, lambda row: row.attempts == 5 and row.state == DEAD)
    assert refusing == [1, 5]
