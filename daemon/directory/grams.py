"""Terms by the small parts that they have in common with what somebody says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Set
from typing import Final

_NONE: Final[Set[str]] = frozenset()


class Grams:
    """An index of ``terms``, which others change, by the grams that ``of`` makes of a term.

    It is kept from the first term on, or ``late``: made when it is first asked, for few terms that are soon forgotten.
    """

    def __init__(self, of: Callable[[str], Iterable[str]], terms: Collection[str], *, late: bool) -> None:
        self._of = of
        self._terms = terms
        self._kept: defaultdict[str, set[str]] | None = None if late else defaultdict(set)

    def add(self, term: str) -> None:
        """Know of a new term."""
        if self._kept is not None:
            self._put(term, self._kept)

    def remove(self, term: str) -> None:
        """Forget a term."""
        if self._kept is None:
            return
        for gram in set(self._of(term)):
            self._kept[gram].discard(term)
            if not self._kept[gram]:
                del self._kept[gram]

    def having(self, gram: str) -> Set[str]:
        """The terms that have ``gram``."""
        if self._kept is None:
            self._kept = defaultdict(set)
            for term in self._terms:
                self._put(term, self._kept)
        return self._kept.get(gram, _NONE)

    def having_all(self, grams: Iterable[str]) -> Set[str]:
        """The terms that have each of ``grams``; none where there are no grams."""
        sets = sorted((self.having(gram) for gram in set(grams)), key=len)
        if not sets:
            return _NONE
        first, *others = sets
        return frozenset(first).intersection(*others) if others else first

    def _put(self, term: str, kept: defaultdict[str, set[str]]) -> None:
        for gram in self._of(term):
            kept[gram].add(term)
