"""An index of entries in memory, and how well each of them answers what somebody asks for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from daemon.directory.analysis import Asked, asked_for, terms_of
from daemon.directory.contract import Entry, Kind, Match
from daemon.directory.hits import Finder, Hit
from daemon.directory.meanings import Meanings
from daemon.directory.scoring import Indexed, ranked, weights_of
from daemon.directory.vocabulary import Vocabulary


class Index:
    """Entries, each findable from the moment it was put. ``meanings`` are those of a file of synonyms.

    ``words`` and ``wholes`` are empty vocabularies of its own where none are given.
    """

    def __init__(
        self,
        meanings: Meanings,
        words: Vocabulary | None = None,
        wholes: Vocabulary | None = None,
    ) -> None:
        self._indexed: dict[str, Indexed] = {}
        self._words = Vocabulary() if words is None else words
        self._wholes = Vocabulary() if wholes is None else wholes
        self._finder = Finder(self._words, self._wholes, meanings)

    def __len__(self) -> int:
        return len(self._indexed)

    @property
    def entry_ids(self) -> Collection[str]:
        """The ids of what is in it."""
        return self._indexed.keys()

    def get(self, entry_id: str) -> Entry | None:
        """The entry of that id."""
        indexed = self._indexed.get(entry_id)
        return indexed.entry if indexed is not None else None

    def put(self, entry: Entry) -> None:
        """Add an entry, or replace the one of its id."""
        self.remove(entry.entry_id)
        indexed = Indexed(entry, terms_of(entry))
        self._indexed[entry.entry_id] = indexed
        for vocabulary, terms in ((self._words, indexed.terms.words), (self._wholes, indexed.terms.wholes)):
            for term, weight in terms.items():
                vocabulary.add(term, entry.entry_id, weight)

    def remove(self, entry_id: str) -> None:
        """Remove the entry of that id, where there is one."""
        indexed = self._indexed.pop(entry_id, None)
        if indexed is None:
            return
        for vocabulary, terms in ((self._words, indexed.terms.words), (self._wholes, indexed.terms.wholes)):
            for term in terms:
                vocabulary.remove(term, entry_id)

    def search(self, text: str, *, limit: int, threshold: float, kinds: Collection[Kind] = ()) -> list[Match]:
        """As :meth:`daemon.directory.contract.Directory.search`."""
        if limit < 1:
            raise ValueError("limit is below 1")
        asked = asked_for(text)
        return self.ranked(asked, self.hits(asked), everything=len(self), limit=limit, threshold=threshold, kinds=kinds)

    def hits(self, asked: Asked) -> list[Hit]:
        """What accounts for which part of the text."""
        return self._finder.hits(asked)

    def ranked(
        self,
        asked: Asked,
        hits: Sequence[Hit],
        *,
        everything: int,
        limit: int,
        threshold: float,
        kinds: Collection[Kind] = (),
    ) -> list[Match]:
        """The best matches by ``hits``, ``everything`` being how many entries there are, here and elsewhere."""
        weights = weights_of(asked, hits, everything)
        return ranked(hits, weights, self._indexed, limit=limit, threshold=threshold, kinds=kinds)
