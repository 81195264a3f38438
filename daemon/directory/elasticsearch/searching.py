"""A search on a server: what is counted, which candidates are fetched, and how they are scored."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from elasticsearch import AsyncElasticsearch

from daemon.directory.analysis import Asked, asked_for
from daemon.directory.contract import Entry, Kind, Match
from daemon.directory.elasticsearch.candidates import Query, how_many, of_kinds, query
from daemon.directory.elasticsearch.counts import Counts, Wanted, aggregations, counted
from daemon.directory.elasticsearch.documents import TIE_ORDER, entry_of
from daemon.directory.elasticsearch.lexicons import Candidates, Questions
from daemon.directory.hits import Finder, Hit
from daemon.directory.index import Index
from daemon.directory.meanings import Meanings
from daemon.directory.scoring import weights_of


class Searching:
    """Searches the index ``index`` of a server. Its methods raise what the client does, and for an answer of another
    form than it should have ``LookupError``, ``TypeError`` or ``msgspec.ValidationError``."""

    def __init__(self, client: AsyncElasticsearch, index: str, meanings: Meanings) -> None:
        self._client = client
        self._index = index
        self._meanings = meanings

    async def search(self, text: str, *, limit: int, threshold: float, kinds: Collection[Kind]) -> list[Match]:
        """As :meth:`daemon.directory.contract.Directory.search`."""
        asked = asked_for(text)
        if not asked.text:
            return []
        counts = await self._count(self._wanted(asked))
        entries = await self._candidates(asked, counts, limit, kinds)
        words, wholes = Candidates(counts.words, counts.together), Candidates(counts.wholes)
        index = Index(self._meanings, words, wholes)
        for entry in entries:
            index.put(entry)
        hits = index.hits(asked)
        missing = _undecided(asked, hits, words, wholes)
        if missing.words or missing.wholes:
            more = await self._count(missing)
            counts.words |= more.words
            counts.wholes |= more.wholes
            hits = index.hits(asked)
        return index.ranked(asked, hits, everything=counts.everything, limit=limit, threshold=threshold, kinds=kinds)

    def _wanted(self, asked: Asked) -> Wanted:
        """Every term that the text may have as it is, or by a synonym."""
        words, wholes = Questions(), Questions()
        Finder(words, wholes, self._meanings).hits(asked)
        return Wanted(list(words.terms), list(wholes.terms), list(words.together))

    async def _count(self, wanted: Wanted) -> Counts:
        answer = await self._client.search(
            index=self._index, size=0, track_total_hits=True, aggregations=aggregations(wanted)
        )
        return counted(wanted, answer["hits"]["total"]["value"], answer.body.get("aggregations", {}))

    async def _candidates(self, asked: Asked, counts: Counts, limit: int, kinds: Collection[Kind]) -> list[Entry]:
        words, wholes = Questions(counts.words, counts.together), Questions(counts.wholes)
        hits = Finder(words, wholes, self._meanings).hits(asked)
        weights = weights_of(asked, hits, counts.everything)
        wanted = query(asked.text, hits, weights, (words, wholes))
        if wanted is None:
            return []
        found = await self._found(wanted, how_many(limit))
        if kinds:
            # What a word weighs depends on all that have it, so those of other kinds are fetched too.
            found += await self._found(of_kinds(wanted, kinds), how_many(limit))
        return found

    async def _found(self, wanted: Query, most: int) -> list[Entry]:
        answer = await self._client.search(
            index=self._index,
            query=wanted,
            size=most,
            sort=["_score", *TIE_ORDER],
            track_total_hits=False,
            source_includes=["entry"],
        )
        return [entry_of(hit["_source"]) for hit in answer["hits"]["hits"]]


def _undecided(asked: Asked, hits: Sequence[Hit], words: Candidates, wholes: Candidates) -> Wanted:
    """The terms whose counts change what a character weighs: it is in none that is better and counted."""
    uncounted = words.uncounted.keys() | wholes.uncounted.keys()
    counted_best = [0.0] * len(asked.text)
    for hit in hits:
        if hit.term not in uncounted:
            worth = hit.credit * hit.holders.best
            for at in range(len(counted_best)):
                if hit.mask >> at & 1:
                    counted_best[at] = max(counted_best[at], worth)
    open_terms = {
        hit.term
        for hit in hits
        if hit.term in uncounted
        and any(hit.mask >> at & 1 and best <= hit.credit for at, best in enumerate(counted_best))
    }
    return Wanted(sorted(open_terms & words.uncounted.keys()), sorted(open_terms & wholes.uncounted.keys()))
