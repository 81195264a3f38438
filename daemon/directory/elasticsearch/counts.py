"""How many entries of the whole index have a term: what is asked of Elasticsearch, and what its answer says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from daemon.directory.elasticsearch.documents import WHOLE_FIELDS, WORD_FIELDS
from daemon.directory.lexicon import Holders
from protocols.synonyms import Words

Aggregations = dict[str, Any]

_TOGETHER: Final = "together_"
_NONE: Final[Sequence[Holders]] = ()


class Wanted(msgspec.Struct):
    """The terms to be counted: ``words`` and ``wholes`` each for itself, ``together`` in the entries that have all."""

    words: Collection[str] = ()
    wholes: Collection[str] = ()
    together: Sequence[Words] = ()


class Counts(msgspec.Struct):
    """What was counted. Fields stand in the place of entries: they are who has a term, and it weighs there what it
    weighs in that field. A term that was counted and that nobody has is ``None``."""

    everything: int = 0
    words: dict[str, Holders | None] = {}
    wholes: dict[str, Holders | None] = {}
    together: dict[Words, Sequence[Holders]] = {}


def aggregations(wanted: Wanted) -> Aggregations:
    """What counts the terms that are wanted, over all documents."""
    made = {**_by_field(WORD_FIELDS, wanted.words), **_by_field(WHOLE_FIELDS, wanted.wholes)}
    for number, words in enumerate(wanted.together):
        together = {"bool": {"filter": [{"term": {"words": word}} for word in words]}}
        made[f"{_TOGETHER}{number}"] = {"filter": together, "aggs": _by_field(WORD_FIELDS, words)}
    return made


def counted(wanted: Wanted, everything: int, answer: Mapping[str, Any]) -> Counts:
    """The counts in ``answer``. Raises ``LookupError`` and ``TypeError`` for one that is not of the form."""
    counts = Counts(everything)
    counts.words = _holders(wanted.words, WORD_FIELDS, answer)
    counts.wholes = _holders(wanted.wholes, WHOLE_FIELDS, answer)
    for number, words in enumerate(wanted.together):
        found = _holders(words, WORD_FIELDS, answer[f"{_TOGETHER}{number}"])
        each = [holders for word in words if (holders := found[word]) is not None]
        counts.together[words] = each if len(each) == len(words) else _NONE
    return counts


def _by_field(fields: Mapping[str, float], terms: Collection[str]) -> Aggregations:
    include = sorted(set(terms))
    if not include:
        return {}
    return {field: {"terms": {"field": field, "include": include, "size": len(include)}} for field in fields}


def _holders(
    terms: Collection[str], fields: Mapping[str, float], answer: Mapping[str, Any]
) -> dict[str, Holders | None]:
    if not terms:
        return {}
    of: dict[str, dict[str, int]] = {term: {} for term in terms}
    for field in fields:
        for bucket in answer[field]["buckets"]:
            of[bucket["key"]][field] = bucket["doc_count"]
    made: dict[str, Holders | None] = dict.fromkeys(of)
    for term, numbers in of.items():
        if numbers:
            weights = {field: fields[field] for field in numbers}
            made[term] = Holders(weights, sum(numbers.values()), max(weights.values()))
    return made
