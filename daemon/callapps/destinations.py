"""Where people may send the callers of live calls: what a switch dials for anybody costs somebody money."""

from __future__ import annotations

import re

from daemon.callapps.intervention_errors import NotAllowedError, WrongInputError
from daemon.calls.numbers import EXTENSION, EXTENSION_RULE
from daemon.config import TakeoverConfig


class Destinations:
    """Raises ``re.error`` for a ``config`` that ``parley check`` would have refused."""

    def __init__(self, config: TakeoverConfig) -> None:
        self._allowed = [re.compile(pattern) for pattern in config.allowed]
        self._refused = [re.compile(pattern) for pattern in config.refused]

    def check(self, extension: str, own: str) -> None:
        """Return where somebody at ``own`` may send callers to ``extension``; ``""``: nobody has said where they are.

        Raises :class:`WrongInputError` for what is no extension, and :class:`NotAllowedError`.
        """
        if re.fullmatch(EXTENSION, extension) is None:
            raise WrongInputError(EXTENSION_RULE)
        if any(pattern.fullmatch(extension) for pattern in self._refused):
            raise NotAllowedError("callers may not be sent there from here")
        if extension == own or any(pattern.fullmatch(extension) for pattern in self._allowed):
            return
        whose = f"to your own extension, {own}," if own else "nowhere, since no extension of your own is known,"
        raise NotAllowedError(
            f"callers may be sent {whose} and where `allowed` in [callapps.takeover] says: nothing of it fits"
        )
