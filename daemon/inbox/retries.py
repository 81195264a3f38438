"""When a failed attempt is tried again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

_LONGEST: Final = 36_000.0
"""Seconds: whatever the other side asks for."""
_JITTER: Final = 0.2
_DAY: Final = 86_400.0


class Retries:
    """``delays`` are the seconds after the first failure, the second and so on; after the last there is no other."""

    def __init__(self, delays: Sequence[float]) -> None:
        self._delays = tuple(delays)

    @property
    def attempts(self) -> int:
        """How many attempts there are in all."""
        return len(self._delays) + 1

    @property
    def patience(self) -> float:
        """Seconds for which what fails may be put off without an attempt: a day, or as long as retries take."""
        return max(_DAY, sum(self._delays))

    def delay(self, left: int, asked: float | None = None) -> float:
        """Seconds until the next attempt where ``left`` (at least 1) are allowed yet.

        What the other side ``asked`` for is done as far as that is sensible. All else is spread by a fifth, so that
        what failed together does not come back together.
        """
        if asked is not None:
            return min(max(asked, 1.0), _LONGEST) + random.uniform(0.0, 1.0)  # noqa: S311 - spreads, guards nothing
        step = self._delays[max(0, len(self._delays) - left)] if self._delays else 1.0
        return step * random.uniform(1.0 - _JITTER, 1.0 + _JITTER)  # noqa: S311
