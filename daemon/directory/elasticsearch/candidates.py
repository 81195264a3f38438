"""Which entries are worth scoring: the query that finds them, likeliest first.

What a clause is worth follows what the scoring makes of a hit, and of those that begin at the same character the best
word and the best name count. For terms that are as somebody wrote them it is the same; for those that are written
otherwise it is a guess, and there is room for as many more candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from daemon.directory.contract import Kind
from daemon.directory.elasticsearch.lexicons import Questions
from daemon.directory.hits import Group, Hit
from daemon.directory.scoring import MOST_SCORED, weight_of
from daemon.directory.vocabulary import least_shared, slips_allowed, triples
from protocols.hangul import initials, is_initials, jamo, pairs

Query = dict[str, Any]
Clause = Callable[[float], Query]
"""A query that is worth what it is told."""

_MOST_CLAUSES: Final = 400
"""Terms in one query: a server takes 1024 at least."""
_MOST_GRAMS: Final = 64
"""Parts of one word that are looked for: more tell nothing new."""
_MOST_FOUND: Final = 10_000
"""What a server gives at once."""

_PART: Final = 0.7
_INITIALS: Final = 0.9
_SLIPS: Final = 0.75
_MOST_FUZZY: Final = 2
"""The slips that Elasticsearch can count, in words that are not too long for it to be quick at that."""


def query(text: str, hits: Sequence[Hit], weights: Sequence[float], questions: Sequence[Questions]) -> Query | None:
    """What finds the candidates for ``text``; ``None``: there are none.

    ``hits`` are those of the terms that are as they were written, ``questions`` those that were asked beside.
    """
    clauses = [
        (hit.credit * weight_of(hit.mask, weights) * weight, _whole({"term": {field: hit.term}}), 1, hit.group)
        for hit in hits
        for field, weight in hit.holders.entries.items()
    ]
    for said, guess, clause, size in _otherwise(questions):
        start = 1 << text.find(said)
        worth = weight_of((start << len(said)) - start, weights)
        clauses.append((guess * worth, clause, size, (start, False)))
    clauses.sort(key=lambda each: -each[0])
    groups: dict[Group, list[Query]] = {}
    left = _MOST_CLAUSES
    for worth, clause, size, group in clauses:
        if size <= left:
            left -= size
            groups.setdefault(group, []).append(clause(worth))
    if not groups:
        return None
    should = [{"dis_max": {"queries": group}} for group in groups.values()]
    return {"bool": {"should": should, "minimum_should_match": 1}}


def of_kinds(wanted: Query, kinds: Collection[Kind]) -> Query:
    """The same of these kinds alone."""
    return {"bool": {**wanted["bool"], "filter": [{"terms": {"kind": sorted(kinds)}}]}}


def how_many(limit: int) -> int:
    """How many candidates there should be for the best ``limit`` matches."""
    return min(limit + 2 * MOST_SCORED, _MOST_FOUND)


def _otherwise(questions: Sequence[Questions]) -> Iterator[tuple[str, float, Clause, int]]:
    """What may be written otherwise: what was said, what it is worth, who has it, and how many terms that is.

    Single words and names of several are looked for together.
    """
    for part in _once(asked.parts for asked in questions):
        within, size = _all_of("parts", pairs(part))
        # Who has it as a word of its own has it as a part too.
        within["bool"]["must_not"] = [{"term": {"words": part}}]
        yield part, _PART, _whole(within), size + 1
    for short in _once(asked.initials for asked in questions):
        consonants = initials(short)
        if (is_initials(short) or len(short) == len(consonants)) and len(consonants) > 1:
            some, size = _all_of("initials", pairs(consonants))
            yield short, _INITIALS, _whole(some), size
    for word in _once(asked.like_these for asked in questions):
        keys = jamo(word)
        allowed = slips_allowed(keys)
        if 0 < allowed <= _MOST_FUZZY:
            fuzzy = {"value": keys, "fuzziness": allowed, "transpositions": True}
            yield word, _SLIPS, _whole({"fuzzy": {"keys": fuzzy}}), 1
        elif allowed:
            wanted = sorted(triples(keys))[:_MOST_GRAMS]
            yield word, _SLIPS, _shared("triples", wanted, least_shared(wanted, allowed)), len(wanted)


def _once(asked: Iterable[Iterable[str]]) -> Iterable[str]:
    return dict.fromkeys(chain.from_iterable(asked))


def _whole(filtered: Query) -> Clause:
    """Worth all of it, or nothing."""
    return lambda worth: {"constant_score": {"filter": filtered, "boost": worth}}


def _shared(field: str, grams: Sequence[str], least: int) -> Clause:
    """Worth the more, the more of ``grams`` there are."""

    def clause(worth: float) -> Query:
        should = [_whole({"term": {field: gram}})(worth / len(grams)) for gram in grams]
        return {"bool": {"should": should, "minimum_should_match": least}}

    return clause


def _all_of(field: str, grams: Sequence[str]) -> tuple[Query, int]:
    some = list(dict.fromkeys(grams))[:_MOST_GRAMS]
    return {"bool": {"filter": [{"term": {field: gram}} for gram in some]}}, len(some)
