"""A file of synonyms, in the syntax of Solr's ``SynonymGraphFilter``.

    # comment
    비번, 비밀번호, password        each of them means any of them
    와파 => 와이파이, 무선인터넷    what stands left means what stands right, and no longer itself

Lines that say something of the same words add up. Behind a backslash a comma, an arrow and a backslash are themselves.

Source: Apache Solr Reference Guide, "Synonym Graph Filter" (``expand=true``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from protocols.hangul import words

Words = tuple[str, ...]
"""What :func:`protocols.hangul.words` makes of one side of a synonym."""

_MARKS: Final = re.compile(r"\\(?s:.)|=>|,")


class SynonymsError(ValueError):
    """The file is not taken. ``mistakes`` are all that were found, each with its line."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__(f"{len(mistakes)} mistake{'s' if len(mistakes) != 1 else ''}")
        self.mistakes = list(mistakes)


def read_synonyms(content: bytes) -> Mapping[Words, frozenset[Words]]:
    """What each of the words in ``content`` means: itself too, unless a line replaced it.

    Raises :class:`SynonymsError`.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n") + 1
        raise SynonymsError([f"line {number}: this is not UTF-8 text; save it as UTF-8"]) from error
    meanings: dict[Words, set[Words]] = {}
    mistakes: list[str] = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        try:
            left, right = _sides(rule)
        except ValueError as error:
            mistakes.append(f"line {number}: {error}")
            continue
        for side in left:
            meanings.setdefault(side, set()).update(right)
    if mistakes:
        raise SynonymsError(mistakes)
    return {side: frozenset(meant) for side, meant in meanings.items()}


def _sides(rule: str) -> tuple[list[Words], list[Words]]:
    """What is meant by which. Raises ``ValueError`` with what is wrong with the line."""
    sides: list[list[str]] = [[""]]
    at = 0
    for mark in _MARKS.finditer(rule):
        sides[-1][-1] += rule[at : mark.start()]
        at = mark.end()
        match mark[0]:
            case ",":
                sides[-1].append("")
            case "=>":
                sides.append([""])
            case escaped:
                sides[-1][-1] += escaped[1]
    sides[-1][-1] += rule[at:]
    if len(sides) > 2:
        raise ValueError("there are two arrows in it; a line has one => at most")
    read = [[_words(term) for term in side] for side in sides]
    return read[0], read[-1]


def _words(term: str) -> Words:
    if not term.strip():
        raise ValueError("there is nothing before or behind one of its commas or arrows; take that out, or add a word")
    if not (found := words(term)):
        raise ValueError(f"there is no letter and no digit in {term.strip()!r}")
    return tuple(found)
