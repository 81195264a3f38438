"""The example directory, as it is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

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
