"""What callers mean, by the Korean words that they use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from daemon.callapps.asking import exactly
from daemon.callapps.contract import Meaning
from protocols.choices import Choices
from protocols.errors import LocalError
from protocols.yes_no import YES_NO, yes_or_no


def korean(text: str, choices: Sequence[str]) -> Meaning:
    """As :mod:`protocols.choices` understands it; 네 and 아니요 also by whatever else means yes and no.

    Choices that it does not take (too many, too long, too much alike) are understood where they are said as they are.
    """
    if tuple(choices) == YES_NO:
        agreed = yes_or_no(text)
        return Meaning(None if agreed is None else YES_NO.index("네" if agreed else "아니요"))
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
