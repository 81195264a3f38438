"""Grams that are kept from the first term on, and those that are made late, are the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.directory.grams import Grams
from protocols.hangul import pairs

TERMS = st.text("가나다", min_size=1, max_size=4)


@given(st.sets(TERMS, max_size=8), st.sets(TERMS, max_size=4), TERMS)
def test_both_ways_find_the_same(added: set[str], removed: set[str], part: str) -> None:
    terms: dict[str, None] = {}
    kept = Grams(pairs, terms.keys(), late=False)
    late = Grams(pairs, terms.keys(), late=True)
    for term in added:
        terms[term] = None
        kept.add(term)
        late.add(term)
    for term in removed & added:
        del terms[term]
        kept.remove(term)
        late.remove(term)
    wanted = {term for term in terms if pairs(part) and set(pairs(part)) <= set(pairs(term))}
    assert kept.having_all(pairs(part)) == late.having_all(pairs(part)) == wanted


def test_one_that_was_made_late_follows_its_terms() -> None:
    terms: dict[str, None] = {"가나": None}
    grams = Grams(pairs, terms.keys(), late=True)
    assert grams.having("가나") == {"가나"}
    grams.add("가나다")
    assert grams.having("가나") == {"가나", "가나다"}
    grams.remove("가나")
    assert grams.having("가나") == {"가나다"}
    grams.remove("가나다")
    assert grams.having("가나") == set()
