"""The order of deliveries with one key, held against the rule in plain Python; and marks that must strand nobody."""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from daemon.stores.database import Database
from daemon.stores.deliveries import cancel_delivery, replay_deliveries
from daemon.stores.delivery_inserts import NewDelivery, add_deliveries
from daemon.stores.delivery_order import any_fresh, line_up, release_next, waiting_keys
from daemon.stores.delivery_work import (
    ClaimedRow,
    DeliveryState,
    LostRow,
    WorkedRow,
    claim_deliveries,
    claim_following,
    hand_back_deliveries,
    lost_deliveries,
)
from tests.daemon.stores.plans import Plans
from tests.services.databases import SqliteDatabases

PROVE = os.environ.get("PARLEY_PROVE") == "1"
STORIES = 2000 if PROVE else 200
RACES = 40 if PROVE else 4
PATIENCE = 60.0
MOST = 100
KEYS = (None, "a", "b", "a", "a")
PENDING, WORKING, DONE, DEAD, CANCELLED = DeliveryState
ENDED = (DONE, DEAD, CANCELLED)


@dataclass
class Row:
    """A delivery as the rule sees it."""

    number: int
    key: str | None
    due_at: float
    state: DeliveryState = PENDING
    failing_since: float | None = None
    claimed: ClaimedRow | None = None

    def blocks(self, later: Row, now: float) -> bool:
        """Whether ``later`` may not be begun for it."""
        if self.key is None or self.key != later.key or self.number >= later.number or self.state in ENDED:
            return False
        if self.failing_since is None:
            return self.state is WORKING or self.due_at <= now
        return self.failing_since > now - PATIENCE and later.due_at > now - PATIENCE


