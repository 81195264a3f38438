"""A store with rows in it, brought up to date from every revision that there was."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Column, Connection, LargeBinary, MetaData, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.database import MIGRATIONS, Database, _upgrade
from daemon.stores.deliveries import DeliveryFilter, page_of_deliveries
from daemon.stores.delivery_work import DeliveryState, claim_deliveries
from tests.services.databases import PostgresDatabases, SqliteDatabases

REVISIONS = sorted(path.name[1:5] for path in (MIGRATIONS / "versions").glob("r*.py"))
ALLOWED = {
    "role": "admin",
    "kind": "service",
    "tls": "none",
    "state": "pending",
}
"""What columns of these names may hold, where that is not any text."""


ON_SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture
async def old(request: pytest.FixtureRequest, engine_name: str) -> AsyncIterator[Database]:
    """A database with nothing in it."""
    name = "sqlite_databases" if engine_name == "sqlite" else "postgres_databases"
    databases: SqliteDatabases | PostgresDatabases = request.getfixturevalue(name)
    database = Database.of(await asyncio.to_thread(lambda: databases.make(migrated=False)))
    yield database
    await database.close()


def value(column: Column[Any], number: int) -> object:
    """One that the column takes, another one for each ``number``."""
    if isinstance(column.type, LargeBinary):
        return b"%d" % number
    kind = column.type.python_type
    return ALLOWED.get(column.name, f"{number}") if kind is str else kind(number)


def fill(connection: Connection, number: int) -> list[str]:
    """Give every table one row more, and say which tables there are."""
    tables = MetaData()
    tables.reflect(connection)
    filled = [table for table in tables.sorted_tables if table.name != "alembic_version"]
    for table in filled:
        row = {column.name: value(column, number) for column in table.columns}
        connection.execute(insert(table).values(row))
    return [table.name for table in filled]


async def test_no_step_loses_a_row_or_is_stopped_by_one(old: Database) -> None:
    expected: Counter[str] = Counter()
    for number, revision in enumerate(REVISIONS, 1):
        async with old.transaction() as connection:
            await connection.run_sync(_upgrade, revision)
            expected.update(await connection.run_sync(fill, number))
    await old.upgrade()
    async with old.read() as connection:
        counted = {name: await connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in expected}
    assert counted == expected
    assert expected["calls"] == len(REVISIONS)


async def deliver(connection: AsyncConnection, delivery_id: str, **fields: object) -> None:
    """Store a delivery as it was stored then."""
    row = {
        "delivery_id": delivery_id,
        "source": "github",
        "event": "push",
        "order_key": "k",
        "received_at": 1.0,
        "due_at": 1.0,
        "state": "pending",
        "attempts": 0,
        "attempts_allowed": 3,
        "replays": 0,
        "error": "",
        "done_by": "[]",
        "address": "",
        "headers": "[]",
        "body": b"{}",
        "redacted": False,
        "waits": False,
        **fields,
    }
    columns = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    await connection.execute(text(f"INSERT INTO deliveries ({columns}) VALUES ({values})"), row)


@ON_SQLITE  # the other engine has none
async def test_deliveries_that_were_not_lined_up_yet_are_worked_after_the_step(old: Database) -> None:
    async with old.transaction() as connection:
        await connection.run_sync(_upgrade, "0013")
        await deliver(connection, "1")
        await deliver(connection, "2", state="done")
        await connection.run_sync(_upgrade, "0014")
        await deliver(connection, "3", fresh=True)
        await deliver(connection, "4", fresh=True, order_key=None)
        await deliver(connection, "5", fresh=True, state="cancelled")
    await old.upgrade()
    async with old.read() as connection:
        for wanted, found in (
            (DeliveryFilter(), "54321"),
            (DeliveryFilter(source="github"), "54321"),
            (DeliveryFilter(event="push"), "54321"),
            (DeliveryFilter(state=DeliveryState.PENDING), "431"),
            (DeliveryFilter(state=DeliveryState.CANCELLED), "5"),
            (DeliveryFilter(state=DeliveryState.DONE), "2"),
        ):
            page = await page_of_deliveries(connection, wanted, before=None, limit=10)
            assert "".join(row.delivery_id for row in page.rows) == found
    async with old.transaction() as connection:
        claimed = await claim_deliveries(connection, "one", now=2.0, until=62.0, most=10, patience=60.0)
    assert sorted(row.delivery_id for row in claimed) == ["1", "4"], "the third waits for the first"
