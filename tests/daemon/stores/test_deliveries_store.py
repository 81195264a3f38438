"""Deliveries in the store, on both engines: accepted once, claimed by one, handed back, looked at, replayed."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from uuid_utils import uuid7

from daemon.stores.database import Database, RowRefusedError
from daemon.stores.deliveries import (
    DeliveryFilter,
    DeliveryRow,
    FoundDeliveries,
    cancel_delivery,
    count_unfinished,
    delete_ended,
    find_deliveries,
    get_delivery,
    id_at,
    page_of_deliveries,
    replay_deliveries,
)
from daemon.stores.delivery_inserts import Accepted, Fate, NewDelivery, add_deliveries
from daemon.stores.delivery_order import line_up
from daemon.stores.delivery_work import (
    ClaimedRow,
    DeliveryState,
    RunOutcome,
    RunRow,
    WorkedRow,
    claim_deliveries,
    hand_back_deliveries,
    lost_deliveries,
    next_due,
    renew_leases,
)
from tests.daemon.stores.counting import count_deliveries
from tests.daemon.stores.plans import Plans

PATIENCE = 60.0


def new(delivery_id: str, **changes: Any) -> NewDelivery:
    fields: dict[str, Any] = {
        "delivery_id": delivery_id,
        "source": "github",
        "event": "push",
        "received_at": 1000.0,
        "due_at": 1000.0,
        "attempts_allowed": 3,
        "body": b"\x00\xff body",
        "headers": '[["x-event","push"],["x-event","again"]]',
    }
    return NewDelivery(**(fields | changes))


async def add(database: Database, *rows: NewDelivery) -> list[Accepted]:
    return await add_deliveries(database, rows)


async def claim(database: Database, holder: str = "h", *, now: float = 1001.0, most: int = 100) -> list[ClaimedRow]:
    async with database.transaction() as connection:
        return await claim_deliveries(connection, holder, now=now, until=now + 30, most=most, patience=PATIENCE)


async def hand_back(
    database: Database, claimed: ClaimedRow, state: DeliveryState, **changes: Any
) -> set[tuple[str, int]]:
    worked = WorkedRow(delivery_id=claimed.delivery_id, attempt=claimed.attempts, state=state, **changes)
    run = RunRow(
        delivery_id=claimed.delivery_id,
        attempt=claimed.attempts,
        handler="store",
        started_at=1.5,
        finished_at=2.5,
        outcome=RunOutcome.DONE if state is DeliveryState.DONE else RunOutcome.FAILED,
        error=changes.get("error", ""),
    )
    async with database.transaction() as connection:
        return await hand_back_deliveries(connection, "h", [worked], [run], now=1001.0)


async def listed(database: Database, before: str | None = None, **wanted: Any) -> list[str]:
    async with database.read() as connection:
        page = await page_of_deliveries(connection, DeliveryFilter(**wanted), before=before, limit=100)
    return [row.delivery_id for row in page.rows]


async def state_of(database: Database, delivery_id: str) -> DeliveryRow:
    async with database.read() as connection:
        whole = await get_delivery(connection, delivery_id)
    assert whole is not None
    return whole.row


async def test_a_delivery_comes_back_with_every_byte(database: Database) -> None:
    given = new("a", other_id="i", order_key="k", address="127.0.0.1", redacted=True)
    assert await add(database, given) == [Accepted("a", Fate.STORED)]
    async with database.read() as connection:
        whole = await get_delivery(connection, "a")
        assert await get_delivery(connection, "b") is None
    assert whole is not None
    assert (whole.body, whole.address, whole.runs) == (given.body, "127.0.0.1", [])
    assert whole.headers == [("x-event", "push"), ("x-event", "again")]
    assert whole.row == DeliveryRow(
        delivery_id="a",
        source="github",
        event="push",
        other_id="i",
        order_key="k",
        state=DeliveryState.PENDING,
        received_at=1000.0,
        due_at=1000.0,
        attempts=0,
        attempts_allowed=3,
        replays=0,
        finished_at=None,
        error="",
        redacted=True,
        size=len(given.body),
    )


async def test_what_a_provider_gave_an_id_is_accepted_once(database: Database) -> None:
    assert [one.fate for one in await add(database, new("a", other_id="1"), new("b", other_id="2"))] == [
        Fate.STORED,
        Fate.STORED,
    ]
    again = await add(
        database,
        new("c", other_id="1"),
        new("d", other_id="3"),
        new("e", other_id="3"),
        new("f", other_id="1", source="stripe"),
        new("g"),
        new("h"),
    )
    assert again == [
        Accepted("a", Fate.DOUBLE),
        Accepted("d", Fate.STORED),
        Accepted("d", Fate.DOUBLE),
        Accepted("f", Fate.STORED),
        Accepted("g", Fate.STORED),
        Accepted("h", Fate.STORED),
    ]


async def test_a_dead_one_that_is_sent_again_is_worked_again(database: Database) -> None:
    await add(database, new("a", other_id="1"))
    [claimed] = await claim(database)
    await hand_back(database, claimed, DeliveryState.DEAD, error="no", finished_at=1002.0, failing_since=1001.0)
    assert await add(database, new("b", other_id="1", due_at=1003.0)) == [Accepted("a", Fate.REVIVED)]
    row = await state_of(database, "a")
    assert (row.state, row.due_at, row.attempts, row.attempts_allowed) == (DeliveryState.PENDING, 1003.0, 1, 4)
    assert await add(database, new("c", other_id="1")) == [Accepted("a", Fate.DOUBLE)]
    [claimed] = await claim(database, now=1003.0)
    assert (claimed.attempts, claimed.failing_since) == (2, None)


async def test_what_is_stored_in_a_second_try_keeps_its_id(database: Database) -> None:
    await add(database, new("a"), new("b"), new("c", other_id="1"))
    assert await add(database, new("b"), new("c", other_id="1"), new("d")) == [
        Accepted(one, Fate.STORED) for one in ("b", "c", "d")
    ]


class Tidied(Database):
    """Somebody deletes all there is, each time before a transaction, ``times`` times."""

    times = 2

    @asynccontextmanager
    async def transaction(self, *, urgent: bool = False) -> AsyncIterator[AsyncConnection]:
        if self.times:
            self.times -= 1
            async with super().transaction() as connection:
                await connection.execute(text("DELETE FROM deliveries"))
        async with super().transaction(urgent=urgent) as connection:
            yield connection


async def test_one_whose_double_is_deleted_meanwhile_is_stored(database_url: str, database: Database) -> None:
    await add(database, new("a", other_id="1"), new("b", other_id="2"))
    tidied = Tidied.of(database_url)
    rows = [new("c", other_id="1"), new("d", other_id="2"), new("e", other_id="1")]
    assert await add_deliveries(tidied, rows) == [
        Accepted("c", Fate.STORED),
        Accepted("d", Fate.STORED),
        # It was a double of the first of these, which was deleted as well.
        Accepted("e", Fate.STORED),
    ]
    await tidied.close()


async def test_many_are_stored_at_once(database: Database) -> None:
    rows = [new(str(uuid7()), other_id=str(number % 1100)) for number in range(1300)]
    fates = [one.fate for one in await add(database, *rows)]
    assert fates == [Fate.STORED] * 1100 + [Fate.DOUBLE] * 200


async def test_a_row_that_cannot_be_is_refused_by_name(database: Database) -> None:
    with pytest.raises(RowRefusedError):
        await add(database, new("a", event="\ud800"))


async def test_each_is_claimed_by_one(database: Database) -> None:
    await add(database, *(new(f"{number:04}") for number in range(300)))
    claims = await asyncio.gather(*(claim(database, f"h{number}", most=40) for number in range(8)))
    ids = [row.delivery_id for rows in claims for row in rows]
    assert len(ids) == len(set(ids))
    while rows := await claim(database, "last", most=40):
        ids += [row.delivery_id for row in rows]
    assert sorted(ids) == [f"{number:04}" for number in range(300)]


async def test_what_is_not_due_waits(database: Database) -> None:
    await add(database, new("a", due_at=1500.0), new("b", due_at=1400.0))
    assert await claim(database, now=1000.0) == []
    async with database.read() as connection:
        assert await next_due(connection) == 1400.0
    assert await claim(database, now=1399.9) == []
    assert [row.delivery_id for row in await claim(database, now=1400.0)] == ["b"]


async def test_a_claim_has_all_that_work_needs(database: Database) -> None:
    await add(database, new("a", other_id="i", order_key="k", address="::1", redacted=True))
    [row] = await claim(database)
    assert msgspec.structs.asdict(row) == {
        "delivery_id": "a",
        "source": "github",
        "event": "push",
        "other_id": "i",
        "order_key": "k",
        "received_at": 1000.0,
        "attempts": 1,
        "attempts_allowed": 3,
        "replays": 0,
        "failing_since": None,
        "done_by": "[]",
        "address": "::1",
        "redacted": True,
        "headers": '[["x-event","push"],["x-event","again"]]',
        "body": b"\x00\xff body",
    }


async def test_one_waits_for_those_before_it_with_its_key(database: Database) -> None:
    await add(
        database,
        new("1", order_key="x"),
        new("2", order_key="x"),
        new("3", order_key="y"),
        new("4", order_key="x", source="stripe"),
        new("5"),
    )
    first, *others = await claim(database)
    assert [row.delivery_id for row in others] == ["3", "4", "5"]
    assert await claim(database) == []
    # A retry is waited for only so long, then it blocks nobody.
    await hand_back(database, first, DeliveryState.PENDING, due_at=5000.0, failing_since=1001.0)
    assert await claim(database, now=1000.0 + PATIENCE - 1) == []
    [second] = await claim(database, now=1000.0 + PATIENCE)
    assert second.delivery_id == "2"
    # Nor does one that is tried again meanwhile.
    await hand_back(database, second, DeliveryState.DONE)
    await add(database, new("6", order_key="x"))
    assert [row.delivery_id for row in await claim(database, now=5000.0)] == ["1", "6"]


async def test_what_fails_does_not_let_others_wait_one_after_the_other(database: Database) -> None:
    ids = [str(number) for number in range(6)]
    await add(database, *(new(one, order_key="x") for one in ids))
    [first] = await claim(database, now=1000.0)
    await hand_back(database, first, DeliveryState.PENDING, due_at=5000.0, failing_since=1000.0)
    assert await claim(database, now=1000.0 + PATIENCE - 1) == []
    now, tried = 1000.0 + PATIENCE, [first.delivery_id]
    while claimed := await claim(database, now=now):
        # In their order still, one at a time.
        [one] = claimed
        assert await claim(database, now=now) == []
        tried.append(one.delivery_id)
        await hand_back(database, one, DeliveryState.PENDING, due_at=5000.0, failing_since=now)
    assert tried == ids
    # One that comes now waits for its own time, and not for what has been failing for longer.
    await add(database, new("6", order_key="x", due_at=now + 10))
    assert await claim(database, now=now + PATIENCE - 1) == []
    assert [row.delivery_id for row in await claim(database, now=now + PATIENCE)] == ["6"]


async def test_a_dead_one_blocks_nobody(database: Database) -> None:
    await add(database, new("1", order_key="x"), new("2", order_key="x"))
    [first] = await claim(database)
    await hand_back(database, first, DeliveryState.DEAD)
    assert [row.delivery_id for row in await claim(database)] == ["2"]


async def test_what_is_planned_for_later_blocks_nobody(database: Database) -> None:
    await add(database, new("1", order_key="x", due_at=9000.0), new("2", order_key="x"))
    assert [row.delivery_id for row in await claim(database)] == ["2"]


async def test_what_became_of_one_is_kept_with_its_runs(database: Database) -> None:
    await add(database, new("a"))
    [claimed] = await claim(database)
    error = "연결할 수 없음 \"x\" 'y'"
    kept = await hand_back(
        database, claimed, DeliveryState.PENDING, due_at=1010.0, failing_since=1001.0, error=error, done_by='["one"]'
    )
    assert kept == {("a", 1)}
    [claimed] = await claim(database, now=1010.0)
    assert (claimed.attempts, claimed.failing_since, claimed.done_by) == (2, 1001.0, '["one"]')
    assert await hand_back(database, claimed, DeliveryState.DONE, finished_at=1011.0) == {("a", 2)}
    async with database.read() as connection:
        whole = await get_delivery(connection, "a")
    assert whole is not None
    assert (whole.row.state, whole.row.finished_at, whole.row.error) == (DeliveryState.DONE, 1011.0, "")
    assert [(run.attempt, run.outcome, run.error) for run in whole.runs] == [
        (1, RunOutcome.FAILED, error),
        (2, RunOutcome.DONE, ""),
    ]


async def test_only_its_holder_hands_one_back(database: Database) -> None:
    await add(database, new("a"))
    [claimed] = await claim(database)
    async with database.transaction() as connection:
        worked = WorkedRow(delivery_id="a", attempt=1, state=DeliveryState.DONE)
        assert await hand_back_deliveries(connection, "other", [worked], [], now=1001.0) == set()
        late = msgspec.structs.replace(worked, attempt=2)
        assert await hand_back_deliveries(connection, "h", [late], [], now=1001.0) == set()
    assert (await state_of(database, "a")).state is DeliveryState.WORKING
    async with database.transaction() as connection:
        assert await cancel_delivery(connection, "a", 1002.0)
        assert not await cancel_delivery(connection, "a", 1003.0)
    assert await hand_back(database, claimed, DeliveryState.DONE) == set()
    row = await state_of(database, "a")
    assert (row.state, row.finished_at) == (DeliveryState.CANCELLED, 1002.0)


async def test_leases_are_renewed_and_found_when_they_are_over(database: Database) -> None:
    await add(database, new("a"), new("b"))
    await claim(database, "one", most=1)
    await claim(database, "two", most=1)
    async with database.transaction() as connection:
        assert await renew_leases(connection, "one", ["a", "b"], 2000.0) == 1
        [lost] = await lost_deliveries(connection, 1500.0)
        assert (lost.delivery_id, lost.holder, lost.attempts, lost.attempts_allowed) == ("b", "two", 1, 3)
        assert [row.delivery_id for row in await lost_deliveries(connection, 0.0, holder="one")] == ["a"]
        assert await lost_deliveries(connection, 0.0, holder="one", apart_from=["a"]) == []
        assert await renew_leases(connection, "one", [], 3000.0) == 0


async def test_deliveries_are_found_by_all_that_is_known_of_them(database: Database) -> None:
    moments = [1000.0, 2000.0, 3000.0]
    ids = [id_at(moment) for moment in moments]
    await add(
        database,
        new(ids[0], received_at=moments[0], event="push", order_key="call-1", body="환불 요청".encode()),
        new(ids[1], received_at=moments[1], source="stripe", event="invoice.paid", other_id="evt_1"),
        new(ids[2], received_at=moments[2], event="invoice_paid"),
    )
    newest_first = ids[::-1]
    assert await listed(database) == newest_first
    assert await listed(database, before=ids[2]) == newest_first[1:]
    assert await listed(database, source="stripe") == [ids[1]]
    assert await listed(database, source="stripe", event="push") == []
    assert await listed(database, event="push") == [ids[0]]
    assert await listed(database, state=DeliveryState.PENDING) == newest_first
    assert await listed(database, state=DeliveryState.DONE) == []
    assert await listed(database, since=2000.0, until=3000.0) == [ids[1]]
    assert await listed(database, text="evt_1") == [ids[1]]
    assert await listed(database, text="evt") == []
    assert await listed(database, text="call-1") == [ids[0]]
    assert await listed(database, text=ids[2]) == [ids[2]]
    assert await listed(database, text="ICE.P") == [ids[1]]
    assert await listed(database, text="e_p") == [ids[2]]
    assert await listed(database, body="환불", since=0.0, until=2500.0) == [ids[0]]
    [claimed] = await claim(database, most=1)
    await hand_back(database, claimed, DeliveryState.DEAD, error="HTTP 500 from crm", finished_at=1.0)
    assert await listed(database, text="http 500") == [ids[0]]
    assert await listed(database, state=DeliveryState.DEAD) == [ids[0]]
    async with database.read() as connection:
        assert await count_deliveries(connection, DeliveryFilter(source="github")) == 2
        counts = {
            (one.source, one.state): (one.count, one.oldest, one.due_at) for one in await count_unfinished(connection)
        }
    assert counts == {
        ("github", DeliveryState.DEAD): (1, 1000.0, 1000.0),
        ("github", DeliveryState.PENDING): (1, 3000.0, 1000.0),
        ("stripe", DeliveryState.PENDING): (1, 2000.0, 1000.0),
    }


async def test_a_page_looks_at_so_many_rows_and_tells_where_to_go_on(database: Database) -> None:
    ids = [f"{number:03}" for number in range(100)]
    await add(database, *(new(one, event="rare" if number % 40 == 5 else "push") for number, one in enumerate(ids)))
    found, before, pages = [], None, 0
    async with database.read() as connection:
        while True:
            wanted = DeliveryFilter(source="github", text="rare")
            page = await page_of_deliveries(connection, wanted, before=before, limit=2, most_read=10)
            found += [row.delivery_id for row in page.rows]
            pages += 1
            before = page.before
            if before is None:
                break
    assert found == ["085", "045", "005"]
    assert pages >= 10


async def lined_up_and_fresh(database: Database) -> list[NewDelivery]:
    """Sixty deliveries, every other one, on SQLite, fresh."""
    rows = [
        new(
            f"{number:03}",
            source=("github", "stripe", "webex")[number % 3],
            event=("push", "paid", "opened", "paid.late")[number % 4],
            received_at=1000.0 + number,
            due_at=2000.0 - number,
        )
        for number in range(60)
    ]
    await add(database, *rows[::2])
    async with database.transaction() as connection:
        await line_up(connection, 2000.0, most=len(rows))
    await add(database, *rows[1::2])
    async with database.read() as connection:
        fresh = await connection.scalar(text("SELECT count(*) FROM deliveries WHERE fresh"))
    assert fresh == (0 if database.is_postgresql else 30)
    return rows


WANTED: list[dict[str, Any]] = [
    {},
    {"source": "stripe"},
    {"event": "paid"},
    {"state": DeliveryState.PENDING},
    {"state": DeliveryState.CANCELLED},
    {"source": "github", "event": "push", "state": DeliveryState.PENDING},
    {"text": "late"},
    {"text": "017"},
    {"source": "webex", "body": " body"},
]


async def test_fresh_ones_are_listed_and_counted_among_the_others(database: Database) -> None:
    rows = await lined_up_and_fresh(database)
    cancelled = {"008", "009", "033", "034"}
    async with database.transaction() as connection:
        for delivery_id in cancelled:
            assert await cancel_delivery(connection, delivery_id, 2000.0)

    def state_of(row: NewDelivery) -> DeliveryState:
        return DeliveryState.CANCELLED if row.delivery_id in cancelled else DeliveryState.PENDING

    def is_wanted(row: NewDelivery, wanted: dict[str, Any]) -> bool:
        has = {"source": row.source, "event": row.event, "state": state_of(row)}
        part = wanted.get("text", "")
        return all(has[name] == wanted[name] for name in has if name in wanted) and (
            part in row.event or part == row.delivery_id
        )

    async with database.read() as connection:
        for wanted in WANTED:
            expected = [row.delivery_id for row in reversed(rows) if is_wanted(row, wanted)]
            found: list[str] = []
            before: str | None = None
            while True:
                page = await page_of_deliveries(
                    connection, DeliveryFilter(**wanted), before=before, limit=4, most_read=7
                )
                found += [row.delivery_id for row in page.rows]
                before = page.before
                if before is None:
                    break
            assert found == expected, wanted
            assert await count_deliveries(connection, DeliveryFilter(**wanted)) == len(expected)
        counted = {(one.source, one.state): one for one in await count_unfinished(connection)}
    assert counted.keys() == {(row.source, state_of(row)) for row in rows}
    for (source, state), one in counted.items():
        which = [row for row in rows if is_wanted(row, {"source": source, "state": state})]
        assert one.count == len(which)
        assert one.oldest == min(row.received_at for row in which)
        assert one.due_at == min(row.due_at for row in which)


async def test_fresh_ones_that_were_cancelled_can_be_replayed(database: Database) -> None:
    rows = await lined_up_and_fresh(database)
    async with database.transaction() as connection:
        assert await cancel_delivery(connection, "009", 2000.0)
        found = await find_deliveries(connection, DeliveryFilter(), after="", limit=10)
        assert found == FoundDeliveries(["009"], None)
        assert await replay_deliveries(connection, [("009", 2000.0)], 5) == 1
    assert [row.delivery_id for row in await claim(database, now=2000.0)] == [row.delivery_id for row in rows]


async def test_a_list_is_read_by_indexes(database: Database) -> None:
    await fill(database, {DeliveryState.DONE: 2000, DeliveryState.DEAD: 400, DeliveryState.PENDING: 100})
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE deliveries SET source = 'stripe', event = 'paid' WHERE state = 'dead'"))
        # SQLite is never told how many there are of what.
        forget = [f"DROP TABLE IF EXISTS sqlite_stat{number}" for number in (1, 4)]
        for statement in ["ANALYZE deliveries"] if database.is_postgresql else forget:
            await connection.execute(text(statement))
    by: list[tuple[str, dict[str, Any]]] = [
        ("source", {"source": "stripe"}),
        ("source", {"source": "stripe", "text": "dead"}),
        ("event", {"event": "paid"}),
        ("event", {"source": "stripe", "event": "paid"}),
        ("state", {"state": DeliveryState.PENDING}),
        ("state", {"source": "github", "state": DeliveryState.PENDING}),
        ("state", {"source": "stripe", "event": "paid", "state": DeliveryState.DEAD}),
    ]
    for index, wanted in by:
        async with database.read() as connection:
            plans = Plans(connection)
            await page_of_deliveries(connection, DeliveryFilter(**wanted), before=None, limit=50)
            await page_of_deliveries(connection, DeliveryFilter(**wanted), before="pending00050", limit=50)
            plan = await plans.all()
        if not database.is_postgresql:  # which knows several ways to a few
            assert plan.count(f"deliveries_{index}_idx") == 4, wanted
            fresh_may_be_meant = wanted.get("state") is not DeliveryState.DEAD
            assert plan.count("deliveries_fresh_idx") == (4 if fresh_may_be_meant else 0), wanted
        for walk in ("Seq Scan on deliveries", "SCAN deliveries USING INDEX sqlite_autoindex", "TEMP B-TREE"):
            assert walk not in plan


async def test_ids_grow_with_time() -> None:
    before = time.time()
    delivery_id = str(uuid7())
    assert id_at(before - 0.001) < delivery_id < id_at(time.time() + 0.001)
    assert len(id_at(before)) == len(delivery_id)


async def test_replays_are_of_what_has_ended(database: Database) -> None:
    await add(database, *(new(name) for name in ("dead", "done", "live")))
    by_id = {row.delivery_id: row for row in await claim(database)}
    await hand_back(database, by_id["dead"], DeliveryState.DEAD, done_by='["one"]', failing_since=1.0, finished_at=9.0)
    await hand_back(database, by_id["done"], DeliveryState.DONE, done_by='["one","two"]', finished_at=9.0)
    async with database.transaction() as connection:
        every = DeliveryFilter()
        found = await find_deliveries(connection, every, after="", limit=10)
        assert found == FoundDeliveries(["dead", "done"], None)
        assert (await find_deliveries(connection, every, after="dead", limit=10)).ids == ["done"]
        assert await find_deliveries(connection, every, after="", limit=1) == FoundDeliveries(["dead"], "dead")
        few = await find_deliveries(connection, DeliveryFilter(text="none"), after="", limit=10, most_read=2)
        assert few == FoundDeliveries([], "done")
        due = [("dead", 2000.5), ("done", 2001.5), ("live", 2002.5), ("none", 1.0)]
        assert await replay_deliveries(connection, due, 5) == 2
        assert await replay_deliveries(connection, [], 5) == 0
    assert await claim(database, now=2000.0) == []
    dead, done = await claim(database, now=2002.0)
    assert (dead.done_by, dead.attempts, dead.attempts_allowed, dead.replays, dead.failing_since) == (
        '["one"]',
        2,
        6,
        1,
        None,
    )
    assert done.done_by == "[]"


async def test_only_what_ended_long_ago_is_deleted(database: Database) -> None:
    await add(database, *(new(name) for name in ("done-old", "done-new", "dead-old", "live")))
    by_id = {row.delivery_id: row for row in await claim(database)}
    await hand_back(database, by_id["done-old"], DeliveryState.DONE, finished_at=100.0)
    await hand_back(database, by_id["done-new"], DeliveryState.DONE, finished_at=300.0)
    await hand_back(database, by_id["dead-old"], DeliveryState.DEAD, finished_at=100.0)
    async with database.transaction() as connection:
        assert await delete_ended(connection, done_before=200.0, dead_before=50.0) == 1
    assert await listed(database) == ["live", "done-new", "dead-old"]
    async with database.transaction() as connection:
        assert await delete_ended(connection, done_before=0.0, dead_before=200.0, most=1) == 1
        assert await delete_ended(connection, done_before=0.0, dead_before=200.0) == 0
    assert await listed(database) == ["live", "done-new"]


async def test_what_is_replayed_while_the_old_is_deleted_stays(database: Database) -> None:
    await add(database, *(new(name) for name in ("done", "dead")))
    by_id = {row.delivery_id: row for row in await claim(database)}
    await hand_back(database, by_id["done"], DeliveryState.DONE, finished_at=100.0)
    await hand_back(database, by_id["dead"], DeliveryState.DEAD, finished_at=100.0)

    async def tidy() -> int:
        async with database.transaction() as connection:
            return await delete_ended(connection, done_before=200.0, dead_before=200.0)

    async with database.transaction() as connection:
        assert await replay_deliveries(connection, [("done", 2000.0), ("dead", 2000.0)], 5) == 2
        # On SQLite it waits for us, on PostgreSQL it has not to.
        tidying = asyncio.create_task(tidy())
        if database.is_postgresql:
            await tidying
    assert await tidying == 0
    assert sorted(await listed(database)) == ["dead", "done"]


async def fill(database: Database, per_state: dict[DeliveryState, int]) -> None:
    """So many of each state, that ended at 100, known to the engine's planner."""
    for state, count in per_state.items():
        ids = [f"{state}{number:05}" for number in range(count)]
        await add(database, *(new(one, body=os.urandom(1500)) for one in ids))
        async with database.transaction() as connection:
            values = {"state": state.value, "ended": 100.0 if state is DeliveryState.DONE else 900.0}
            of_it = "WHERE delivery_id LIKE :state || '%'"
            await line_up(connection, 2000.0, most=count)
            await connection.execute(
                text(f"UPDATE deliveries SET state = :state, finished_at = :ended {of_it}"),
                values,
            )
    async with database.transaction() as connection:
        await connection.execute(text("ANALYZE deliveries"))