@dataclass
class Story:
    """A store, what it should hold, and the time."""

    database: Database
    rows: list[Row] = field(default_factory=list)
    now: float = 1000.0

    def free(self) -> list[Row]:
        """Those that may be claimed, all at once."""
        due = [row for row in self.rows if row.state is PENDING and row.due_at <= self.now]
        return [row for row in due if not any(other.blocks(row, self.now) for other in self.rows)]

    def one(self, states: tuple[DeliveryState, ...], choice: int) -> Row | None:
        fitting = [row for row in self.rows if row.state in states]
        return fitting[choice % len(fitting)] if fitting else None

    async def accept(self, keys: list[int], later: int) -> None:
        """Several at once, due now or ``later``."""
        came = [Row(len(self.rows) + place, KEYS[key], self.now + later) for place, key in enumerate(keys)]
        self.rows += came
        await add_deliveries(self.database, [new(row, self.now) for row in came])

    async def claim(self, most_following: int) -> None:
        """All that is free, and what may be worked behind it."""
        free = self.free()
        async with self.database.transaction() as connection:
            moment: dict[str, Any] = {"now": self.now, "until": self.now + 30, "patience": PATIENCE}
            firsts = await claim_deliveries(connection, "h", most=MOST, **moment)
            following = await claim_following(connection, "h", firsts, most=most_following, **moment)
        assert [number(row) for row in firsts] == [row.number for row in free]
        for claimed in firsts:
            self.take(claimed)
        for claimed in following:
            row = self.rows[number(claimed)]
            assert row.state is PENDING
            assert row.due_at <= self.now
            # It waits for none but those that are worked before it by the same task.
            before = [other for other in self.rows if other.blocks(row, self.now)]
            assert before
            assert all(other.claimed in (*firsts, *following) for other in before)
            self.take(claimed)
        if most_following:
            self.require_whole_series(firsts, following, most_following)

    def require_whole_series(self, firsts: list[ClaimedRow], following: list[ClaimedRow], most: int) -> None:
        """Where nothing of a key was ever tried, planned or at work, nobody is left out without need."""
        for first in firsts:
            of_key = [row for row in self.rows if row.key == first.order_key and row.state not in ENDED]
            behind = [row for row in of_key if row.number > number(first)]
            if first.order_key is not None and all(
                row.failing_since is None
                and row.due_at <= self.now
                and (row.state is PENDING or row.claimed in (*firsts, *following))
                for row in of_key
            ):
                taken = [row for row in following if row.order_key == first.order_key]
                assert len(taken) == min(most, len(behind))

    def take(self, claimed: ClaimedRow) -> None:
        row = self.rows[number(claimed)]
        row.state, row.claimed = WORKING, claimed

    async def hand_back(self, choice: int, state: DeliveryState, *, fails: bool, pause: int) -> None:
        row = self.one((WORKING,), choice)
        if row is None or row.claimed is None:
            return
        row.state = state
        if fails:
            row.failing_since = row.failing_since or self.now
        row.due_at = self.now + pause if state is PENDING and fails else row.due_at
        worked = WorkedRow(
            delivery_id=row.claimed.delivery_id,
            attempt=row.claimed.attempts,
            state=state,
            due_at=row.due_at,
            failing_since=row.failing_since,
            finished_at=None if state is PENDING else self.now,
            postponed=int(not fails and state is PENDING),
        )
        async with self.database.transaction() as connection:
            kept = await hand_back_deliveries(connection, "h", [worked], [], now=self.now)
        assert kept == {(row.claimed.delivery_id, row.claimed.attempts)}

    async def cancel(self, choice: int) -> None:
        row = self.one((PENDING, WORKING), choice)
        if row is not None:
            row.state = CANCELLED
            async with self.database.transaction() as connection:
                assert await cancel_delivery(connection, name(row.number), self.now)

    async def replay(self, choice: int, later: int) -> None:
        row = self.one(ENDED, choice)
        if row is not None:
            row.state, row.due_at, row.failing_since = PENDING, self.now + later, None
            async with self.database.transaction() as connection:
                assert await replay_deliveries(connection, [(name(row.number), row.due_at)], 9) == 1

    async def lose(self) -> None:
        """All that is worked on is lost and given to others, to be tried at once or later."""
        self.now += 31
        async with self.database.transaction() as connection:
            lost = await lost_deliveries(connection, self.now, most=MOST)
            worked = [self.lost(row) for row in lost]
            await hand_back_deliveries(connection, "h", worked, [], now=self.now)

    def lost(self, found: LostRow) -> WorkedRow:
        row = self.rows[int(found.delivery_id)]
        row.state, row.failing_since, row.due_at = PENDING, row.failing_since or self.now, self.now + 5
        return WorkedRow(
            delivery_id=found.delivery_id,
            attempt=found.attempts,
            state=PENDING,
            due_at=row.due_at,
            failing_since=row.failing_since,
        )


def name(of: int) -> str:
    return f"{of:06}"


def number(claimed: ClaimedRow) -> int:
    return int(claimed.delivery_id)


def new(row: Row, now: float) -> NewDelivery:
    return NewDelivery(
        delivery_id=name(row.number),
        source="github",
        event="push",
        order_key=row.key,
        received_at=now,
        due_at=row.due_at,
        attempts_allowed=9,
        body=b"{}",
    )


CHOICE = st.integers(0, 50)
STEPS = st.one_of(
    st.tuples(
        st.just("accept"),
        st.lists(st.integers(0, 4), min_size=1, max_size=6),
        st.sampled_from([0, 0, 0, 40]),
    ),
    st.tuples(st.just("claim"), st.sampled_from([0, 0, 1, 3])),
    st.tuples(st.just("claim"), st.just(0)),
    st.tuples(st.just("done"), CHOICE),
    st.tuples(st.just("dead"), CHOICE),
    st.tuples(st.just("fail"), CHOICE, st.sampled_from([5, 100])),
    st.tuples(st.just("untried"), CHOICE),
    st.tuples(st.just("cancel"), CHOICE),
    st.tuples(st.just("replay"), CHOICE, st.sampled_from([0, 0, 40])),
    st.tuples(st.just("lose")),
    st.tuples(st.just("pass"), st.sampled_from([1, 5, 30, 59, 60, 61])),
)


