"""How many slips lie between two words.

Source: H. Hyyrö, "A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit Distances", 2003.
"""

from __future__ import annotations


class Slips:
    """Counts how often a key was missed, hit too much, mistaken for another or struck before its neighbour, to get from
    ``word`` to another (optimal string alignment). What is made of ``word`` once serves many others."""

    def __init__(self, word: str) -> None:
        self._length = len(word)
        self._places: dict[str, int] = {}
        for at, key in enumerate(word):
            self._places[key] = self._places.get(key, 0) | 1 << at

    def to(self, other: str) -> int:
        """The least number of slips."""
        if not self._length:
            return len(other)
        # A column of the table at a time, as the differences between neighbours: one bit for each row. ``down`` are
        # the rows that grow by one from the row above, ``up`` those that shrink; ``diagonal`` those that do not grow
        # from the row above in the column before.
        every = (1 << self._length) - 1
        last = 1 << self._length - 1
        down, up, diagonal, before, slips = every, 0, 0, 0, self._length
        for key in other:
            same = self._places.get(key, 0)
            swapped = ((~diagonal & same) << 1) & before
            diagonal = (((same & down) + down) ^ down) | same | up | swapped
            grown = up | ~(diagonal | down) & every
            shrunk = diagonal & down
            if grown & last:
                slips += 1
            elif shrunk & last:
                slips -= 1
            grown = (grown << 1) | 1
            down = ((shrunk << 1) | ~(diagonal | grown)) & every
            up = diagonal & grown & every
            before = same
        return slips
