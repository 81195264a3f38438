"""How long speech takes, and how much of it was heard when it was broken off: an estimate, no engine says it."""

from __future__ import annotations

import re
from typing import Final

SECONDS_PER_CHARACTER: Final = 0.13
"""Korean synthetic voices say seven to eight syllables a second, pauses and blanks included."""

_SLOWEST: Final = 4.0
"""How many times longer than estimated a voice may take."""
_SLACK: Final = 5.0

_WORD: Final = re.compile(r"\S+\s*")


def speaking_time(text: str) -> float:
    """Seconds that it takes to say ``text``."""
    return len(text) * SECONDS_PER_CHARACTER


def longest_speaking_time(text: str) -> float:
    """Seconds after which the end of ``text`` is taken to have been missed."""
    return _SLACK + _SLOWEST * speaking_time(text)


def split_at(text: str, seconds: float) -> tuple[str, str]:
    """``text`` as far as it was said within ``seconds``, in whole words, and the rest of it."""
    said = 0
    for word in _WORD.finditer(text):
        if speaking_time(text[: word.start()] + word[0].rstrip()) > seconds:
            break
        said = word.end()
    return text[:said].rstrip(), text[said:].strip()
