"""What text of the directory is made of: the terms of an entry, and the words of somebody who asks for one.

Every engine indexes and is asked for what this module makes, and nothing of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from daemon.directory.contract import LONGEST_QUERY, Entry
from daemon.directory.small_words import ENDINGS, FILLERS, LONGEST_ENDING
from protocols.hangul import is_syllable, normal, words

NAMED: Final = 1.0
FURTHER_NAMED: Final = 0.97
IN_TEAM: Final = 0.7
DESCRIBED: Final = 0.6

_FILLER: Final = 0.1
_ENDING: Final = 0.05
"""What a character of a filler and of an ending weighs beside one that says something."""

_LEAST_STEM: Final = 2


class Phrase(msgspec.Struct, frozen=True, gc=False):
    """A name of an entry: its words, and these without what stands between, which is how many write it."""

    words: tuple[str, ...]
    whole: str


class Terms(msgspec.Struct, frozen=True, gc=False):
    """What an entry is found by, each term with its weight above 0 to 1.

    ``words`` are those of all its text; ``wholes`` its names, each without what stands between its words.
    """

    words: Mapping[str, float]
    wholes: Mapping[str, float]
    names: tuple[Phrase, ...]


class AskedWord(msgspec.Struct, frozen=True, gc=False):
    """A word that somebody said, and where it stands in :attr:`Asked.text`.

    ``stems`` are what it is without endings, longest first, ``stem_end`` is where the shortest of them ends.
    ``is_light``: it is said around that which is asked for.
    """

    text: str
    start: int
    stem_end: int
    stems: tuple[str, ...]
    is_light: bool

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)

    def weight_at(self, at: int) -> float:
        """What its character there weighs beside one that says something."""
        if self.is_light:
            return _FILLER
        return 1.0 if at < self.stem_end else _ENDING


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What somebody said: its words, and these without what stands between."""

    text: str
    words: tuple[AskedWord, ...]


def terms_of(entry: Entry) -> Terms:
    """What ``entry`` is found by."""
    found: dict[str, float] = {}
    wholes: dict[str, float] = {}
    names: list[Phrase] = []
    further = [(keyword, FURTHER_NAMED) for keyword in entry.keywords]
    for name, weight in [(entry.name, NAMED), (entry.code, NAMED), (entry.number, NAMED), *further]:
        phrase = tuple(words(name))
        if not phrase:
            continue
        names.append(Phrase(phrase, "".join(phrase)))
        _add(found, phrase, weight)
        _add(wholes, ("".join(phrase),), weight)
    for text, weight in [(entry.team, IN_TEAM), (entry.description, DESCRIBED)]:
        for word in words(text):
            _add(found, (word, *stems(word)), weight)
    return Terms(found, wholes, tuple(names))


def asked_for(text: str) -> Asked:
    """What ``text``, of which the first ``LONGEST_QUERY`` characters count, asks for."""
    asked: list[AskedWord] = []
    whole = ""
    for word in words(normal(text[: 4 * LONGEST_QUERY])[:LONGEST_QUERY]):
        found = stems(word)
        stem_end = len(whole) + (len(found[-1]) if found else len(word))
        light = word in FILLERS or any(stem in FILLERS for stem in found)
        asked.append(AskedWord(word, len(whole), stem_end, found, light))
        whole += word
    return Asked(whole, tuple(asked))


def stems(word: str) -> tuple[str, ...]:
    """``word`` without one ending or two, longest first: 팀장님께서 → 팀장님, 팀장.

    Some are wrong, as 이가 of the name 이가은 is: a word may always mean itself.
    """
    found: set[str] = set()
    once = _without_ending(word)
    for stem in once:
        found |= {stem, *_without_ending(stem)}
    return tuple(sorted(found, key=len, reverse=True))


def _without_ending(word: str) -> list[str]:
    if not is_syllable(word[-1]):
        return []
    longest = min(LONGEST_ENDING, len(word) - _LEAST_STEM)
    return [word[:-length] for length in range(1, longest + 1) if word[-length:] in ENDINGS]


def _add(terms: dict[str, float], some: tuple[str, ...], weight: float) -> None:
    for term in some:
        terms[term] = max(weight, terms.get(term, 0.0))
