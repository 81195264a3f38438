"""The example directory, as it is shipped, and an index of each test's own on a real Elasticsearch."""

from __future__ import annotations

import secrets
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from daemon.config import ElasticsearchConfig
from daemon.directory.contract import Entry
from daemon.directory.entry_file import read_entries
from daemon.directory.index import Index
from protocols.synonyms import read_synonyms

EXAMPLES = Path(__file__).parents[3] / "config" / "directory"


@pytest.fixture(scope="session")
def example_entries() -> list[Entry]:
    return read_entries((EXAMPLES / "entries.json").read_bytes())


@pytest.fixture(scope="session")
def example_index(example_entries: list[Entry]) -> Index:
    """The examples with their synonyms. No test changes it."""
    index = Index(read_synonyms((EXAMPLES / "synonyms.txt").read_bytes()))
    for entry in example_entries:
        index.put(entry)
    return index


@pytest.fixture
def elasticsearch(elasticsearch_url: str) -> Iterator[ElasticsearchConfig]:
    """What leads to an index that nobody else uses. Nothing is given up early: the machine may be slow."""
    config = ElasticsearchConfig(
        urls=[elasticsearch_url], index=f"test-{secrets.token_hex(6)}", timeout=60, write_timeout=60
    )
    yield config
    with urllib.request.urlopen(f"{elasticsearch_url}/_alias") as answer:
        names = [name for name in msgspec.json.decode(answer.read()) if name.startswith(f"{config.index}-")]
    for name in names:
        removal = urllib.request.Request(f"{elasticsearch_url}/{name}", method="DELETE")
        urllib.request.urlopen(removal).close()