async def test_old_ones_are_found_without_a_walk_past_those_that_are_kept(database: Database) -> None:
    await fill(database, {DeliveryState.DONE: 1500, DeliveryState.DEAD: 1500, DeliveryState.PENDING: 100})
    async with database.transaction() as connection:
        plans = Plans(connection)
        assert await delete_ended(connection, done_before=100.0, dead_before=900.0) == 0
        plan = await plans.all()
    assert "deliveries_done_idx" in plan
    assert "deliveries_dead_idx" in plan
    assert "Seq Scan on deliveries" not in plan
    assert "SCAN deliveries" not in plan


async def test_what_stands_is_counted_without_reading_it(database: Database) -> None:
    await fill(database, {DeliveryState.DONE: 2000, DeliveryState.DEAD: 400, DeliveryState.PENDING: 100})
    if database.is_postgresql:
        # As it does by itself: only then may an index answer for rows.
        async with database.driver() as driver:
            await driver.execute("VACUUM deliveries")
    async with database.read() as connection:
        plans = Plans(connection)
        counts = {one.state: one.count for one in await count_unfinished(connection)}
        plan = await plans.all()
    assert counts == {DeliveryState.DEAD: 400, DeliveryState.PENDING: 100}
    covering = "Index Only Scan using" if database.is_postgresql else "USING COVERING INDEX"
    assert f"{covering} deliveries_unfinished_idx" in plan
    assert f"{covering} deliveries_fresh_idx" in plan
