"""What callers mean, by the Korean words that they use."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.callapps.asking import exactly
from daemon.callapps.contract import Meaning
from protocols.choices import Choices
from protocols.errors import LocalError


def korean(text: str, choices: Sequence[str]) -> Meaning:
    """As :mod:`protocols.choices` understands it.

    Choices that it does not take (too many, too long, too much alike) are understood where they are said as they are.
    """
    try:
        understood = Choices(choices).understand(text)
    except LocalError:
        return exactly(text, choices)
    return Meaning(understood.index, confirm=understood.confirm, ambiguous=understood.ambiguous)
