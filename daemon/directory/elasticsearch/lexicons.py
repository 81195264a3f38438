"""What stands in the place of a whole vocabulary where the terms are on a server: who looks up what, and candidates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from daemon.directory.lexicon import Holders
from daemon.directory.vocabulary import Vocabulary
from protocols.synonyms import Words

Known = Mapping[str, Holders | None]
KnownTogether = Mapping[Words, Sequence[Holders]]


class Questions:
    """A lexicon that notes what it is asked, and answers what was counted.

    Who has terms that are written otherwise than what was said it cannot tell: that is for the server.
    """

    def __init__(self, known: Known | None = None, together: KnownTogether | None = None) -> None:
        self._known = known or {}
        self._known_together = together or {}
        # Dictionaries keep the order, and each question once.
        self.terms: dict[str, None] = {}
        self.together: dict[Words, None] = {}
        self.parts: dict[str, None] = {}
        self.initials: dict[str, None] = {}
        self.like_these: dict[str, None] = {}

    def holders_of(self, term: str) -> Holders | None:
        """As the lexicon's, fields in the place of entries."""
        self.terms[term] = None
        return self._known.get(term)

    def holders_together(self, terms: Words) -> Sequence[Holders]:
        """As the lexicon's, fields in the place of entries."""
        self.together[terms] = None
        return self._known_together.get(terms, ())

    def with_part(self, part: str) -> Iterable[tuple[str, float]]:
        """Notes ``part``."""
        self.parts[part] = None
        return ()

    def with_initials(self, word: str) -> Iterable[tuple[str, float]]:
        """Notes ``word``."""
        self.initials[word] = None
        return ()

    def like(self, word: str) -> Iterable[tuple[str, float]]:
        """Notes ``word``."""
        self.like_these[word] = None
        return ()


class Candidates(Vocabulary):
    """The terms of some entries, with the counts of all there are.

    Of a term that was not counted yet the candidates alone are counted, and it is in ``uncounted``.
    """

    def __init__(self, known: Known, together: KnownTogether | None = None) -> None:
        super().__init__(soon_forgotten=True)
        self._known = known
        self._known_together = together or {}
        self.uncounted: dict[str, None] = {}

    def holders_of(self, term: str) -> Holders | None:
        """As the lexicon's; ``entries`` are candidates."""
        here = super().holders_of(term)
        if term not in self._known:
            if here is not None:
                self.uncounted[term] = None
            return here
        return _of_both(here, self._known[term])

    def holders_together(self, terms: Words) -> Sequence[Holders]:
        """As the lexicon's; ``entries`` are candidates."""
        here = super().holders_together(terms)
        there = self._known_together.get(terms, ())
        if not here or not there:
            return here or [Holders({}, each.count, each.best) for each in there]
        return [both for each, all_of in zip(here, there, strict=True) if (both := _of_both(each, all_of))]


def _of_both(here: Holders | None, everywhere: Holders | None) -> Holders | None:
    """The candidates ``here`` with the count of all. An entry may have come between the two answers."""
    if here is None:
        return Holders({}, everywhere.count, everywhere.best) if everywhere is not None else None
    if everywhere is None:
        return here
    return Holders(here.entries, max(here.count, everywhere.count), max(here.best, everywhere.best))
