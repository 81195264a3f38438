"""The engine that needs nothing but Parley: an index in memory, which follows the entries in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final

import structlog

from daemon.config import DirectoryConfig
from daemon.directory.contract import DirectoryAwayError, Entry, Kind, Match
from daemon.directory.index import Index
from daemon.directory.meanings import read_meanings
from daemon.health import Condition, Part
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.directory_entries import directory_entries_since, directory_entry_ids, directory_revision

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 10
"""Entries that are indexed before others have their turn: one takes a fifth of a millisecond."""
_NOT_READ: Final = "the directory was not read from the database yet"


class EmbeddedDirectory:
    """Implements :class:`~daemon.directory.contract.Directory`.

    Raises ``OSError`` and :class:`~protocols.synonyms.SynonymsError` for a file of synonyms that ``parley check``
    would have refused.
    """

    def __init__(self, database: Database, config: DirectoryConfig) -> None:
        self._database = database
        self._config = config
        self._index = Index(read_meanings(config.synonyms))
        self._revision = -1
        self._problem = ""

    async def run(self) -> None:
        """Follow the store until cancelled."""
        while True:
            try:
                if changed := await self.refresh():
                    log.info("directory_read", entries=len(self._index), changed=changed)
            except DatabaseAwayError as error:
                self._trouble(str(error))
            except Exception as error:  # a row that somebody else wrote must not end the service
                self._trouble(type(error).__name__)
                log.exception("directory_not_read")
            await asyncio.sleep(self._config.refresh_interval)

    async def refresh(self) -> int:
        """Take in what has changed in the store, and say how many entries that were. They are taken in one by one: the
        others are found meanwhile.

        Raises ``DatabaseAwayError``; what is indexed then stays.
        """
        async with self._database.read() as connection:
            # The revision first: what is changed while the rest is read has a greater one, and is read again.
            revision = await directory_revision(connection)
            if revision == self._revision:
                self._problem = ""
                return 0
            # A store that was put back to what it was has a smaller one, and what changed in it since is not known.
            since = self._revision if self._revision <= revision else -1
            changed = await directory_entries_since(connection, since)
            there = await directory_entry_ids(connection)
        gone = set(self._index.entry_ids) - there
        for entry_id in gone:
            self._index.remove(entry_id)
        for number, entry in enumerate(changed, 1):
            self._index.put(entry)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        self._revision = revision
        self._problem = ""
        return len(changed) + len(gone)

    async def search(
        self, text: str, *, limit: int = 5, threshold: float | None = None, kinds: Collection[Kind] = ()
    ) -> list[Match]:
        """As the contract says."""
        least = self._config.threshold if threshold is None else threshold
        return self._read_index().search(text, limit=limit, threshold=least, kinds=kinds)

    async def get(self, entry_id: str) -> Entry | None:
        """As the contract says."""
        return self._read_index().get(entry_id)

    def condition(self) -> Part:
        """Whether the index is that of the store."""
        numbers = {"entries": float(len(self._index))}
        if self._problem:
            return Part(Condition.DEGRADED, f"the entries could not be read: {self._problem}", numbers)
        return Part(Condition.OK, _NOT_READ if self._revision < 0 else "", numbers)

    def _read_index(self) -> Index:
        if self._revision < 0:
            raise DirectoryAwayError(_NOT_READ)
        return self._index

    def _trouble(self, problem: str) -> None:
        if not self._problem:
            log.warning("directory_away", error=problem)
        self._problem = problem
