"""The terms of an index, and which of them a word may mean that is not written like them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import nlargest
from typing import Final

from daemon.directory.distance import Slips
from daemon.directory.grams import Grams
from daemon.directory.lexicon import Holders
from protocols.hangul import initials, is_initials, jamo, pairs
from protocols.synonyms import Words

_PART: Final = 0.45
_BEGINNING: Final = 0.55
_SHARE: Final = 0.35
"""A part of a term is worth the first, its beginning the second, and as much more of the third as it is of the term."""
_INITIALS_LESS: Final = 0.05
"""What initial consonants are worth less than the syllables that they stand for."""
_SLIP: Final = 2.0
"""What a slip takes away: this share of what a key is of the word."""

_MOST_PARTS: Final = 400
_MOST_LIKE: Final = 40
_SHORTEST_WITH_SLIPS: Final = 4
"""Keys of a word in which a slip can be told from another word."""

_NONE: Final[Mapping[str, float]] = {}


class Vocabulary:
    """Terms and the entries that have them, found by their parts, their initial consonants, and with slips.

    Implements :class:`~daemon.directory.lexicon.Lexicon`. One that is ``soon_forgotten`` does no more than it is asked.
    """

    def __init__(self, *, soon_forgotten: bool = False) -> None:
        self._entries: dict[str, dict[str, float]] = {}
        terms = self._entries.keys()
        self._pairs = Grams(pairs, terms, late=soon_forgotten)
        self._triples = Grams(lambda term: triples(jamo(term)), terms, late=soon_forgotten)
        self._initials = Grams(lambda term: pairs(initials(term)), terms, late=soon_forgotten)

    def add(self, term: str, entry_id: str, weight: float) -> None:
        """Know that the entry has ``term``, and what it weighs there."""
        if term not in self._entries:
            self._entries[term] = {}
            for grams in (self._pairs, self._triples, self._initials):
                grams.add(term)
        self._entries[term][entry_id] = weight

    def remove(self, term: str, entry_id: str) -> None:
        """Forget that the entry has ``term``, which it must have."""
        del self._entries[term][entry_id]
        if self._entries[term]:
            return
        del self._entries[term]
        for grams in (self._pairs, self._triples, self._initials):
            grams.remove(term)

    def entries_of(self, term: str) -> Mapping[str, float]:
        """The ids of the entries that have ``term``, with what it weighs there."""
        return self._entries.get(term, _NONE)

    def holders_of(self, term: str) -> Holders | None:
        """As the lexicon's."""
        entries = self._entries.get(term)
        return Holders(entries, len(entries), max(entries.values())) if entries else None

    def holders_together(self, terms: Words) -> Sequence[Holders]:
        """As the lexicon's."""
        each = [self.entries_of(term) for term in terms]
        everywhere = set(each[0]).intersection(*each[1:])
        if not everywhere:
            return ()
        found = [{entry_id: entries[entry_id] for entry_id in everywhere} for entries in each]
        return [Holders(entries, len(entries), max(entries.values())) for entries in found]

    def with_part(self, part: str) -> Iterator[tuple[str, float]]:
        """The terms that ``part``, of two characters at least, is a part of and not the whole, each with how well it
        fits (above 0 to 1)."""
        for term in _so_many(self._pairs.having_all(pairs(part))):
            at = term.find(part)
            if at >= 0 and len(term) > len(part):
                yield term, _worth_of_part(part, term, at)

    def with_initials(self, word: str) -> Iterator[tuple[str, float]]:
        """The terms that ``word``, in which consonants stand for syllables, is short for: ㅎㄱㄷ or 홍ㄱ for 홍길동."""
        consonants = initials(word)
        # Two that a keyboard drew together stand for two syllables.
        word = consonants if is_initials(word) else word
        if len(word) != len(consonants):
            return
        for term in _so_many(self._initials.having_all(pairs(consonants))):
            at = _begins_at(term, word, consonants)
            if at >= 0:
                whole = 1.0 if len(term) == len(word) else _worth_of_part(word, term, at)
                yield term, whole - _INITIALS_LESS

    def like(self, word: str) -> Iterator[tuple[str, float]]:
        """The terms that ``word`` is with a slip or more, as far as its length allows any."""
        keys = jamo(word)
        allowed = slips_allowed(keys)
        if not allowed:
            return
        wanted = triples(keys)
        least = least_shared(wanted, allowed)
        shared = Counter[str]()
        for triple in wanted:
            shared.update(self._triples.having(triple))
        likely = [
            (count, term, other)
            for term, count in shared.items()
            if count >= least and abs(len(other := jamo(term)) - len(keys)) <= allowed
        ]
        slips = Slips(keys)
        for _, term, other in nlargest(_MOST_LIKE, likely):
            made = slips.to(other)
            if 0 < made <= allowed:
                yield term, 1.0 - _SLIP * made / max(len(keys), len(other))


def slips_allowed(keys: str) -> int:
    """How many slips a word that these keys type may have; 0 where one could not be told from another word."""
    if len(keys) < _SHORTEST_WITH_SLIPS or any(key.isdigit() for key in keys):
        return 0
    return 1 if len(keys) < 7 else 2 if len(keys) < 12 else 3


def triples(keys: str) -> set[str]:
    """The runs of three of ``keys``, its beginning and its end told from what stands within."""
    padded = f"^{keys}$"
    return {padded[at : at + 3] for at in range(len(padded) - 2)}


def least_shared(wanted: Collection[str], slips: int) -> int:
    """How many of the triples ``wanted`` are left in a word with so many slips."""
    # A slip spoils three triples, and one in ten words has one twice.
    return max(1, len(wanted) - 3 * slips)


def _worth_of_part(part: str, term: str, at: int) -> float:
    return (_PART if at else _BEGINNING) + _SHARE * len(part) / len(term)


def _so_many(terms: Collection[str]) -> Iterable[str]:
    """``terms``, or so many of them that asking stays cheap."""
    return terms if len(terms) <= _MOST_PARTS else sorted(terms, key=lambda term: (len(term), term))[:_MOST_PARTS]


def _begins_at(term: str, word: str, consonants: str) -> int:
    """Where in ``term`` the consonants and syllables of ``word`` stand; -1: nowhere."""
    found = initials(term)
    if len(found) != len(term):
        return -1
    at = found.find(consonants)
    while at >= 0:
        if all(key in (term[at + index], found[at + index]) for index, key in enumerate(word)):
            return at
        at = found.find(consonants, at + 1)
    return -1