async def go(story: Story, step: tuple[Any, ...]) -> None:
    match step:
        case ("accept", keys, later):
            await story.accept(keys, later)
        case ("claim", most):
            await story.claim(most)
        case ("done", choice):
            await story.hand_back(choice, DONE, fails=False, pause=0)
        case ("dead", choice):
            await story.hand_back(choice, DEAD, fails=True, pause=0)
        case ("fail", choice, pause):
            await story.hand_back(choice, PENDING, fails=True, pause=pause)
        case ("untried", choice):
            await story.hand_back(choice, PENDING, fails=False, pause=0)
        case ("cancel", choice):
            await story.cancel(choice)
        case ("replay", choice, later):
            await story.replay(choice, later)
        case ("lose",):
            await story.lose()
        case ("pass", seconds):
            story.now += seconds


async def empty(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("DELETE FROM deliveries"))


def test_claims_are_those_of_the_rule(database_url: str) -> None:
    with asyncio.Runner() as runner:
        database = Database.of(database_url)

        @settings(max_examples=STORIES)
        @given(st.lists(STEPS, min_size=5, max_size=40))
        def tell(steps: list[tuple[Any, ...]]) -> None:
            async def told() -> None:
                await empty(database)
                story = Story(database)
                for step in steps:
                    await go(story, step)
                # However it went, everything comes to its end.
                await drain(story)

            runner.run(told())

        try:
            tell()
        finally:
            runner.run(database.close())


async def drain(story: Story) -> None:
    while any(row.state not in ENDED for row in story.rows):
        await story.claim(2)
        while story.one((WORKING,), 0) is not None:
            await story.hand_back(0, DONE, fails=False, pause=0)
        story.now += 100.0


async def work(database: Database, holder: str, following: int) -> int:
    """Claim what there is and hand it back as done, once."""
    async with database.transaction() as connection:
        moment: dict[str, Any] = {"now": 2000.0, "until": 3000.0, "patience": PATIENCE}
        firsts = await claim_deliveries(connection, holder, most=MOST, **moment)
        claimed = firsts + await claim_following(connection, holder, firsts, most=following, **moment)
    worked = [WorkedRow(delivery_id=row.delivery_id, attempt=row.attempts, state=DONE) for row in claimed]
    async with database.transaction() as connection:
        kept = await hand_back_deliveries(connection, holder, worked, [], now=2000.0)
    assert len(kept) == len(worked)
    return len(kept)


async def race(database: Database, count: int) -> None:
    """Rows come one by one while those before them end: each may be marked in the moment in which its block goes."""

    async def come() -> None:
        for one in range(count):
            await add_deliveries(database, [new(Row(one, random.choice("abc"), 1000.0), 1000.0)])

    async def go_on(holder: str, following: int) -> None:
        while not coming.done() or await work(database, holder, following):
            await work(database, holder, following)

    coming = asyncio.create_task(come())
    await asyncio.gather(coming, *(go_on(f"h{one}", one) for one in range(3)))
    # Whoever stopped first may have left something to another who was at it. And one that was stored while the last
    # before it came to its end is found by looking for it, as workers do now and then.
    while await work(database, "last", 0) or await look(database):
        pass


async def look(database: Database) -> int:
    """Release what waits and was told by nobody to go on; how many these are."""
    async with database.transaction() as connection:
        return await release_next(connection, await waiting_keys(connection, most=10), 2000.0)


async def test_nobody_is_forgotten_whatever_happens_at_the_same_time(database: Database) -> None:
    for _ in range(RACES):
        await race(database, 120)
        async with database.read() as connection:
            done = await connection.scalar(text("SELECT count(*) FROM deliveries WHERE state = 'done'"))
        assert done == 120
        await empty(database)


async def test_one_that_was_forgotten_is_found_by_looking(database: Database) -> None:
    keys = [f"k{number:02}" for number in range(7)]
    rows = [Row(number, key, 1000.0) for number, key in enumerate(key for key in keys for _ in range(3))]
    await add_deliveries(database, [new(row, 1000.0) for row in rows])
    async with database.transaction() as connection:
        await line_up(connection, 2000.0, most=len(rows))
        # As if nobody had seen the first of each end.
        firsts = text("UPDATE deliveries SET state = 'done' WHERE NOT waits")
        assert (await connection.execute(firsts)).rowcount == len(keys)
    assert await work(database, "h", 10) == 0
    after, released = ("", ""), 0
    while True:
        async with database.transaction() as connection:
            found = await waiting_keys(connection, after=after, most=3)
            released += await release_next(connection, found, 2000.0)
        if len(found) < 3:
            break
        after = found[-1]
    assert released == len(keys)
    assert await work(database, "h", 10) == 2 * len(keys)


