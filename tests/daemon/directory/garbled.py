"""Words of a directory as people garble them: with slips, cut short, as consonants, with endings, run together."""

from __future__ import annotations

import random
from collections.abc import Sequence

from daemon.directory.contract import Entry
from protocols.hangul import initials, jamo, syllables, words

ENDINGS = ["을", "에서", "해주세요", "은"]
KEYS = "ㅏㅓㅗㅜㅣㄱㄴㅇㅅ"


def garbled(entries: Sequence[Entry], count: int) -> list[str]:
    """``count`` texts of up to four words each, the same ones each time."""
    chance = random.Random(3)
    texts = [text for entry in entries for text in (entry.name, entry.description, entry.team, *entry.keywords)]
    known = [word for text in texts for word in words(text)]
    return [
        chance.choice([" ", ""]).join(_said(chance.choice(known), chance) for _ in range(chance.randint(1, 4)))
        for _ in range(count)
    ]


def _said(word: str, chance: random.Random) -> str:
    match chance.randrange(10):
        case 0 | 1 | 2:
            return _slip(word, chance)
        case 3:
            return initials(word)
        case 4:
            return word[: chance.randint(1, len(word))]
        case 5:
            return word + chance.choice(ENDINGS)
    return word


def _slip(word: str, chance: random.Random) -> str:
    """A key missed, mistaken for another, or hit too much."""
    keys = list(jamo(word))
    at = chance.randrange(len(keys))
    keys[at : at + chance.randint(0, 1)] = chance.choice([[], [chance.choice(KEYS)]])
    return syllables("".join(keys))
