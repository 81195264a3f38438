"""Slips counted by bits against the plain table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.directory.distance import Slips

words = st.text("abcㄱㅏ", max_size=12)


def plainly(one: str, other: str) -> int:
    """The whole table, cell by cell."""
    table = [[row + column for column in range(len(other) + 1)] for row in range(len(one) + 1)]
    for row in range(1, len(one) + 1):
        for column in range(1, len(other) + 1):
            mistaken = one[row - 1] != other[column - 1]
            best = min(table[row - 1][column] + 1, table[row][column - 1] + 1, table[row - 1][column - 1] + mistaken)
            if row > 1 and column > 1 and one[row - 2 : row] == other[column - 2 : column][::-1]:
                best = min(best, table[row - 2][column - 2] + 1)
            table[row][column] = best
    return table[-1][-1]


@pytest.mark.parametrize(
    ("one", "other", "slips"), [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "acb", 1), ("abcab", "xbca", 2)]
)
def test_slips_of_examples(one: str, other: str, slips: int) -> None:
    assert Slips(one).to(other) == slips == plainly(one, other)


@given(words, words)
def test_slips_are_those_of_the_table(one: str, other: str) -> None:
    assert Slips(one).to(other) == plainly(one, other)


@given(words, st.lists(words, max_size=5))
def test_one_word_serves_many(word: str, others: list[str]) -> None:
    slips = Slips(word)
    assert [slips.to(other) for other in others] == [Slips(other).to(word) for other in others]
