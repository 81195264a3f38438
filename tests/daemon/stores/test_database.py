"""The database as such: addresses, migrations on both engines, and whose fault a failure is."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, make_url, text

from daemon.stores.database import (
    _UPGRADE_LOCK,
    MIGRATIONS,
    Database,
    DatabaseAwayError,
    DatabaseUrlError,
    RowRefusedError,
)
from daemon.stores.schema import metadata
from tests.services.databases import PostgresDatabases, SqliteDatabases
from tests.services.postgres import PostgresServer


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, engine_name: str) -> str:
    name = "sqlite_databases" if engine_name == "sqlite" else "postgres_databases"
    databases: SqliteDatabases | PostgresDatabases = request.getfixturevalue(name)
    return databases.make(migrated=False)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "not a database address"),
        ("mysql://root@127.0.0.1/parley", "mysql is not supported"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("postgresql://parley@127.0.0.1", "needs a database"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_what_to_write(url: str, word: str) -> None:
    with pytest.raises(DatabaseUrlError, match=word):
        Database.of(url)


def plain(value: Any) -> str:
    """A stable text of what an inspector says; an SQL clause as its SQL."""
    if isinstance(value, dict):
        return str({key: plain(inner) for key, inner in value.items()})
    return str(value)


def describe(connection: Connection) -> dict[str, Any]:
    """Everything the engine itself says about the tables, but for what Alembic keeps."""
    inspector = inspect(connection)
    return {
        table: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], getattr(column["type"], "collation", None))
                for column in inspector.get_columns(table)
            ],
            "primary key": inspector.get_pk_constraint(table)["constrained_columns"],
            "foreign keys": sorted(map(plain, inspector.get_foreign_keys(table))),
            "unique": sorted(map(plain, inspector.get_unique_constraints(table))),
            "checks": sorted(map(plain, inspector.get_check_constraints(table))),
            "indexes": sorted(map(plain, inspector.get_indexes(table))),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


async def test_the_migrated_schema_is_the_declared_one(database: Database, empty_url: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    created = Database.of(empty_url)
    async with created.transaction() as connection:
        await connection.run_sync(metadata.create_all)
        declared = await connection.run_sync(describe)
    await created.close()
    async with database.read() as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.run_sync(describe) == declared
        assert set(declared) == set(metadata.tables)


async def test_upgrading_twice_and_at_once_is_harmless(empty_url: str) -> None:
    several = [Database.of(empty_url) for _ in range(3)]
    await asyncio.gather(*(one.upgrade() for one in several))
    await several[0].upgrade()
    newest = max(path.name for path in (MIGRATIONS / "versions").glob("r*.py"))[1:5]
    async with several[0].read() as connection:
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).all() == [(newest,)]
    for one in several:
        await one.close()


async def test_sqlite_keeps_what_was_committed_and_lets_readers_pass(sqlite_databases: SqliteDatabases) -> None:
    database = Database.of(await asyncio.to_thread(sqlite_databases.make))
    async with database.transaction() as connection:
        settings = {
            name: (await connection.execute(text(f"PRAGMA {name}"))).scalar()
            for name in (
                "journal_mode",
                "synchronous",
                "foreign_keys",
                "busy_timeout",
                "page_size",
                "wal_autocheckpoint",
            )
        }
        async with database.read() as reader:
            assert (await reader.execute(text("SELECT count(*) FROM calls"))).scalar() == 0
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "page_size": 8192,
        "wal_autocheckpoint": 32000,
    }
    await database.close()


async def test_a_block_that_raises_is_rolled_back(database: Database) -> None:
    async def write_and_fail() -> None:
        async with database.transaction() as connection:
            await connection.execute(text("INSERT INTO call_aliases VALUES ('a', 'b', 1)"))
            raise LookupError

    with pytest.raises(LookupError):
        await write_and_fail()
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM call_aliases"))).scalar() == 0


async def test_a_refused_row_is_told_from_a_database_in_trouble(database: Database) -> None:
    insert = text("INSERT INTO call_aliases VALUES (:old, 'secret-value', 1)")
    with pytest.raises(RowRefusedError) as refused:
        async with database.transaction() as connection:
            await connection.execute(insert, [{"old": "a"}, {"old": "a"}])
    assert "secret-value" not in str(refused.value)
    with pytest.raises(DatabaseAwayError, match="nowhere"):
        async with database.read() as connection:
            await connection.execute(text("SELECT * FROM nowhere"))


async def test_a_statement_on_the_drivers_connection_is_a_transaction_by_itself(database: Database) -> None:
    lock = "INSERT INTO locks (name, holder, until) VALUES ('one', 'somebody', 1.0)"

    async def say(statement: str) -> None:
        async with database.driver() as driver:
            await driver.execute(statement)
            raise LookupError

    with pytest.raises(LookupError):
        await say(lock)
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT name FROM locks"))).scalars().all() == ["one"]
    with pytest.raises(RowRefusedError):
        await say(lock)
    with pytest.raises(DatabaseAwayError):
        await say("INSERT INTO nowhere VALUES (1)")
    with pytest.raises(LookupError):
        await say(lock.replace("one", "two"))
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM locks"))).scalar() == 2


async def test_a_commit_that_fails_leaves_nothing_open_to_who_comes_next(sqlite_databases: SqliteDatabases) -> None:
    """Nobody else would see what that one writes."""
    url = await asyncio.to_thread(sqlite_databases.make)
    database, others = Database.of(url), Database.of(url)

    async def commit_what_cannot_be() -> None:
        async with database.transaction() as connection:
            await connection.execute(text("PRAGMA defer_foreign_keys=ON"))
            await connection.execute(text("INSERT INTO delivery_attempts VALUES ('none', 1, 'h', 1, 1, 'done', '')"))

    with pytest.raises(RowRefusedError):
        await commit_what_cannot_be()
    async with database.driver() as driver:
        assert not driver.in_transaction
        await driver.execute("INSERT INTO locks (name, holder, until) VALUES ('one', 'somebody', 1.0)")
    async with others.read() as connection:
        assert (await connection.execute(text("SELECT name FROM locks"))).scalars().all() == ["one"]
    async with database.transaction():
        pass
    await others.close()
    await database.close()


async def test_an_address_means_the_same_outside_the_pool(postgres_databases: PostgresDatabases) -> None:
    url = await asyncio.to_thread(postgres_databases.make)
    address = make_url(url).update_query_dict({"prepared_statement_cache_size": "0"})
    database = Database.of(address.render_as_string(hide_password=False))
    async with database.read() as connection:
        pooled = await connection.scalar(text("SELECT current_database()"))
    async with database.own_connection() as own:
        assert await own.fetchval("SELECT current_database()") == pooled
    await database.close()


async def test_text_that_no_database_takes_is_the_rows_fault(database: Database) -> None:
    with pytest.raises(RowRefusedError):
        async with database.transaction() as connection:
            await connection.execute(text("INSERT INTO call_aliases VALUES (:old, 'b', 1)"), {"old": "\ud800"})


async def test_a_database_without_tables_is_away_until_it_is_upgraded(empty_url: str) -> None:
    database = Database.of(empty_url)
    with pytest.raises(DatabaseAwayError, match="calls"):
        async with database.read() as connection:
            await connection.execute(text("SELECT * FROM calls"))
    await database.upgrade()
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT * FROM calls"))).all() == []
    await database.close()


async def test_an_upgrade_may_take_longer_than_a_transaction(postgres_databases: PostgresDatabases) -> None:
    url = await asyncio.to_thread(lambda: postgres_databases.make(migrated=False))
    upgrading, other = Database.of(url, timeout=0.2), Database.of(url)
    async with other.transaction() as connection:
        # Another process is at it.
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
        task = asyncio.create_task(upgrading.upgrade())
        with pytest.raises(DatabaseAwayError, match=r"within 0\.2 s"):
            async with upgrading.read() as reading:
                await reading.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
        await asyncio.sleep(0)
        assert not task.done()
    await task
    async with other.read() as connection:
        await connection.execute(text("SELECT 1 FROM calls"))
    await upgrading.close()
    await other.close()


async def test_a_server_that_stops_and_returns_is_away_meanwhile(postgres_server: PostgresServer) -> None:
    database = Database.of(postgres_server.url())

    async def ask() -> object:
        async with database.read() as connection:
            return (await connection.execute(text("SELECT 1"))).scalar()

    assert await ask() == 1
    await asyncio.to_thread(postgres_server.stop)
    for _ in range(2):
        with pytest.raises(DatabaseAwayError):
            await ask()
    await asyncio.to_thread(postgres_server.start)
    assert await ask() == 1
    await database.close()


async def answered(ask: Callable[[], Awaitable[object]]) -> object:
    """What a server says that was woken, which may take longer than the little time it is given."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(DatabaseAwayError):
                return await ask()


