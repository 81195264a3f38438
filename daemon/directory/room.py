"""The directory's room: the engine that the configuration names, and the embedded one for when that is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

from daemon.config import DirectoryConfig
from daemon.directory.contract import DirectoryAwayError, Entry, Kind, Match
from daemon.directory.elasticsearch.engine import ElasticsearchDirectory
from daemon.directory.embedded import EmbeddedDirectory
from daemon.health import Part
from daemon.secrets import Secrets
from daemon.stores.database import Database


class DirectoryRoom:
    """Implements :class:`~daemon.directory.contract.Directory`. ``holder`` names this Parley among those that share the
    store; ``clock`` gives Unix seconds.

    Raises ``OSError`` and :class:`~protocols.synonyms.SynonymsError` for files that ``parley check`` would have
    refused.
    """

    def __init__(
        self,
        database: Database,
        config: DirectoryConfig,
        secrets: Secrets,
        *,
        holder: Callable[[], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._embedded = EmbeddedDirectory(database, config)
        self._elasticsearch = (
            ElasticsearchDirectory(database, config, secrets, holder=holder, clock=clock)
            if config.elasticsearch.urls
            else None
        )

    async def refresh(self) -> int:
        """Let the embedded engine take in what has changed, and say how many entries that were.

        Raises ``DatabaseAwayError``.
        """
        return await self._embedded.refresh()

    async def run(self) -> None:
        """Let every engine follow the store until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._embedded.run())
            if self._elasticsearch is not None:
                group.create_task(self._elasticsearch.run())

    async def search(
        self, text: str, *, limit: int = 5, threshold: float | None = None, kinds: Collection[Kind] = ()
    ) -> list[Match]:
        """As the contract says."""
        if self._elasticsearch is not None and self._elasticsearch.is_usable:
            try:
                return await self._elasticsearch.search(text, limit=limit, threshold=threshold, kinds=kinds)
            except DirectoryAwayError:
                pass
        return await self._embedded.search(text, limit=limit, threshold=threshold, kinds=kinds)

    async def get(self, entry_id: str) -> Entry | None:
        """As the contract says."""
        if self._elasticsearch is not None and self._elasticsearch.is_usable:
            try:
                return await self._elasticsearch.get(entry_id)
            except DirectoryAwayError:
                pass
        return await self._embedded.get(entry_id)

    def conditions(self) -> dict[str, Callable[[], Part]]:
        """What health asks, by the names of the parts."""
        checks: dict[str, Callable[[], Part]] = {"directory": self._embedded.condition}
        if self._elasticsearch is not None:
            checks["directory:elasticsearch"] = self._elasticsearch.condition
        return checks
