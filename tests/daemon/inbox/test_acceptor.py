"""Group commit: what is said yes to is stored, and one bad row fails alone."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence

import pytest
from sqlalchemy import make_url, text

from daemon.inbox import acceptor
from daemon.inbox.acceptor import Acceptor
from daemon.inbox.contract import InboxFullError
from daemon.stores.database import Database, DatabaseAwayError, RowRefusedError
from daemon.stores.delivery_inserts import Accepted, Fate, NewDelivery, sqlite_insert
from tests.daemon.inbox.workshop import Workshop, at_work
from tests.services.databases import PostgresDatabases, SqliteDatabases
from tests.services.postgres import PostgresServer
from tests.web.turns import until


async def test_all_who_wait_share_a_transaction(database: Database) -> None:
    shop = Workshop(database)
    groups = []
    shop.acceptor = Acceptor(database, lambda *_: groups.append(1))
    asking = [asyncio.create_task(shop.accept(other_id=str(number))) for number in range(200)]
    await asyncio.sleep(0)
    assert shop.acceptor.waiting == 200
    async with at_work(shop.acceptor):
        accepted = await asyncio.gather(*asking)
    assert {one.fate for one in accepted} == {Fate.STORED}
    assert len(groups) == 1
    assert len(await shop.all()) == 200


@pytest.mark.parametrize(("patience", "sizes"), [(3_600.0, [10, 10, 5]), (0.0, [10, 10, 1, 4])])
async def test_a_group_waits_a_moment_for_half_of_what_came_before(
    database: Database, monkeypatch: pytest.MonkeyPatch, patience: float, sizes: list[int]
) -> None:
    monkeypatch.setattr(acceptor, "_PATIENCE", patience)
    shop = Workshop(database)
    stored: list[int] = []
    shop.acceptor = Acceptor(database, lambda deliveries, _: stored.append(len(deliveries)))
    async with at_work(shop.acceptor), asyncio.timeout(30):
        for _ in range(2):
            await asyncio.gather(*(shop.accept() for _ in range(10)))
        first = asyncio.create_task(shop.accept())
        if patience:
            await until(lambda: shop.acceptor.waiting == 1)
        else:
            await first
        await asyncio.gather(first, *(shop.accept() for _ in range(4)))
    assert stored == sizes


async def test_where_many_come_again_and_again_half_of_them_are_stored_at_once(database: Database) -> None:
    shop = Workshop(database)
    stored: list[int] = []
    shop.acceptor = Acceptor(database, lambda deliveries, _: stored.append(len(deliveries)))
    async with at_work(shop.acceptor), asyncio.timeout(30):
        for count in (10, 30, 40):
            await asyncio.gather(*(shop.accept() for _ in range(count)))
    assert stored == [10, 20, 10, 25, 15]


async def test_a_group_that_cannot_follow_at_once_is_stored_all_the_same(
    sqlite_databases: SqliteDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database.of(await asyncio.to_thread(sqlite_databases.make))
    shop = Workshop(database)
    left = [MemoryError()]

    def fail_once(rows: Sequence[NewDelivery]) -> tuple[str, list[object]]:
        if len(rows) == 5 and left:
            raise left.pop()
        return sqlite_insert(rows)

    monkeypatch.setattr("daemon.inbox.acceptor.sqlite_insert", fail_once)
    async with at_work(shop.acceptor), asyncio.timeout(30):
        first = [shop.acceptor.accept(shop.delivery()) for _ in range(3)]
        await until(lambda: shop.acceptor.waiting == 0)
        accepted = await asyncio.gather(*first, *(shop.accept() for _ in range(5)))
    assert [one.fate for one in accepted] == [Fate.STORED] * 8
    assert not left
    assert len(await shop.all()) == 8
    await database.close()


async def test_all_are_told_whenever_it_stops(database: Database) -> None:
    shop = Workshop(database)
    told: list[Accepted | BaseException] = []
    asking: set[asyncio.Task[None]] = set()
    is_over = asyncio.Event()

    async def deliver() -> None:
        while not is_over.is_set():
            told.extend(await asyncio.gather(shop.accept(), return_exceptions=True))

    for turn in range(12):
        is_over.clear()
        async with at_work(shop.acceptor), asyncio.timeout(30):
            asking = {asyncio.create_task(deliver()) for _ in range(20)}
            enough = len(told) + 100 + 7 * turn
            await until(lambda enough=enough: len(told) >= enough)  # type: ignore[misc]
            is_over.set()
        async with asyncio.timeout(30):
            await asyncio.gather(*asking)
        assert shop.acceptor.waiting == 0
    accepted = {one.delivery_id for one in told if isinstance(one, Accepted)}
    assert {type(one) for one in told} <= {Accepted, DatabaseAwayError}
    async with database.read() as connection:
        stored = set(await connection.scalars(text("SELECT delivery_id FROM deliveries")))
    assert accepted <= stored


async def test_a_row_that_the_store_refuses_fails_alone(database: Database) -> None:
    shop = Workshop(database)
    asking = [
        asyncio.create_task(shop.accept(event="\ud800" if number in (3, 77) else "push")) for number in range(100)
    ]
    async with at_work(shop.acceptor):
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert [number for number, one in enumerate(outcomes) if isinstance(one, RowRefusedError)] == [3, 77]
    assert sum(isinstance(one, Accepted) for one in outcomes) == 98
    assert len(await shop.all()) == 98


async def test_a_nul_in_a_text_fails_alone_where_the_engine_takes_none(postgres_databases: PostgresDatabases) -> None:
    database = Database.of(await asyncio.to_thread(postgres_databases.make))
    shop = Workshop(database)
    asking = [asyncio.create_task(shop.accept(other_id="a\0b" if number == 5 else None)) for number in range(10)]
    async with at_work(shop.acceptor):
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert [number for number, one in enumerate(outcomes) if isinstance(one, RowRefusedError)] == [5]
    await database.close()


async def test_who_goes_away_meanwhile_does_not_keep_it_from_being_stored(database: Database) -> None:
    shop = Workshop(database)
    asking = asyncio.create_task(shop.accept(other_id="1"))
    await asyncio.sleep(0)
    asking.cancel()
    async with at_work(shop.acceptor):
        assert (await shop.accept(other_id="1")).fate is Fate.DOUBLE


async def test_a_store_that_is_away_says_no_and_is_used_again_when_it_is_back(postgres_server: PostgresServer) -> None:
    database = Database.of(postgres_server.url(), timeout=5.0)
    await database.upgrade()
    shop = Workshop(database)
    async with at_work(shop.acceptor):
        await shop.accept(other_id="1")
        await asyncio.to_thread(postgres_server.stop)
        with pytest.raises(DatabaseAwayError):
            await shop.accept(other_id="2")
        assert shop.acceptor.problem
        await asyncio.to_thread(postgres_server.start)
        assert (await shop.accept(other_id="2")).fate is Fate.STORED
        assert not shop.acceptor.problem
        assert (await shop.accept(other_id="1")).fate is Fate.DOUBLE
    await database.close()


async def test_it_waits_for_no_connection_of_others(postgres_databases: PostgresDatabases) -> None:
    url = await asyncio.to_thread(postgres_databases.make)
    database = Database.of(url, pool_size=2)
    shop = Workshop(database)
    async with database.transaction(), database.transaction(), at_work(shop.acceptor), asyncio.timeout(30):
        assert (await shop.accept(other_id="1")).fate is Fate.STORED
        # A group with a double in it asks the store once more.
        fates = [one.fate for one in await asyncio.gather(*(shop.accept(other_id=str(number)) for number in range(3)))]
        assert sorted(fates) == sorted([Fate.STORED, Fate.DOUBLE, Fate.STORED])
    await database.close()


async def test_it_waits_for_one_other_who_writes(sqlite_databases: SqliteDatabases) -> None:
    database = Database.of(await asyncio.to_thread(sqlite_databases.make))
    shop = Workshop(database)
    written = 0

    async def write() -> None:
        nonlocal written
        async with database.transaction() as connection:
            await connection.execute(text("SELECT 1"))
        written += 1

    async with at_work(shop.acceptor), asyncio.timeout(60):
        await shop.accept(other_id="1")
        others = [asyncio.create_task(write()) for _ in range(50)]
        await until(lambda: written > 0)
        assert (await shop.accept(other_id="1")).fate is Fate.DOUBLE
        # One before its statement, and one before it is looked at again.
        assert written < 10
        await asyncio.gather(*others)
    await database.close()


async def test_only_so_much_waits(database: Database) -> None:
    shop = Workshop(database)
    body = bytes(1024 * 1024)
    asking = [asyncio.create_task(shop.accept(body=body)) for _ in range(64)]
    await asyncio.sleep(0)
    with pytest.raises(InboxFullError):
        await shop.accept()
    async with at_work(shop.acceptor):
        await asyncio.gather(*asking)
        assert (await shop.accept()).fate is Fate.STORED


async def test_whoever_waits_at_a_stop_is_told_and_whoever_comes_later_too(
    postgres_databases: PostgresDatabases,
) -> None:
    database = Database.of(await asyncio.to_thread(postgres_databases.make))
    shop = Workshop(database)
    async with database.transaction() as connection:
        await connection.execute(text("SELECT 1"))
        async with at_work(shop.acceptor), asyncio.timeout(30):
            await shop.accept()
            # One that is refused splits its group; the lock holds up one half while the other waits for it.
            await connection.execute(text("LOCK TABLE deliveries IN EXCLUSIVE MODE"))
            events = ["\ud800", "push", "push", "push"]
            asking = [asyncio.create_task(shop.accept(event=event)) for event in events]
            while not asking[0].done():  # noqa: ASYNC110 - it waits for nobody's event
                await asyncio.sleep(0.005)
            asking.append(asyncio.create_task(shop.accept()))
            await asyncio.sleep(0)
    async with asyncio.timeout(30):
        refused, *away = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(refused, RowRefusedError)
        assert [type(one) for one in away] == [DatabaseAwayError] * 4
        with pytest.raises(DatabaseAwayError):
            await shop.accept()
    assert shop.acceptor.waiting == 0
    await database.close()


async def test_who_else_writes_waits_for_one_group_only(sqlite_databases: SqliteDatabases) -> None:
    database = Database.of(await asyncio.to_thread(sqlite_databases.make))
    shop = Workshop(database)
    accepted: list[asyncio.Future[Accepted]] = []
    groups = 0
    is_over = False

    def deliver() -> None:
        accepted.extend(shop.acceptor.accept(shop.delivery()) for _ in range(10))

    def stored(*_: object) -> None:
        nonlocal groups
        groups += 1
        if not is_over:
            deliver()  # who is told delivers again: by now the next group is being stored

    shop.acceptor = Acceptor(database, stored)
    async with at_work(shop.acceptor), asyncio.timeout(30):
        deliver()
        await until(lambda: len(accepted) == 20 and shop.acceptor.waiting == 0)
        deliver()
        for _ in range(20):
            before = groups
            taken = len(accepted) - shop.acceptor.waiting
            async with database.transaction() as connection:
                # What was taken before, told or not, and one group that may have been taken in this very moment.
                assert await connection.scalar(text("SELECT count(*) FROM deliveries")) <= taken + 10
                await connection.execute(text("DELETE FROM deliveries WHERE delivery_id = ''"))
            await until(lambda before=before: groups > before + 2)  # type: ignore[misc]
        is_over = True
        await asyncio.gather(*accepted)
        async with database.read() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM deliveries")) == len(accepted)
    await database.close()


async def test_what_is_refused_and_what_is_double_stop_nobody_behind_them(database: Database) -> None:
    shop = Workshop(database)
    known = [f"known-{number}" for number in range(5)]
    async with at_work(shop.acceptor), asyncio.timeout(60):
        await asyncio.gather(*(shop.accept(other_id=one) for one in known))

        async def deliver(number: int) -> list[object]:
            outcomes: list[object] = []
            for turn in range(5):
                event = "\ud800" if (number, turn) in ((3, 1), (7, 3)) else "push"
                other_id = known[number] if turn == 2 and number < len(known) else None
                [outcome] = await asyncio.gather(shop.accept(event=event, other_id=other_id), return_exceptions=True)
                outcomes.append(outcome.fate if isinstance(outcome, Accepted) else type(outcome))
            return outcomes

        all_outcomes = await asyncio.gather(*(deliver(number) for number in range(20)))
    for number, outcomes in enumerate(all_outcomes):
        expected: list[object] = [Fate.STORED] * 5
        if number < len(known):
            expected[2] = Fate.DOUBLE
        if number in (3, 7):
            expected[1 if number == 3 else 3] = RowRefusedError
        assert outcomes == expected


async def test_who_waits_at_a_stop_for_a_file_that_is_locked_is_told(sqlite_databases: SqliteDatabases) -> None:
    url = await asyncio.to_thread(sqlite_databases.make)
    database = Database.of(url)
    shop = Workshop(database)
    other = sqlite3.connect(make_url(url).database or "", isolation_level=None)
    async with at_work(shop.acceptor), asyncio.timeout(30):
        await shop.accept()
        other.execute("BEGIN IMMEDIATE")
        asking = [asyncio.create_task(shop.accept()) for _ in range(3)]
        await until(lambda: shop.acceptor.waiting == 3)
        await until(lambda: shop.acceptor.waiting == 0)
        asking.append(asyncio.create_task(shop.accept()))
        await until(lambda: shop.acceptor.waiting == 1)
    away = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(one) for one in away] == [DatabaseAwayError] * 4
    other.execute("ROLLBACK")
    other.close()
    async with at_work(shop.acceptor):
        await asyncio.sleep(0)
        assert (await shop.accept()).fate is Fate.STORED
    await database.close()


async def test_it_is_pressed_while_many_come_at_once(database: Database) -> None:
    shop = Workshop(database)

    def is_pressed() -> bool:
        return shop.acceptor.pressed

    async with at_work(shop.acceptor), asyncio.timeout(30):
        await shop.accept()
        assert not is_pressed()
        while not is_pressed():
            await asyncio.gather(*(shop.accept() for _ in range(20)))
        while is_pressed():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)
