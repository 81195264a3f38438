"""An index of entries in memory, and how well each of them answers what somebody asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from heapq import nlargest
from math import log
from typing import Final

import msgspec

from daemon.directory.analysis import Asked, Phrase, Terms, asked_for, terms_of
from daemon.directory.contract import Entry, Kind, Match
from daemon.directory.hits import Finder, Hit
from daemon.directory.vocabulary import Vocabulary
from protocols.synonyms import Words

_MOST_SCORED: Final = 40
"""Entries that are scored in full beside as many as are asked for, the likeliest of all that have anything."""
_NAME_SHARE: Final = 0.15
"""What of the score depends on how much of one name the text is."""
_COMMONEST: Final = 0.3
"""What a character weighs in a term that every entry has; in one that a single entry has it is 1."""
_UNKNOWN: Final = 0.45
"""What one weighs that no entry accounts for."""


class _Indexed(msgspec.Struct, frozen=True):
    entry: Entry
    terms: Terms


class _Account(msgspec.Struct, gc=False):
    """What is in favour of one entry: hits as (worth, mask), and how well each of its terms was hit."""

    hits: list[tuple[float, int]]
    terms: dict[str, float]


class Index:
    """Entries, each findable from the moment it was put. ``meanings`` are those of a file of synonyms."""

    def __init__(self, meanings: Mapping[Words, frozenset[Words]]) -> None:
        self._indexed: dict[str, _Indexed] = {}
        self._words = Vocabulary()
        self._wholes = Vocabulary()
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
        indexed = _Indexed(entry, terms_of(entry))
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
        hits = self._finder.hits(asked)
        weights = self._weights(asked, hits)
        likely = self._likeliest(hits, weights, limit + _MOST_SCORED, kinds)
        matches = [
            Match(self._indexed[entry_id].entry, self._score(entry_id, account, weights))
            for entry_id, account in _accounts(hits, likely).items()
        ]
        matches = [match for match in matches if match.score >= threshold]
        matches.sort(key=lambda match: (-match.score, match.entry.name, match.entry.entry_id))
        return matches[:limit]

    def _weights(self, asked: Asked, hits: list[Hit]) -> list[float]:
        """What each character of the text weighs: the more, the fewer entries have the term that it is best in."""
        weights = [_UNKNOWN] * len(asked.text)
        everything = log(1 + max(1, len(self._indexed)))
        seen = 0
        # What stands in descriptions alone is mostly not what is asked for.
        told = [(max(hit.entries.values()), hit) for hit in hits]
        told.sort(key=lambda one: (-one[0] * one[1].credit, -len(one[1].entries), one[1].mask, one[1].term))
        for weight, hit in told:
            new = hit.mask & ~seen
            seen |= new
            while new:
                lowest = new & -new
                rarity = log(1 + len(self._indexed) / len(hit.entries)) / everything
                weights[lowest.bit_length() - 1] = weight * (_COMMONEST + (1 - _COMMONEST) * rarity)
                new ^= lowest
        for word in asked.words:
            for at in range(word.start, word.end):
                weights[at] *= word.weight_at(at)
        return weights

    def _likeliest(self, hits: list[Hit], weights: list[float], most: int, kinds: Collection[Kind]) -> set[str]:
        """The entries whose hits are worth most, what several account for counted several times."""
        worth: dict[str, float] = {}
        for hit in hits:
            gain = hit.credit * _weight_of(hit.mask, weights)
            for entry_id, weight in hit.entries.items():
                worth[entry_id] = worth.get(entry_id, 0.0) + gain * weight
        if kinds:
            worth = {entry_id: gain for entry_id, gain in worth.items() if self._indexed[entry_id].entry.kind in kinds}
        return set(nlargest(most, worth, key=lambda entry_id: (worth[entry_id], entry_id)))

    def _score(self, entry_id: str, account: _Account, weights: list[float]) -> float:
        """The weight of what is accounted for in that of everything, a little less for a part of a name."""
        seen = 0
        covered = 0.0
        for worth, mask in sorted(account.hits, reverse=True):
            covered += worth * _weight_of(mask & ~seen, weights)
            seen |= mask
        share = covered / sum(weights)
        name = max((_share_of(phrase, account.terms) for phrase in self._indexed[entry_id].terms.names), default=0.0)
        return min(1.0, share * (1 - _NAME_SHARE + _NAME_SHARE * name))


def _accounts(hits: list[Hit], entry_ids: set[str]) -> dict[str, _Account]:
    accounts = {entry_id: _Account([], {}) for entry_id in entry_ids}
    for hit in hits:
        for entry_id in hit.entries.keys() & entry_ids:
            account = accounts[entry_id]
            account.hits.append((hit.credit * hit.entries[entry_id], hit.mask))
            account.terms[hit.term] = max(hit.credit, account.terms.get(hit.term, 0.0))
    return accounts


def _share_of(name: Phrase, terms: Mapping[str, float]) -> float:
    """How much of a name was hit."""
    words = sum(len(word) * terms.get(word, 0.0) for word in name.words) / len(name.whole)
    return max(words, terms.get(name.whole, 0.0))


def _weight_of(mask: int, weights: list[float]) -> float:
    weight = 0.0
    while mask:
        lowest = mask & -mask
        weight += weights[lowest.bit_length() - 1]
        mask ^= lowest
    return weight
