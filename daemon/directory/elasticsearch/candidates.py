"""Which entries are worth scoring: the query that finds them, likeliest first.

What a clause is worth follows what the scoring makes of a hit. For terms that are as somebody wrote them it is the
same; for those that are written otherwise it is a guess, and there is room for as many more candidates.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from daemon.directory.contract import Kind
from daemon.directory.elasticsearch.lexicons import Questions
from daemon.directory.hits import Hit
from daemon.directory.scoring import MOST_SCORED, weight_of
from daemon.directory.vocabulary import least_shared, slips_allowed, triples
from protocols.hangul import initials, is_initials, jamo, pairs

Clause = dict[str, Any]

_MOST_CLAUSES: Final = 400
"""Terms in one query: a server takes 1024 at least."""
_MOST_GRAMS: Final = 64
"""Parts of one word that are looked for: more tell nothing new."""
_MOST_FOUND: Final = 10_000
"""What a server gives at once."""

_PART: Final = 0.7
_INITIALS: Final = 0.9
_SLIPS: Final = 0.75
_MANY_SLIPS: Final = 0.6
_MOST_FUZZY: Final = 2
"""The slips that Elasticsearch can count."""


def query(text: str, hits: Sequence[Hit], weights: Sequence[float], questions: Iterable[Questions]) -> Clause | None:
    """What finds the candidates for ``text``; ``None``: there are none.

    ``hits`` are those of the terms that are as they were written, ``questions`` those that were asked beside.
    """
    clauses = [
        (hit.credit * weight_of(hit.mask, weights) * weight, {"term": {field: hit.term}}, 1)
        for hit in hits
        for field, weight in hit.holders.entries.items()
    ]
    for asked in questions:
        for said, guess, clause, size in _otherwise(asked):
            at = text.find(said)
            worth = weight_of((1 << at + len(said)) - (1 << at), weights)
            clauses.append((guess * worth, clause, size))
    clauses.sort(key=lambda each: -each[0])
    should: list[Clause] = []
    left = _MOST_CLAUSES
    for worth, clause, size in clauses:
        if size <= left:
            left -= size
            should.append({"constant_score": {"filter": clause, "boost": worth}})
    if not should:
        return None
    return {"bool": {"should": should, "minimum_should_match": 1}}


def of_kinds(wanted: Clause, kinds: Collection[Kind]) -> Clause:
    """The same of these kinds alone."""
    return {"bool": {**wanted["bool"], "filter": [{"terms": {"kind": sorted(kinds)}}]}}


def how_many(limit: int) -> int:
    """How many candidates there should be for the best ``limit`` matches."""
    return min(limit + 2 * MOST_SCORED, _MOST_FOUND)


def _otherwise(asked: Questions) -> Iterator[tuple[str, float, Clause, int]]:
    """What may be written otherwise: what was said, what it is worth, who has it, and how many terms that is."""
    for part in asked.parts:
        within, size = _all_of("parts", pairs(part))
        # Who has it as a word of its own has it as a part too.
        within["bool"]["must_not"] = [{"term": {"words": part}}]
        yield part, _PART, within, size + 1
    for short in asked.initials:
        consonants = initials(short)
        if (is_initials(short) or len(short) == len(consonants)) and len(consonants) > 1:
            yield (short, _INITIALS, *_all_of("initials", pairs(consonants)))
    for word in asked.like_these:
        keys = jamo(word)
        if not (allowed := slips_allowed(keys)):
            continue
        fuzzy = {"value": keys, "fuzziness": min(allowed, _MOST_FUZZY), "transpositions": True}
        yield word, _SLIPS, {"fuzzy": {"keys": fuzzy}}, 1
        if allowed > _MOST_FUZZY:
            wanted = sorted(triples(keys))[:_MOST_GRAMS]
            shared = [{"term": {"triples": triple}} for triple in wanted]
            least = least_shared(wanted, allowed)
            yield word, _MANY_SLIPS, {"bool": {"should": shared, "minimum_should_match": least}}, len(shared)


def _all_of(field: str, grams: Sequence[str]) -> tuple[Clause, int]:
    some = list(dict.fromkeys(grams))[:_MOST_GRAMS]
    return {"bool": {"filter": [{"term": {field: gram}} for gram in some]}}, len(some)
