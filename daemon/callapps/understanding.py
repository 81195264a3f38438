"""What callers mean, by the Korean words that they use."""

from __future__ import annotations

from collections.abc import Sequence

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
    try:
        understood = Choices(choices).understand(text)
    except LocalError:
        return exactly(text, choices)
    return Meaning(understood.index, confirm=understood.confirm, ambiguous=understood.ambiguous)
