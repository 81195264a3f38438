"""The inbox's page of an admin, of a store that has been filled for long.

    python -m tests.bench.inbox_pages DATABASE_URL DELIVERIES

Prints how many milliseconds the slowest question takes over HTTP: for each the median of some, at the newest deliveries
and in the middle of all.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import aiohttp
import uvloop
from sqlalchemy import text

from daemon.config import Config
from daemon.stores.database import Database
from daemon.stores.deliveries import id_at
from tests.bench.push import pushes
from tests.web.house import House

_PER_SECOND: Final = 10
"""At which they came."""
_TIMES: Final = 5
_SOURCES, _EVENTS, _KEYS = 3, 20, 5_000
_NEWEST: Final = 20_000
"""So many are pending yet, and not lined up where the store lines them up later."""

# Of a hundred one is dead and one will be tried again, the others are done.
_NUMBERS: Final = "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count - 1)"
_FILL: Final = """
    INSERT INTO deliveries (delivery_id, source, event, other_id, order_key, state, received_at, due_at, attempts,
        attempts_allowed, replays, waits, finished_at, error, done_by, address, redacted, headers, body, fresh)
    {numbers}
    SELECT {id}, 'source-' || (n % {sources}), 'event.' || (n % {events}), 'delivery-' || n, 'key-' || (n % {keys}),
        {state}, :first + n / {per_second}.0, :first + n / {per_second}.0, 1, 9, 0, false,
        CASE WHEN n < :count - {newest} AND n % 100 <> 33 THEN :first + n / {per_second}.0 END,
        CASE WHEN n % 100 = 7 THEN 'forward: HTTP 404' ELSE '' END, '[]', '192.0.2.1', false,
        '[["Content-Type", "application/json"]]', :body, {fresh}
    FROM numbers
"""
_STATE: Final = f"""CASE WHEN n >= :count - {_NEWEST} OR n % 100 = 33 THEN 'pending' WHEN n % 100 = 7 THEN 'dead'
    ELSE 'done' END"""
# Ids as they are given out: by the time, and no two alike.
_SQLITE_ID: Final = f"""printf('%08x-%04x-7000-8000-%012x', (:first_ms + n * 1000 / {_PER_SECOND}) >> 16,
    (:first_ms + n * 1000 / {_PER_SECOND}) & 65535, n)"""
_POSTGRES_ID: Final = f"""regexp_replace(lpad(to_hex(:first_ms + n::bigint * 1000 / {_PER_SECOND}), 12, '0'),
    '(.{{8}})(.{{4}})', '\\1-\\2-7000-8000-') || lpad(to_hex(n), 12, '0')"""

_QUESTIONS: Final = (
    "",
    "source=source-1",
    "event=event.7",
    "state=dead",
    "state=pending",
    "state=done",
    "state=cancelled",
    "source=source-1&event=event.7",
    "source=source-1&state=dead",
    "source=source-1&state=pending",
    "text=delivery-7",
    "text=nowhere",
    "source=source-2&text=nowhere",
    "event=nowhere",
)


async def measure(url: str, count: int) -> float:
    """Milliseconds of the slowest question."""
    database = Database.of(url, timeout=900.0)
    await database.upgrade()
    first = time.time() - count / _PER_SECOND
    await _fill(database, count, first)
    with TemporaryDirectory(prefix="parley-bench-") as static:
        house = House(database, Config(), Path(static))
        house.now = time.time()
        headers = {"Authorization": f"Bearer {await house.token('admin')}"}
        server = await house.serve()
        async with aiohttp.ClientSession(server.make_url("/"), headers=headers) as http:
            middle = id_at(first + count / _PER_SECOND / 2)
            pages = [f"?limit=50&{question}" for question in _QUESTIONS]
            pages += [f"{page}&before={middle}" for page in pages]
            hour = house.now - 8 * 3_600
            pages.append(f"?limit=50&source=source-1&body=nowhere&since={hour}&until={hour + 3_600}")
            slowest = await _slowest(http, ["/api/v1/inbox", *(f"/api/v1/inbox/deliveries{page}" for page in pages)])
        await house.close()
    await database.close()
    return slowest


async def _slowest(http: aiohttp.ClientSession, addresses: list[str]) -> float:
    slowest = 0.0
    for address in addresses:
        took = []
        for _ in range(_TIMES):
            began = time.perf_counter()
            async with http.get(address) as answer:
                found = await answer.json()
                if answer.status != 200:
                    raise AssertionError(f"{address} is answered with {answer.status}: {found}")
            took.append(time.perf_counter() - began)
        slowest = max(slowest, statistics.median(took) * 1_000)
    return slowest


async def _fill(database: Database, count: int, first: float) -> None:
    fill = _FILL.format(
        numbers=_NUMBERS,
        id=_POSTGRES_ID if database.is_postgresql else _SQLITE_ID,
        state=_STATE,
        sources=_SOURCES,
        events=_EVENTS,
        keys=_KEYS,
        newest=_NEWEST,
        per_second=_PER_SECOND,
        fresh="false" if database.is_postgresql else f"n >= :count - {_NEWEST}",
    )
    values = {"count": count, "first": first, "first_ms": int(first * 1_000), "body": pushes()[0][:1_000]}
    async with database.transaction() as connection:
        await connection.execute(text(fill), values)
    if database.is_postgresql:
        async with database.driver() as driver:
            await driver.execute("VACUUM ANALYZE deliveries")


if __name__ == "__main__":
    print(uvloop.run(measure(sys.argv[1], int(sys.argv[2]))), flush=True)
