"""Searches of the directory: 10,000 entries, the judged queries over and over, each engine in a process of its own.

The embedded engine is one thread, asked one search after the other. Elasticsearch is a real server on the same machine,
asked several at once: on a machine with few cores the server and who asks it are in each other's way.
"""

from __future__ import annotations

from typing import Final

from tests.bench.programs import module, running
from tests.services.elasticsearch import ElasticsearchServer

ENTRIES: Final = 10_000
ROUNDS: Final = 40
REMOTE_ROUNDS: Final = 10


def embedded_qps(entries: int = ENTRIES, rounds: int = ROUNDS) -> float:
    """Searches that the embedded engine answers per second."""
    with running(module("directory_searches", entries, rounds)) as program:
        return float(program.hear())


def elasticsearch_qps(entries: int = ENTRIES, rounds: int = REMOTE_ROUNDS) -> float:
    """Searches per second that an Elasticsearch finds the candidates for."""
    server = ElasticsearchServer()
    try:
        server.start()
        with running(module("directory_searches", entries, rounds, server.url)) as program:
            return float(program.hear())
    finally:
        server.remove()
