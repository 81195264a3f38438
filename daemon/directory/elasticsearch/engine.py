"""The engine beside the embedded one: a search on an Elasticsearch, whose index follows the entries in the store.

Several Parleys share a store, and with it the index: who has the lock in the store changes it, the others look on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import structlog

from daemon.config import DirectoryConfig
from daemon.directory.contract import DirectoryAwayError, Entry, Kind, Match
from daemon.directory.elasticsearch.client import FAULTS, connect, reason
from daemon.directory.elasticsearch.remote_index import RefusedError, RemoteIndex, State
from daemon.directory.elasticsearch.searching import Searching
from daemon.directory.meanings import read_meanings
from daemon.health import Condition, Part
from daemon.secrets import Secrets
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.directory_entries import (
    directory_entries_since,
    directory_entry_ids,
    directory_revision,
    directory_store_id,
)
from daemon.stores.locks import give_lock_back, take_lock

log = structlog.get_logger(__name__)

_LOCKED_FOR: Final = 60.0
"""Seconds that the lock lasts, and who dies with it keeps the others waiting."""
_AT_ONCE: Final = 20
"""Entries that are analysed before others have their turn."""
_KEEP_EVERY: Final = 200
"""Entries after which the lock is made to last longer."""

Result = TypeVar("Result")


class _NotOursError(Exception):
    """The index is not for us to use or change. The text says why, for an operator."""


class _LockLostError(Exception):
    """What is being changed is somebody else's now."""


