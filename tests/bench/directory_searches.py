"""One engine of the directory, asked the judged queries over and over.

    python -m tests.bench.directory_searches ENTRIES ROUNDS [URL]

The embedded engine, or the one on the Elasticsearch at ``URL``. Prints the searches per second after some to warm up:
a server that was just started is slow until Java has compiled what it does.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

from daemon.config import DirectoryConfig, ElasticsearchConfig
from daemon.directory.contract import Directory
from daemon.directory.elasticsearch.engine import ElasticsearchDirectory
from daemon.directory.embedded import EmbeddedDirectory
from daemon.secrets import Secrets
from daemon.stores.database import Database
from daemon.stores.directory_entries import save_directory_entries
from tests.bench.directory_entries import EXAMPLES, entries
from tests.daemon.directory.judged import JUDGED

WARM_UP: Final = 10
"""Rounds."""
AT_ONCE: Final = 8
"""Searches under way at the same time on a server."""
PATIENCE: Final = 60.0


async def measure(count: int, rounds: int, urls: list[str]) -> float:
    """Searches per second."""
    remote = ElasticsearchConfig(urls=urls, timeout=PATIENCE, write_timeout=PATIENCE)
    config = DirectoryConfig(synonyms=str(EXAMPLES / "synonyms.txt"), elasticsearch=remote)
    async with AsyncExitStack() as opened:
        folder = opened.enter_context(TemporaryDirectory(prefix="parley-bench-"))
        database = Database.of(f"sqlite:///{Path(folder, 'parley.db')}")
        opened.push_async_callback(database.close)
        await database.upgrade()
        async with database.transaction() as connection:
            await save_directory_entries(connection, entries(count))
        engine: EmbeddedDirectory | ElasticsearchDirectory = EmbeddedDirectory(database, config)
        if urls:
            engine = ElasticsearchDirectory(database, config, Secrets({}), holder=lambda: "bench")
            opened.push_async_callback(engine.close)
        await engine.refresh()
        await _ask(engine, WARM_UP, AT_ONCE if urls else 1)
        begun = time.perf_counter()
        await _ask(engine, rounds, AT_ONCE if urls else 1)
        return rounds * len(JUDGED) / (time.perf_counter() - begun)


async def _ask(engine: Directory, rounds: int, at_once: int) -> None:
    """Everything that is asked ``rounds`` times. Raises ``AssertionError`` where nothing is found for one."""
    queries = iter([query for _ in range(rounds) for query, _ in JUDGED])

    async def ask() -> None:
        for query in queries:
            assert await engine.search(query), query

    await asyncio.gather(*(ask() for _ in range(at_once)))


if __name__ == "__main__":
    print(uvloop.run(measure(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])), flush=True)
