"""Engines on one store and one server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import pytest

from daemon.config import DirectoryConfig, ElasticsearchConfig
from daemon.directory.elasticsearch.engine import ElasticsearchDirectory
from daemon.secrets import Secrets
from daemon.stores.database import Database
from tests.daemon.directory.elasticsearch.server_view import ServerView


class MakesEngine(Protocol):
    def __call__(
        self,
        database: Database,
        config: ElasticsearchConfig,
        *,
        holder: str = "a test",
        clock: Callable[[], float] = ...,
        secrets: Secrets = ...,
    ) -> ElasticsearchDirectory: ...


@pytest.fixture
async def make_engine() -> AsyncIterator[MakesEngine]:
    """Makes engines, and closes them when the test is over."""
    async with AsyncExitStack() as made:

        def make(
            database: Database,
            config: ElasticsearchConfig,
            *,
            holder: str = "a test",
            clock: Callable[[], float] = lambda: 1000.0,
            secrets: Secrets = Secrets({}),  # noqa: B008 - nothing changes it
        ) -> ElasticsearchDirectory:
            directory = DirectoryConfig(refresh_interval=0.01, elasticsearch=config)
            engine = ElasticsearchDirectory(database, directory, secrets, holder=lambda: holder, clock=clock)
            made.push_async_callback(engine.close)
            return engine

        yield make


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty store of the embedded engine, where it does not matter which it is."""
    database = Database.of(f"sqlite:///{tmp_path / 'parley.db'}")
    await database.upgrade()
    yield database
    await database.close()


@pytest.fixture
async def server(elasticsearch: ElasticsearchConfig) -> AsyncIterator[ServerView]:
    """What there is on the server."""
    async with ServerView(elasticsearch.urls[0]) as view:
        yield view
