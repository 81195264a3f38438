"""How well an entry answers what somebody asks for, by the hits that speak for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from heapq import nlargest, nsmallest
from math import log
from typing import Final

import msgspec

from daemon.directory.analysis import Asked, Phrase, Terms
from daemon.directory.contract import Entry, Kind, Match
from daemon.directory.hits import Group, Hit

MOST_SCORED: Final = 40
"""Entries that are scored in full beside as many as are asked for, the likeliest of all that have anything."""
_NAME_SHARE: Final = 0.15
"""What of the score depends on how much of one name the text is."""
_COMMONEST: Final = 0.3
"""What a character weighs in a term that every entry has; in one that a single entry has it is 1."""
_UNKNOWN: Final = 0.45
"""What one weighs that no entry accounts for."""


class Indexed(msgspec.Struct, frozen=True):
    """An entry and what it is found by."""

    entry: Entry
    terms: Terms


class _Account(msgspec.Struct, gc=False):
    """What is in favour of one entry: hits as (worth, mask), and how well each of its terms was hit."""

    hits: list[tuple[float, int]]
    terms: dict[str, float]


def weights_of(asked: Asked, hits: Sequence[Hit], everything: int) -> list[float]:
    """What each character of the text weighs: the more, the fewer of ``everything`` there is have the term that it is
    best in."""
    weights = [_UNKNOWN] * len(asked.text)
    whole = log(1 + max(1, everything))
    seen = 0
    # What stands in descriptions alone is mostly not what is asked for.
    for hit in sorted(hits, key=lambda hit: (-hit.holders.best * hit.credit, -hit.holders.count, hit.mask, hit.term)):
        new = hit.mask & ~seen
        seen |= new
        while new:
            lowest = new & -new
            rarity = log(1 + everything / hit.holders.count) / whole
            weights[lowest.bit_length() - 1] = hit.holders.best * (_COMMONEST + (1 - _COMMONEST) * rarity)
            new ^= lowest
    for word in asked.words:
        for at in range(word.start, word.end):
            weights[at] *= word.weight_at(at)
    return weights


def weight_of(mask: int, weights: Sequence[float]) -> float:
    """What the characters whose bits ``mask`` has weigh together."""
    weight = 0.0
    while mask:
        lowest = mask & -mask
        weight += weights[lowest.bit_length() - 1]
        mask ^= lowest
    return weight


def ranked(
    hits: Sequence[Hit],
    weights: Sequence[float],
    indexed: Mapping[str, Indexed],
    *,
    limit: int,
    threshold: float,
    kinds: Collection[Kind],
) -> list[Match]:
    """The best ``limit`` matches among ``indexed``, by their ids; the rest is as
    :meth:`daemon.directory.contract.Directory.search` says."""
    likely = _likeliest(hits, weights, indexed, limit + MOST_SCORED, kinds)
    matches = [
        Match(indexed[entry_id].entry, _score(indexed[entry_id].terms, account, weights))
        for entry_id, account in _accounts(hits, likely).items()
    ]
    matches = [match for match in matches if match.score >= threshold]
    matches.sort(key=lambda match: (-match.score, match.entry.name, match.entry.entry_id))
    return matches[:limit]


def _likeliest(
    hits: Sequence[Hit], weights: Sequence[float], indexed: Mapping[str, Indexed], most: int, kinds: Collection[Kind]
) -> set[str]:
    """The entries whose hits are worth most, of those that begin at the same character the best word and the best name.

    Of equals those with the shortest name, of which it is most that was said.
    """
    groups: dict[Group, list[Hit]] = {}
    for hit in hits:
        groups.setdefault(hit.group, []).append(hit)
    worth: dict[str, float] = {}
    for group in groups.values():
        for entry_id, gain in _best_of(group, weights).items():
            worth[entry_id] = worth.get(entry_id, 0.0) + gain
    if kinds:
        worth = {entry_id: gain for entry_id, gain in worth.items() if indexed[entry_id].entry.kind in kinds}
    if len(worth) <= most:
        return set(worth)
    least = nlargest(most, worth.values())[-1]
    enough = (entry_id for entry_id, gain in worth.items() if gain >= least)
    return set(nsmallest(most, enough, key=lambda entry_id: (-worth[entry_id], *tie_order(indexed[entry_id].entry))))


def tie_order(entry: Entry) -> tuple[int, str, str]:
    """Which of several likely entries is looked at first."""
    return len(entry.name), entry.name, entry.entry_id


def _best_of(group: Sequence[Hit], weights: Sequence[float]) -> Mapping[str, float]:
    """What the best of these hits is worth for each entry."""
    best: dict[str, float] = {}
    for hit in group:
        gain = hit.credit * weight_of(hit.mask, weights)
        for entry_id, weight in hit.holders.entries.items():
            best[entry_id] = max(gain * weight, best.get(entry_id, 0.0))
    return best


def _score(terms: Terms, account: _Account, weights: Sequence[float]) -> float:
    """The weight of what is accounted for in that of everything, a little less for a part of a name."""
    seen = 0
    covered = 0.0
    for worth, mask in sorted(account.hits, reverse=True):
        covered += worth * weight_of(mask & ~seen, weights)
        seen |= mask
    share = covered / sum(weights)
    name = max((_share_of(phrase, account.terms) for phrase in terms.names), default=0.0)
    return min(1.0, share * (1 - _NAME_SHARE + _NAME_SHARE * name))


def _accounts(hits: Sequence[Hit], entry_ids: set[str]) -> dict[str, _Account]:
    accounts = {entry_id: _Account([], {}) for entry_id in entry_ids}
    for hit in hits:
        for entry_id in hit.holders.entries.keys() & entry_ids:
            account = accounts[entry_id]
            account.hits.append((hit.credit * hit.holders.entries[entry_id], hit.mask))
            account.terms[hit.term] = max(hit.credit, account.terms.get(hit.term, 0.0))
    return accounts


def _share_of(name: Phrase, terms: Mapping[str, float]) -> float:
    """How much of a name was hit."""
    words = sum(len(word) * terms.get(word, 0.0) for word in name.words) / len(name.whole)
    return max(words, terms.get(name.whole, 0.0))
