"""The directory as others see it: services, people and teams, found by what somebody says or types.

The entries live in the store; an engine keeps an index of them, which follows the store by itself. What is found and
how well does not depend on the engine: text is analysed and matches are scored by the same code for all of them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Protocol

import msgspec

from daemon.stores.directory_entries import DirectoryEntryRow, EntryKind

Kind = EntryKind
"""``service``, ``person`` or ``team``."""
Entry = DirectoryEntryRow
"""Something that can be found."""

LONGEST_QUERY: Final = 100
"""Characters of a text that are looked at; what follows them counts as not said."""


class DirectoryAwayError(Exception):
    """The index cannot be asked now: it was not made yet, or its engine is away. Trying again later is right.

    The text is for people.
    """


class Match(msgspec.Struct, frozen=True, gc=False):
    """An entry that was found. ``score`` says how well, above 0 to 1.

    1: the text is its name, its code or its number, however it is spaced; 0.97: it is a keyword. From 0.8: all of the
    text is accounted for by words of its names, as they are, by synonyms or by initial consonants. Below: something is
    not, or only by a part of a word, with slips, or by the team or the description. Polite words and particles count
    for almost nothing, a word that many entries have for less than one that few have.
    """

    entry: Entry
    score: float


class Directory(Protocol):
    """Finds entries."""

    async def search(
        self, text: str, *, limit: int = 5, threshold: float | None = None, kinds: Collection[Kind] = ()
    ) -> list[Match]:
        """The best ``limit`` matches of ``text``, best first; those of the same score by name.

        ``text`` is in Korean or English, with slips, parts of words or initial consonants alone (ㅎㄱㄷ), a whole
        sentence or one word; ``""`` finds nothing. Matches that score less than ``threshold`` (that of the
        configuration where it is ``None``) are left out, and so are other kinds than ``kinds`` where any is named.

        Raises :class:`DirectoryAwayError`, and ``ValueError`` for a ``limit`` below 1.
        """

    async def get(self, entry_id: str) -> Entry | None:
        """The entry of that id, as the index knows it. Raises :class:`DirectoryAwayError`."""
