"""What all tests share: databases of both engines, PostgreSQL really started, and a Redis."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from daemon.stores.database import Database
from tests.services.databases import PostgresDatabases, SqliteDatabases
from tests.services.elasticsearch import shared_server
from tests.services.postgres import PostgresServer
from tests.services.redis import RedisServer

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("parley", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("parley")

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[PostgresDatabases]:
    """Databases on the server that ``PARLEY_TEST_POSTGRES`` names, else on one started here."""
    named = os.environ.get("PARLEY_TEST_POSTGRES")
    server = None
    if named is None:
        server = PostgresServer()
        server.start()
    databases = PostgresDatabases(named or server.url())  # type: ignore[union-attr]
    yield databases
    if server is not None:
        server.remove()
    else:
        databases.close()


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    """Database files in a folder of this run."""
    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    """A server of the test's own, to be stopped and paused at will."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def elasticsearch_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Elasticsearch that ``PARLEY_TEST_ELASTICSEARCH`` names, else one that all workers of this run share."""
    named = os.environ.get("PARLEY_TEST_ELASTICSEARCH")
    if named is not None:
        yield named
        return
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "elasticsearch"
    folder.mkdir(exist_ok=True)
    with shared_server(folder) as url:
        yield url


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    return str(request.param)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, engine_name: str) -> str:
    """The address of an empty, migrated database, once for each engine."""
    name = "sqlite_databases" if engine_name == "sqlite" else "postgres_databases"
    databases: SqliteDatabases | PostgresDatabases = request.getfixturevalue(name)
    return databases.make()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty, migrated database, once for each engine."""
    opened = Database.of(database_url)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of the Redis that ``PARLEY_TEST_REDIS`` names, else of one started here. Others use it too."""
    named = os.environ.get("PARLEY_TEST_REDIS")
    if named is not None:
        yield named
        return
    server = RedisServer()
    server.start()
    yield server.url()
    server.remove()


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A server of the test's own, to be killed and paused at will."""
    server = RedisServer()
    server.start()
    yield server
    server.remove()
