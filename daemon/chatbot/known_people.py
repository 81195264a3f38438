"""Whoever can be found by what people write: entries of the directory, and those who use Parley, with their teams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from typing import Final

from daemon.chatbot.offer import WordIndex
from daemon.chatbot.phrases import plain
from daemon.directory.contract import Directory, DirectoryAwayError, Entry, Kind, Match
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, TeamRow, list_people, list_teams

_OURS: Final = "parley:"
_AT_ONCE: Final = 10
"""Entries that are indexed before others have their turn."""
_MAX_AGE: Final = 2.0
_MOST_OF_A_TEAM: Final = 100
_PERSONS: Final[tuple[Kind, ...]] = ("person",)


class KnownPeople(Directory):
    """A directory that has the people and teams of the store beside the entries of ``directory``.

    ``index`` is an empty one of the directory's kind: people are put into it, and found as entries are. Who is an entry
    too, by name or number, is found as that. What is ``max_age`` seconds old is read again before it is searched.
    """

    def __init__(
        self,
        database: Database,
        directory: Directory,
        index: WordIndex,
        *,
        threshold: float,
        max_age: float = _MAX_AGE,
    ) -> None:
        self._database = database
        self._directory = directory
        self._index = index
        self._threshold = threshold
        self._max_age = max_age
        self._read_at: float | None = None
        self._indexed: dict[str, Entry] = {}
        self._people: dict[str, PersonRow] = {}
        self._refreshing = asyncio.Lock()

    async def search(
        self, text: str, *, limit: int = 5, threshold: float | None = None, kinds: Collection[Kind] = ()
    ) -> list[Match]:
        """As the contract says; where the directory is away, who uses Parley is found alone. Raises
        ``DatabaseAwayError``."""
        least = self._threshold if threshold is None else threshold
        await self._refresh()
        ours = self._index.search(text, limit=max(limit, 1), threshold=least, kinds=kinds)
        try:
            listed = await self._directory.search(text, limit=limit, threshold=threshold, kinds=kinds)
        except DirectoryAwayError:
            if not ours:
                raise
            listed = []
        names = {(match.entry.kind, plain(match.entry.name)) for match in listed}
        numbers = {match.entry.number for match in listed} - {""}
        new = [
            match
            for match in ours
            if (match.entry.kind, plain(match.entry.name)) not in names and match.entry.number not in numbers
        ]
        return sorted([*listed, *new], key=lambda match: (-match.score, match.entry.name))[:limit]

    async def get(self, entry_id: str) -> Entry | None:
        """As the contract says."""
        if entry_id.startswith(_OURS):
            await self._refresh()
            return self._indexed.get(entry_id)
        return await self._directory.get(entry_id)

    def person_of(self, entry: Entry) -> PersonRow | None:
        """Who an entry that was found is, where it is somebody who uses Parley and no entry of the directory."""
        return self._people.get(entry.entry_id)

    async def members(self, team: str) -> Sequence[Entry]:
        """Who is in the team of that name, by name. Raises ``DatabaseAwayError`` and
        :class:`~daemon.directory.contract.DirectoryAwayError`."""
        found = await self.search(team, limit=_MOST_OF_A_TEAM, threshold=0.0, kinds=_PERSONS)
        wanted = plain(team)
        return sorted((one.entry for one in found if plain(one.entry.team) == wanted), key=lambda entry: entry.name)

    async def _refresh(self) -> None:
        async with self._refreshing:
            if self._read_at is not None and time.monotonic() - self._read_at < self._max_age:
                return
            async with self._database.read() as connection:
                people, teams = await list_people(connection), await list_teams(connection)
            self._people = {f"{_OURS}person:{person.name}": person for person in people}
            entries = [_entry(entry_id, person) for entry_id, person in self._people.items()] + list(map(_team, teams))
            await self._take_in({entry.entry_id: entry for entry in entries})
            self._read_at = time.monotonic()

    async def _take_in(self, entries: dict[str, Entry]) -> None:
        for entry_id in self._indexed.keys() - entries.keys():
            self._index.remove(entry_id)
        changed = [entry for entry_id, entry in entries.items() if self._indexed.get(entry_id) != entry]
        for number, entry in enumerate(changed, 1):
            self._index.put(entry)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        self._indexed = entries


def _entry(entry_id: str, person: PersonRow) -> Entry:
    return Entry(
        entry_id=entry_id,
        kind="person",
        name=person.called,
        keywords=(person.name,) if person.name != person.called else (),
        number=person.extension,
        team=person.team or "",
    )


def _team(team: TeamRow) -> Entry:
    return Entry(entry_id=f"{_OURS}team:{team.name}", kind="team", name=team.name)