class ElasticsearchDirectory:
    """Implements :class:`~daemon.directory.contract.Directory`.

    ``holder`` names this Parley among those that share the store; ``clock`` gives Unix seconds.
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
        self._database = database
        self._config = config
        self._holder = holder
        self._clock = clock
        self._client = connect(config.elasticsearch, secrets)
        self._index = RemoteIndex(self._client, config.elasticsearch)
        self._searching = Searching(self._client, config.elasticsearch.index, read_meanings(config.synonyms))
        self._store = ""
        self._superseded: dict[str, float] = {}
        self._revision = -1
        self._usable = False
        self._problem = ""

    @property
    def is_usable(self) -> bool:
        """Whether it is worth asking: there is an index, and the server did what it was asked last."""
        return self._usable

    async def run(self) -> None:
        """Let the index follow the store until cancelled; then close the connections."""
        try:
            while True:
                await self._follow()
                await asyncio.sleep(self._config.refresh_interval)
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the connections; it is not to be asked any more."""
        self._usable = False
        await self._client.close()

    async def _follow(self) -> None:
        try:
            changed = await self.refresh()
        except DatabaseAwayError:
            # The index is what it was and may be searched. The embedded engine says what is wrong.
            pass
        except _LockLostError:
            log.warning("directory_index_taken_over", index=self._index.alias)
        except (_NotOursError, RefusedError) as error:
            self._trouble(str(error))
        except FAULTS as error:
            self._trouble(reason(error))
        except Exception as error:  # a row that somebody else wrote must not end the service
            self._trouble(type(error).__name__)
            log.exception("directory_index_not_followed")
        else:
            if self._problem:
                log.info("elasticsearch_back", index=self._index.alias)
            self._problem = ""
            if changed:
                log.info("directory_indexed", index=self._index.alias, changed=changed)

    async def refresh(self) -> int:
        """Bring the index up to the store, unless somebody else is at it, and say how many entries changed.

        Raises ``DatabaseAwayError``, what the client raises, and for an operator's mistake an exception that says it.
        """
        self._store = self._store or await self._store_id()
        async with self._database.read() as connection:
            revision = await directory_revision(connection)
        state = await self._state()
        if state is not None and (state.format, state.revision) == (self._index.format, revision):
            self._use(state)
            await self._remove_superseded()
            return 0
        changed = 0
        async with self._locked() as locked:
            if locked:
                # Somebody may have had the lock until now.
                state, changed = await self._brought_up(await self._state())
        if state is not None:
            self._use(state)
        else:
            self._usable = False
        return changed

    async def search(
        self, text: str, *, limit: int = 5, threshold: float | None = None, kinds: Collection[Kind] = ()
    ) -> list[Match]:
        """As the contract says, within the configured ``timeout``."""
        if limit < 1:
            raise ValueError("limit is below 1")
        least = self._config.threshold if threshold is None else threshold
        return await self._in_time(self._searching.search(text, limit=limit, threshold=least, kinds=kinds))

    async def get(self, entry_id: str) -> Entry | None:
        """As the contract says, within the configured ``timeout``."""
        return await self._in_time(self._index.get(entry_id))

    def condition(self) -> Part:
        """Whether it is asked at all."""
        numbers = {"revision": float(self._revision)}
        if self._problem:
            return Part(Condition.DEGRADED, f"Parley's own engine answers: {self._problem}", numbers)
        return Part(Condition.OK, "" if self._usable else "there is no index yet; Parley's own engine answers", numbers)

    async def _in_time(self, asked: Awaitable[Result]) -> Result:
        try:
            async with asyncio.timeout(self._config.elasticsearch.timeout):
                return await asked
        except FAULTS as error:
            self._trouble(reason(error))
            raise DirectoryAwayError(f"Elasticsearch: {reason(error)}") from error

    async def _store_id(self) -> str:
        async with self._database.transaction() as connection:
            return await directory_store_id(connection)

    async def _state(self) -> State | None:
        """What stands behind the alias, if it is ours; an older format counts as nothing that can be searched.

        Raises :class:`_NotOursError`.
        """
        state = await self._index.state()
        if state is not None and state.store != self._store:
            raise _NotOursError(
                f"the index {self._index.alias} is not of this database; name another, or remove that one"
            )
        if state is not None and state.format > self._index.format:
            raise _NotOursError(f"the index {self._index.alias} was made by a newer Parley")
        return state

    def _use(self, state: State) -> None:
        self._usable = state.format == self._index.format
        self._revision = state.revision

    async def _brought_up(self, state: State | None) -> tuple[State, int]:
        """What the index is when it has been brought up to the store, and how many entries changed.

        Where all of them have, they go into a new one.
        """
        async with self._database.read() as connection:
            # The revision first: what is changed while the rest is read has a greater one, and is read again.
            revision = await directory_revision(connection)
            if state is not None and state.format == self._index.format and state.revision <= revision:
                since = state.revision
                if since == revision:
                    return state, 0
            else:
                since = -1
            there = await directory_entry_ids(connection)
            entries = await directory_entries_since(connection, since)
        if state is None or since < 0 or (there and {entry.entry_id for entry in entries} >= there):
            new = await self._index.fill(state, self._each(entries), self._store, revision)
            keep = [new.name] if state is None else [new.name, state.name]
            await self._index.sweep(keep, self._store)
            # A search that began before takes no longer than it may.
            self._superseded = {name: self._clock() + self._config.elasticsearch.timeout for name in keep[1:]}
            return new, len(entries)
        gone = await self._index.entry_ids() - there
        new = State(state.name, state.format, self._store, revision)
        await self._index.change(new, self._each(entries), gone)
        return new, len(entries) + len(gone)

    async def _remove_superseded(self) -> None:
        for name, after in list(self._superseded.items()):
            if self._clock() >= after:
                await self._index.remove(name)
                del self._superseded[name]

    async def _each(self, entries: Sequence[Entry]) -> AsyncIterator[Entry]:
        """One after the other, others having their turn between and the lock lasting.

        Raises :class:`_LockLostError`.
        """
        for number, entry in enumerate(entries):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if number % _KEEP_EVERY == 0:
                await self._keep_lock()
            yield entry
        await self._keep_lock()

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[bool]:
        """Whether the index is ours to change."""
        taken = await self._take_lock()
        try:
            yield taken
        finally:
            if taken:
                async with self._database.transaction() as connection:
                    await give_lock_back(connection, self._lock, self._holder())

    async def _take_lock(self) -> bool:
        now = self._clock()
        async with self._database.transaction() as connection:
            return await take_lock(connection, self._lock, self._holder(), now=now, until=now + _LOCKED_FOR)

    async def _keep_lock(self) -> None:
        if not await self._take_lock():
            raise _LockLostError

    @property
    def _lock(self) -> str:
        return f"directory-index:{self._index.alias}"

    def _trouble(self, problem: str) -> None:
        self._usable = False
        if not self._problem:
            log.warning("elasticsearch_away", index=self._index.alias, error=problem)
        self._problem = problem