async def test_those_stored_behind_a_double_are_found_by_looking(database: Database) -> None:
    known = msgspec.structs.replace(new(Row(0, None, 1000.0), 1000.0), other_id="1")
    await add_deliveries(database, [known])
    double = msgspec.structs.replace(new(Row(1, "a", 1000.0), 1000.0), other_id="1")
    await add_deliveries(database, [double, new(Row(2, "a", 1000.0), 1000.0), new(Row(3, "a", 1000.0), 1000.0)])
    worked = await work(database, "h", 10)
    async with database.transaction() as connection:
        released = await release_next(connection, await waiting_keys(connection, most=10), 2000.0)
    # On SQLite they are lined up later, when the double is known for one.
    assert (worked, released) == ((1, 1) if database.is_postgresql else (3, 0))
    assert worked + await work(database, "h", 10) == 3


async def test_a_claim_lines_up_so_many_and_the_next_one_more(sqlite_databases: SqliteDatabases) -> None:
    database = Database.of(await asyncio.to_thread(sqlite_databases.make))
    rows = [Row(number, "a" if number < 50 else "b", 1000.0) for number in range(51)]
    await add_deliveries(database, [new(row, 1000.0) for row in rows])
    found: list[int] = []
    claims = 0
    while len(found) < 2:
        async with database.transaction() as connection:
            found += map(
                number, await claim_deliveries(connection, "h", now=2000.0, until=2030.0, most=2, patience=1.0)
            )
            fresh = await connection.scalar(text("SELECT count(*) FROM deliveries WHERE fresh"))
            assert await any_fresh(connection) is (fresh > 0)
        claims += 1
        assert fresh == max(0, 51 - 8 * claims)
    assert (found, claims) == ([0, 50], 7)
    await database.close()


async def test_who_is_lined_up_is_found_by_indexes(sqlite_databases: SqliteDatabases) -> None:
    database = Database.of(await asyncio.to_thread(sqlite_databases.make))
    async with database.transaction() as connection:
        plans = Plans(connection)
        await line_up(connection, 2000.0, most=MOST)
        await any_fresh(connection)
        plan = await plans.all()
    await database.close()
    assert plan.count("deliveries_fresh_idx") == 2
    assert "deliveries_waiting_idx (source=? AND order_key=? AND delivery_id<?)" in plan
    assert "SEARCH deliveries USING COVERING INDEX sqlite_autoindex_deliveries_1 (delivery_id=?)" in plan


async def test_a_claim_reads_nothing_of_what_waits(database: Database) -> None:
    rows = [new(Row(number, "a", 1000.0), 1000.0) for number in range(3000)]
    await add_deliveries(database, rows)
    async with database.transaction() as connection:
        await line_up(connection, 2000.0, most=len(rows))
        await connection.execute(text("ANALYZE deliveries"))
    # The first of each group, which is marked by the claim that comes across it.
    assert await work(database, "h", 0) == 1
    async with database.transaction() as connection:
        plans = Plans(connection)
        claimed = await claim_deliveries(connection, "h", now=2000.0, until=3000.0, most=MOST, patience=PATIENCE)
        assert len(claimed) == 1
        await claim_following(connection, "h", claimed, now=2000.0, until=3000.0, most=5, patience=PATIENCE)
        plan = await plans.all(apart_from="SET fresh")
        in_the_way = text("SELECT count(*) FROM deliveries WHERE state = 'pending' AND NOT waits")
        assert await connection.scalar(in_the_way) == 0
    assert "deliveries_due_idx" in plan
    assert "deliveries_untried_idx" in plan
    for index in ("deliveries_waiting_idx", "deliveries_state_idx", "deliveries_unfinished_idx"):
        assert index not in plan
    assert "Seq Scan on deliveries" not in plan
    assert "SCAN deliveries" not in plan
