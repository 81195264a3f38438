"""What of a text that somebody said is accounted for by which term: as it is, by a synonym, in part or with slips."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import msgspec

from daemon.directory.analysis import Asked, AskedWord
from daemon.directory.lexicon import Holders, Lexicon
from daemon.directory.meanings import Meanings
from protocols.hangul import has_consonants
from protocols.synonyms import Words

_BEGINS_WORD: Final = 0.95
_ENDS_WORD: Final = 0.85
_INSIDE_WORD: Final = 0.8
_SYNONYM: Final = 0.97
_LONGEST_WITHIN: Final = 16
"""Characters of a term that may begin or end within a word; one of whole words may be longer."""
_MOST_DOUBTED: Final = 16
"""Words of a text that may be written otherwise; of the others only what is written as the terms are."""
_LONGEST_TOGETHER: Final = 24
"""Characters of a whole text that may be one name with blanks in the wrong places."""

Group = tuple[int, bool]
"""The bit of the character that hits begin at, and whether they are of whole names."""


class Hit(msgspec.Struct, frozen=True, gc=False):
    """``term`` accounts for the characters of a text whose bits ``mask`` has, ``credit`` (above 0 to 1) says how well.

    ``holders`` says who has it: among their words, or as a whole name where it ``is_name``.
    """

    mask: int
    credit: float
    term: str
    holders: Holders
    is_name: bool

    @property
    def group(self) -> Group:
        """The hits of which the best tells how likely an entry is."""
        return self.mask & -self.mask, self.is_name


class Finder:
    """Finds the hits of a text. ``words`` and ``wholes`` are as in :class:`~daemon.directory.analysis.Terms`."""

    def __init__(self, words: Lexicon, wholes: Lexicon, meanings: Meanings) -> None:
        self._words = words
        self._wholes = wholes
        self._meanings: dict[str, frozenset[Words]] = {}
        self._replaced: set[str] = set()
        for said, meant in meanings.items():
            key = "".join(said)
            self._meanings[key] = self._meanings.get(key, frozenset()) | meant
            if said not in meant:
                self._replaced.add(key)

    def hits(self, asked: Asked) -> list[Hit]:
        """Every hit of ``asked``; the same characters and the same term may be in several."""
        spans = list(_spans(asked))
        synonyms = [hit for start, end, credit in spans for hit in self._meant(asked.text, start, end, credit)]
        replaced = 0
        for start, end, _ in spans:
            if asked.text[start:end] in self._replaced:
                replaced |= _mask(start, end)
        exact = [
            hit
            for start, end, credit in spans
            if _mask(start, end) & ~replaced
            for hit in self._of(asked.text[start:end], start, end, credit)
        ]
        known = replaced
        for hit in (*exact, *synonyms):
            known |= hit.mask
        return [*exact, *synonyms, *self._unlike(asked, known)]

    def _of(self, term: str, start: int, end: int, credit: float) -> Iterator[Hit]:
        for lexicon in (self._words, self._wholes):
            if holders := lexicon.holders_of(term):
                yield Hit(_mask(start, end), credit, term, holders, lexicon is self._wholes)

    def _meant(self, text: str, start: int, end: int, credit: float) -> Iterator[Hit]:
        said = text[start:end]
        for meant in self._meanings.get(said, ()):
            whole = "".join(meant)
            if whole == said and said not in self._replaced:
                continue
            yield from self._of(whole, start, end, credit * _SYNONYM)
            if len(meant) > 1:
                yield from self._meant_together(meant, start, end, credit * _SYNONYM)

    def _meant_together(self, meant: Words, start: int, end: int, credit: float) -> Iterator[Hit]:
        """Of several words each accounts for its share, and all of them in one entry for the whole."""
        together = self._words.holders_together(meant)
        length = len("".join(meant))
        for at, word in enumerate(meant):
            if together:
                yield Hit(_mask(start, end), credit, word, together[at], is_name=False)
            if holders := self._words.holders_of(word):
                yield Hit(_mask(start, end), credit * len(word) / length, word, holders, is_name=False)

    def _unlike(self, asked: Asked, known: int) -> Iterator[Hit]:
        """What terms that are written otherwise account for; ``known`` is what others do already."""
        telling = [word for word in asked.words if not word.is_light][:_MOST_DOUBTED]
        for word in telling:
            if len(word.text) < 2:
                continue
            if has_consonants(word.text):
                yield from self._short(word.text, word.start)
            for text in {word.text, *word.stems[-1:]} - self._replaced:
                for term, credit in self._words.with_part(text):
                    yield from self._otherwise(self._words, word.start, text, term, credit)
            if _mask(word.start, word.stem_end) & ~known:
                for start, text in _doubtful(word, known):
                    yield from self._like(text, start)
        yield from self._together(asked, telling, known)

    def _together(self, asked: Asked, telling: list[AskedWord], known: int) -> Iterator[Hit]:
        """What neighbours, and all words that say something, are together."""
        runs = [(one, other) for one, other in pairwise(telling) if one.end == other.start]
        if len(telling) > 2 and telling[-1].end - telling[0].start <= _LONGEST_TOGETHER:
            runs.append((telling[0], telling[-1]))
        for first, last in runs:
            if _mask(first.start, last.stem_end) & ~known:
                for end in dict.fromkeys((last.end, last.stem_end)):
                    text = asked.text[first.start : end]
                    yield from self._like(text, first.start)
                    if has_consonants(text):
                        yield from self._short(text, first.start)

    def _like(self, text: str, start: int) -> Iterator[Hit]:
        for lexicon in (self._words, self._wholes):
            for term, credit in lexicon.like(text):
                yield from self._otherwise(lexicon, start, text, term, credit)

    def _short(self, text: str, start: int) -> Iterator[Hit]:
        for lexicon in (self._words, self._wholes):
            for term, credit in lexicon.with_initials(text):
                yield from self._otherwise(lexicon, start, text, term, credit)

    def _otherwise(self, lexicon: Lexicon, start: int, text: str, term: str, credit: float) -> Iterator[Hit]:
        """The hit of a term that is written otherwise than ``text``."""
        if holders := lexicon.holders_of(term):
            yield Hit(_mask(start, start + len(text)), credit, term, holders, lexicon is self._wholes)


def _spans(asked: Asked) -> Iterator[tuple[int, int, float]]:
    """The stretches of the text that may be a term: start, end, and what a term there is worth."""
    starts = {word.start for word in asked.words}
    ends = {word.end for word in asked.words}
    stem_ends = {word.start + len(stem) for word in asked.words for stem in word.stems} | ends
    end_of_word = [word.end for word in asked.words for _ in word.text]
    for start in range(len(asked.text)):
        if not _may_cut(asked.text, start, starts):
            continue
        for end in range(start + 1, min(start + _LONGEST_WITHIN, len(asked.text)) + 1):
            if not _may_cut(asked.text, end, ends):
                continue
            if start in starts:
                if end in stem_ends:
                    yield start, end, 1.0
                elif end - start > 1:
                    yield start, end, _BEGINS_WORD
            elif end <= end_of_word[start] and end - start > 1:
                yield start, end, _ENDS_WORD if end in stem_ends else _INSIDE_WORD
        if start in starts:
            yield from ((start, end, 1.0) for end in sorted(stem_ends) if end - start > _LONGEST_WITHIN)


def _may_cut(text: str, at: int, known: set[int]) -> bool:
    """Korean words stand together without a blank; an English word and a number are whole."""
    return at in known or not (text[at - 1].isascii() and text[at].isascii())


def _doubtful(word: AskedWord, known: int) -> Iterator[tuple[int, str]]:
    """The word, its stems, and what of it is left beside that which is ``known``, each with its start."""
    for text in (word.text, *word.stems):
        yield word.start, text
    length = word.stem_end - word.start
    left = [not known >> (word.start + at) & 1 for at in range(length)]
    if all(left):
        return
    at = 0
    while at < length:
        end = at
        while end < length and left[end]:
            end += 1
        if end - at > 1:
            yield word.start + at, word.text[at:end]
        at = end + 1


def _mask(start: int, end: int) -> int:
    return (1 << end) - (1 << start)
