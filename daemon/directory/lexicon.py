"""What a finder looks terms up in, wherever they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from protocols.synonyms import Words


class Holders(msgspec.Struct, frozen=True, gc=False):
    """Who has a term: ``count`` entries, one at least, in one of which it weighs ``best`` and in none more.

    ``entries`` are the ids of those that are at hand, with what it weighs there.
    """

    entries: Mapping[str, float]
    count: int
    best: float


class Lexicon(Protocol):
    """Terms, and who has them."""

    def holders_of(self, term: str) -> Holders | None:
        """Who has ``term``; ``None``: nobody."""

    def holders_together(self, terms: Words) -> Sequence[Holders]:
        """Of each of ``terms`` those of its holders that have all of them; empty where nobody has."""

    def with_part(self, part: str) -> Iterable[tuple[str, float]]:
        """The terms that ``part``, of two characters at least, is a part of and not the whole, each with how well it
        fits (above 0 to 1)."""

    def with_initials(self, word: str) -> Iterable[tuple[str, float]]:
        """The terms that ``word``, in which consonants stand for syllables, is short for: ㅎㄱㄷ or 홍ㄱ for 홍길동."""

    def like(self, word: str) -> Iterable[tuple[str, float]]:
        """The terms that ``word`` is with a slip or more, as far as its length allows any."""