async def test_a_server_that_hangs_is_noticed_and_used_again(postgres_server: PostgresServer) -> None:
    database = Database.of(postgres_server.url(), timeout=0.5, pool_size=2)

    async def ask() -> object:
        async with database.transaction() as connection:
            return (await connection.execute(text("SELECT 1"))).scalar()

    assert await ask() == 1
    postgres_server.pause()
    for _ in range(4):
        with pytest.raises(DatabaseAwayError):
            await ask()
    postgres_server.resume()
    assert await answered(ask) == 1
    await database.close()


async def test_the_drivers_connection_is_given_up_when_the_server_hangs(postgres_server: PostgresServer) -> None:
    database = Database.of(postgres_server.url(), timeout=0.5, pool_size=2)

    async def ask() -> object:
        async with database.driver() as driver:
            return await driver.fetchval("SELECT 1")

    assert await ask() == 1
    postgres_server.pause()
    for _ in range(4):
        with pytest.raises(DatabaseAwayError):
            await ask()
    postgres_server.resume()
    assert await answered(ask) == 1
    await database.close()


async def test_closing_waits_for_threads_whose_asker_was_cancelled(sqlite_databases: SqliteDatabases) -> None:
    database = Database.of(await asyncio.to_thread(sqlite_databases.make))
    before = set(threading.enumerate())
    asking = [asyncio.create_task(database.ping()) for _ in range(4)]
    while not (threads := set(threading.enumerate()) - before):  # noqa: ASYNC110 - a thread that begins tells nobody
        await asyncio.sleep(0)
    for one in asking:
        one.cancel()
    await asyncio.wait(asking)
    await database.close()
    assert not any(thread.is_alive() for thread in threads if "_connection_worker_thread" in thread.name)


async def test_closing_lets_what_is_under_way_end_and_refuses_what_begins(database_url: str) -> None:
    database = Database.of(database_url, pool_size=1)
    asked, ending = asyncio.Event(), asyncio.Event()

    async def ask() -> object:
        async with database.read() as connection:
            asked.set()
            await ending.wait()
            return (await connection.execute(text("SELECT 1"))).scalar()

    asking = asyncio.create_task(ask())
    await asked.wait()
    queueing = asyncio.create_task(database.ping())
    await asyncio.sleep(0)
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    with pytest.raises(DatabaseAwayError, match="closed"):
        await database.ping()
    assert not closing.done()
    ending.set()
    await closing
    assert [one.done() for one in (asking, queueing)] == [True, True]
    assert await asking == 1
    await queueing
    assert database._engine.pool.checkedin() == 0  # type: ignore[attr-defined]
