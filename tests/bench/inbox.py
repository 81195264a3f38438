"""The inbox beside others: webhooks accepted, and deliveries worked.

Every server is delivered the same signed pushes by the same ``wrk``. Parley verifies each and has it in its store,
on the disk, before it answers; what it answered for is looked up there after it was killed. FastAPI verifies and stores
nothing. What is accepted or worked is counted by wall time, so the machine should have nothing else to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.inbox_server import fastapi, parley, require_stored
from tests.bench.programs import module, peer, running
from tests.bench.provider import Delivered, deliver
from tests.services.postgres import PostgresServer

WARM_UP, MEASURED = 2, 8
"""Seconds."""
DELIVERIES = 20_000
JOBS = 5_000
STORED = 1_000_000

# Every commit is on the disk, as it is by default.
_POSTGRES: Final = {"wal_init_zero": "off", "default_toast_compression": "lz4"}


def sqlite() -> list[float]:
    """Deliveries accepted per second on SQLite, and the 99th percentile of their delays in ms."""
    with TemporaryDirectory(prefix="parley-bench-") as folder:
        return _accepted(f"sqlite:///{Path(folder, 'parley.db')}")


def postgres() -> list[float]:
    """The same on PostgreSQL."""
    with _postgres() as server:
        return _accepted(server.url())


def fastapi_memory_per_s() -> float:
    """Deliveries that FastAPI keeps in a list per second, each as the ``dict`` it made of it."""
    return _fastapi("/memory").per_s


def fastapi_raw_per_s() -> float:
    """The same of the raw bytes."""
    return _fastapi("/raw").per_s


def worked() -> list[float]:
    """Deliveries that Parley's worker does nothing with, and jobs that Procrastinate's does, per second, on the same
    PostgreSQL."""
    with _postgres() as server:
        with running(module("inbox_worker", server.url(), DELIVERIES)) as program:
            ours = float(program.hear())
        with running(peer("procrastinate_peer", server.url(), JOBS)) as program:
            return [ours, float(program.hear())]


def pages() -> list[float]:
    """Milliseconds that the slowest page of a million deliveries takes, on SQLite and on PostgreSQL."""
    with TemporaryDirectory(prefix="parley-bench-") as folder, _postgres() as server:
        slowest = []
        for database in (f"sqlite:///{Path(folder, 'parley.db')}", server.url()):
            with running(module("inbox_pages", database, STORED)) as program:
                slowest.append(float(program.hear()))
        return slowest


def _accepted(database: str) -> list[float]:
    with parley(database) as port:
        warm = deliver(port, "/webhooks/github", WARM_UP, load=1)
        measured = deliver(port, "/webhooks/github", MEASURED, load=2)
    require_stored(database, warm.answers + measured.answers)
    return [measured.per_s, measured.p99_ms]


def _fastapi(path: str) -> Delivered:
    with fastapi() as port:
        deliver(port, path, WARM_UP, load=1)
        return deliver(port, path, MEASURED, load=2)


@contextmanager
def _postgres() -> Iterator[PostgresServer]:
    server = PostgresServer(_POSTGRES)
    try:
        server.start()
        yield server
    finally:
        server.remove()
