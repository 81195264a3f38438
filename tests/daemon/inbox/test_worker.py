"""Work on what was accepted: until it is done, or dead and kept."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from daemon.inbox import worker
from daemon.inbox.contract import Delivery, PermanentError, RetryLaterError
from daemon.inbox.leases import LOST
from daemon.stores.database import Database
from daemon.stores.deliveries import cancel_delivery, replay_deliveries
from daemon.stores.delivery_order import any_fresh
from daemon.stores.delivery_work import DeliveryState, RunOutcome
from tests.daemon.inbox.workshop import Workshop, at_work
from tests.services.databases import SqliteDatabases
from tests.services.postgres import PostgresServer

PENDING, WORKING, DONE, DEAD = (
    DeliveryState.PENDING,
    DeliveryState.WORKING,
    DeliveryState.DONE,
    DeliveryState.DEAD,
)


async def test_a_handler_gets_what_was_delivered(database: Database) -> None:
    shop = Workshop(database)
    got: list[Delivery] = []

    async def keep(delivery: Delivery) -> None:
        got.append(delivery)

    shop.handle(keep, source="git*", event="push")
    async with at_work(shop.acceptor, shop.worker()):
        accepted = await shop.accept(
            other_id="7",
            order_key="repo",
            address="127.0.0.1",
            headers='[["X-Event","push"]]',
            body=b'{"n": "\xed\x95\x9c"}',
        )
        other = await shop.accept("stripe")
        whole = await shop.is_in(accepted, DONE)
        nobodys = await shop.is_in(other, DONE)
    [delivery] = got
    assert delivery == Delivery(
        delivery_id=accepted.delivery_id,
        source="github",
        event="push",
        other_id="7",
        key="repo",
        received_at=shop.now,
        attempt=1,
        idempotency_key=f"{accepted.delivery_id}/keep",
        address="127.0.0.1",
        redacted=False,
        headers={"x-event": "push"},
        body=b'{"n": "\xed\x95\x9c"}',
    )
    assert delivery.json() == {"n": "한"}
    assert [(run.handler, run.outcome, run.attempt) for run in whole.runs] == [("keep", RunOutcome.DONE, 1)]
    assert nobodys.runs == []


async def test_what_fails_is_tried_again_later_and_dies_in_the_end(database: Database) -> None:
    shop = Workshop(database, retries=[5.0, 50.0])
    keys: list[str] = []

    async def fail(delivery: Delivery) -> None:
        keys.append(delivery.idempotency_key)
        raise ConnectionError(f"no\0 {delivery.attempt}")

    shop.handle(fail)
    async with at_work(shop.acceptor, shop.worker()):
        accepted = await shop.accept()
        row = (await shop.failed(accepted, 1)).row
        assert row.state is PENDING
        assert 4.0 <= row.due_at - shop.now <= 6.0
        assert row.error == "fail: ConnectionError: no 1"
        shop.now = row.due_at
        row = (await shop.failed(accepted, 2)).row
        assert 40.0 <= row.due_at - shop.now <= 60.0
        shop.now = row.due_at
        whole = await shop.is_in(accepted, DEAD)
    assert [run.error for run in whole.runs] == [f"ConnectionError: no {number}" for number in (1, 2, 3)]
    assert whole.row.finished_at == shop.now
    assert len(set(keys)) == 1


async def test_who_comes_behind_many_of_one_key_does_not_wait_for_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_IDLE", 3_600.0)
    shop = Workshop(database, concurrency=4)
    told = asyncio.Event()

    async def tell(delivery: Delivery) -> None:
        if delivery.key == "last":
            told.set()
        await told.wait()

    shop.handle(tell)
    async with at_work(shop.acceptor):
        await asyncio.gather(*(shop.accept(order_key=key) for key in ["first"] * 100 + ["last"]))
    async with at_work(shop.worker()), asyncio.timeout(30):
        await told.wait()


async def test_the_other_side_may_say_when(database: Database) -> None:
    shop = Workshop(database)

    async def busy(_: Delivery) -> None:
        raise RetryLaterError("busy", after=777.0)

    shop.handle(busy)
    async with at_work(shop.acceptor, shop.worker()):
        row = (await shop.failed(await shop.accept(), 1)).row
    assert 777.0 <= row.due_at - shop.now <= 778.0


@pytest.mark.parametrize(
    ("error", "outcome", "state", "text"),
    [
        (PermanentError("never"), RunOutcome.REFUSED, DEAD, "never"),
        (SystemExit(3), RunOutcome.FAILED, PENDING, "SystemExit: 3"),
        (asyncio.CancelledError(), RunOutcome.FAILED, PENDING, "it cancelled itself"),
        (TimeoutError("theirs"), RunOutcome.FAILED, PENDING, "TimeoutError: theirs"),
        (UnicodeError("\ud800"), RunOutcome.FAILED, PENDING, "UnicodeError: ?"),
    ],
)
async def test_however_a_handler_ends_the_work_goes_on(
    database: Database, error: BaseException, outcome: RunOutcome, state: DeliveryState, text: str
) -> None:
    shop = Workshop(database)

    async def end(_: Delivery) -> None:
        raise error

    async def well(_: Delivery) -> None:
        return

    shop.handle(end, source="github")
    shop.handle(well, source="stripe")
    async with at_work(shop.acceptor, shop.worker()):
        whole = await shop.failed(await shop.accept(), 1)
        await shop.is_in(await shop.accept("stripe"), DONE)
    assert (whole.row.state, whole.row.error) == (state, f"end: {text}")
    assert [(run.outcome, run.error) for run in whole.runs] == [(outcome, text)]


async def test_a_handler_that_takes_too_long_is_cut_off(database: Database) -> None:
    shop = Workshop(database)

    async def hang(_: Delivery) -> None:
        await asyncio.Event().wait()

    shop.handle(hang, deadline=0.05)
    async with at_work(shop.acceptor, shop.worker()):
        whole = await shop.failed(await shop.accept(), 1)
    assert whole.row.error == "hang: no end after 0.05 s"


async def test_of_several_handlers_only_those_that_failed_run_again(database: Database) -> None:
    shop = Workshop(database, retries=[5.0])
    ran: list[str] = []

    async def one(_: Delivery) -> None:
        ran.append("one")

    async def two(delivery: Delivery) -> None:
        ran.append("two")
        if delivery.attempt == 1:
            raise ConnectionError("not yet")

    async def three(_: Delivery) -> None:
        raise PermanentError("never")

    shop.handle(one)
    shop.handle(two)
    shop.handle(three, event="odd")
    async with at_work(shop.acceptor, shop.worker()):
        accepted = await shop.accept()
        shop.now = (await shop.failed(accepted, 1)).row.due_at
        whole = await shop.is_in(accepted, DONE)
        assert sorted(ran) == ["one", "two", "two"]
        assert (whole.row.error, len(whole.runs)) == ("", 3)
        # What can never be done does not keep the others from being tried again.
        odd = await shop.accept(event="odd")
        whole = await shop.failed(odd, 1)
        assert whole.row.state is PENDING
        assert whole.row.error == "two: ConnectionError: not yet; three: never"
        shop.now = whole.row.due_at
        assert (await shop.is_in(odd, DEAD)).row.error == "three: never"


async def test_events_of_one_key_stay_in_order_whatever_fails(database: Database) -> None:
    shop = Workshop(database, retries=[5.0])
    ran: list[tuple[str, str]] = []

    async def note(delivery: Delivery) -> None:
        if delivery.event == "first" and delivery.attempt == 1:
            raise ConnectionError
        ran.append((delivery.key, delivery.event))

    shop.handle(note)
    async with at_work(shop.acceptor, shop.worker()):
        first = await shop.accept(event="first", order_key="a")
        others = [await shop.accept(event=event, order_key="a") for event in ("second", "third")]
        await shop.is_in(await shop.accept(event="else", order_key="b"), DONE)
        shop.now = (await shop.failed(first, 1)).row.due_at
        await shop.is_in(others[-1], DONE)
    assert ran == [("b", "else"), ("a", "first"), ("a", "second"), ("a", "third")]


async def test_what_a_process_left_behind_is_taken_up_by_another(database: Database) -> None:
    shop = Workshop(database, lease=0.2, retries=[5.0])
    begun = asyncio.Event()

    async def hang(delivery: Delivery) -> None:
        begun.set()
        if delivery.attempt == 1:
            await asyncio.Event().wait()

    shop.handle(hang)
    async with at_work(shop.acceptor, shop.worker("one")):
        accepted = await shop.accept()
        await begun.wait()
    assert (await shop.get(accepted)).row.state is WORKING
    shop.now += 1.0
    async with at_work(shop.worker("two")):
        whole = await shop.failed(accepted, 1)
        assert (whole.row.state, whole.row.error) == (PENDING, LOST)
        shop.now = whole.row.due_at
        whole = await shop.is_in(accepted, DONE)
    assert [run.outcome for run in whole.runs] == [RunOutcome.LOST, RunOutcome.DONE]


async def test_what_kills_its_process_dies_after_its_attempts(database: Database) -> None:
    shop = Workshop(database, retries=[5.0])

    async def kill(_: Delivery) -> None:
        begun.set()
        await asyncio.Event().wait()

    shop.handle(kill)
    begun = asyncio.Event()
    async with at_work(shop.acceptor, shop.worker()):
        accepted = await shop.accept()
        await begun.wait()
    begun.clear()
    # The same process, started again: it knows at once that nobody works on it.
    async with at_work(shop.worker()):
        shop.now = (await shop.failed(accepted, 1)).row.due_at
        await begun.wait()
    async with at_work(shop.worker()):
        whole = await shop.is_in(accepted, DEAD)
    assert [run.outcome for run in whole.runs] == [RunOutcome.LOST, RunOutcome.LOST]


async def test_a_lease_is_renewed_as_long_as_it_is_worked_on(database: Database) -> None:
    shop = Workshop(database, lease=0.3)
    go_on = asyncio.Event()
    runs: list[int] = []

    async def take_long(delivery: Delivery) -> None:
        runs.append(delivery.attempt)
        await go_on.wait()

    async def lease() -> float:
        async with database.read() as connection:
            return await connection.scalar(text("SELECT lease_until FROM deliveries")) or 0.0

    shop.handle(take_long)
    one, two = shop.worker("one"), shop.worker("two")
    async with at_work(shop.acceptor, one, two):
        accepted = await shop.accept()
        await shop.is_in(accepted, WORKING)
        async with asyncio.timeout(30):
            for _ in range(5):
                shop.now += 0.25
                while await lease() < shop.now + 0.29:  # noqa: ASYNC110 - a store tells nobody
                    await asyncio.sleep(0.005)
        go_on.set()
        await shop.is_in(accepted, DONE)
    assert runs == [1]
    assert one.not_ours == two.not_ours == 0


async def test_what_is_cancelled_comes_to_nothing(database: Database) -> None:
    shop = Workshop(database)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(_: Delivery) -> None:
        begun.set()
        await go_on.wait()

    shop.handle(wait)
    worker = shop.worker()
    async with at_work(shop.acceptor, worker):
        accepted = await shop.accept()
        await begun.wait()
        async with database.transaction() as connection:
            assert await cancel_delivery(connection, accepted.delivery_id, shop.now)
        go_on.set()
        async with asyncio.timeout(30):
            while not worker.not_ours:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.005)
    whole = await shop.get(accepted)
    assert (whole.row.state, whole.runs) == (DeliveryState.CANCELLED, [])


async def test_a_replay_is_another_intent_with_the_same_row(database: Database) -> None:
    shop = Workshop(database)
    keys: list[str] = []

    async def note(delivery: Delivery) -> None:
        keys.append(delivery.idempotency_key)

    shop.handle(note)
    async with at_work(shop.acceptor, shop.worker()):
        accepted = await shop.accept()
        await shop.is_in(accepted, DONE)
        async with database.transaction() as connection:
            await replay_deliveries(connection, [(accepted.delivery_id, shop.now)], shop.retries.attempts)
        shop.wake()
        await shop.failed(accepted, 2)
    assert keys == [f"{accepted.delivery_id}/note", f"{accepted.delivery_id}/1/note"]
    assert await shop.all() == [DONE]


async def test_several_workers_share_the_work(database: Database) -> None:
    shop = Workshop(database, concurrency=8)
    ran: list[str] = []

    async def note(delivery: Delivery) -> None:
        ran.append(delivery.delivery_id)

    shop.handle(note)
    workers = [shop.worker(str(number)) for number in range(3)]
    async with at_work(shop.acceptor, *workers):
        accepted = await asyncio.gather(*(shop.accept() for _ in range(300)))
        for one in accepted:
            await shop.is_in(one, DONE)
    assert sorted(ran) == sorted(one.delivery_id for one in accepted)
    assert sum(worker.finished for worker in workers) == 300


async def test_a_store_that_goes_away_costs_no_result(postgres_server: PostgresServer) -> None:
    database = Database.of(postgres_server.url(), timeout=5.0)
    await database.upgrade()
    shop = Workshop(database)
    begun, go_on = asyncio.Event(), asyncio.Event()
    runs: list[int] = []

    async def wait(delivery: Delivery) -> None:
        runs.append(delivery.attempt)
        begun.set()
        await go_on.wait()

    shop.handle(wait)
    async with at_work(shop.acceptor, shop.worker()):
        accepted = await shop.accept()
        await begun.wait()
        await asyncio.to_thread(postgres_server.stop)
        go_on.set()
        await asyncio.sleep(0)
        await asyncio.to_thread(postgres_server.start)
        await shop.is_in(accepted, DONE)
    assert runs == [1]
    await database.close()


async def some_are_fresh(database: Database) -> bool:
    async with database.read() as connection:
        return await any_fresh(connection)


async def test_what_no_claim_comes_to_is_lined_up_all_the_same(sqlite_databases: SqliteDatabases) -> None:
    database = Database.of(await asyncio.to_thread(sqlite_databases.make))
    shop = Workshop(database, concurrency=1)
    begun = asyncio.Event()

    async def handle(delivery: Delivery) -> None:
        begun.set()
        await asyncio.Event().wait()

    shop.handle(handle)
    async with at_work(shop.acceptor, shop.worker()):
        await shop.accept()
        await begun.wait()
        await asyncio.gather(*(shop.accept() for _ in range(50)))
        assert sorted(await shop.all()) == [PENDING] * 50 + [WORKING]
        async with asyncio.timeout(30):
            while await some_are_fresh(database):  # noqa: ASYNC110 - a store tells nobody
                await asyncio.sleep(0.01)
        assert sorted(await shop.all()) == [PENDING] * 50 + [WORKING]
    await database.close()


async def test_work_goes_on_while_many_deliveries_come(database: Database) -> None:
    shop = Workshop(database)

    async def handle(delivery: Delivery) -> None:
        pass

    shop.handle(handle)
    async with at_work(shop.acceptor, shop.worker(pressed=True)):
        for accepted in [await shop.accept() for _ in range(3)]:
            await shop.is_in(accepted, DeliveryState.DONE)
