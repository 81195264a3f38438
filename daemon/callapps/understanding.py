"""What callers mean, by the Korean words that they use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from daemon.callapps.asking import exactly
from daemon.callapps.contract import Meaning
from protocols.choices import Choices
from protocols.errors import LocalError


def korean(text: str, choices: Sequence[str]) -> Meaning:
    """As :mod:`protocols.choices` understands it.

    Choices that it does not take (too many, too long, too much alike) are understood where they are said as they are.
    """
    of_korean = _choices(tuple(choices))
    if of_korean is None:
        return exactly(text, choices)
    understood = of_korean.understand(text)
    return Meaning(understood.index, confirm=understood.confirm, ambiguous=understood.ambiguous)


@lru_cache(maxsize=1024)
def _choices(words: tuple[str, ...]) -> Choices | None:
    """Taken apart once, since most calls of an app ask the same; ``None`` where they are none that it takes."""
    try:
        return Choices(words)
    except LocalError:
        return None
