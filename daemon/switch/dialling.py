"""Where numbers are dialled from one switch."""

from __future__ import annotations

import re
from collections.abc import Mapping

from protocols.errors import LocalError
from protocols.esl.dial_strings import DialString


class Dialling:
    """``dial`` are templates of endpoints by regular expressions of numbers, as ``[switch.dial]`` has them.

    Raises ``LocalError`` and ``re.error`` for what ``parley check`` would have refused.
    """

    def __init__(self, dial: Mapping[str, str]) -> None:
        self._routes = [(re.compile(pattern), DialString(template)) for pattern, template in dial.items()]

    def reaches(self, number: str) -> bool:
        """Whether there is an endpoint for that number."""
        return any(pattern.fullmatch(number) for pattern, _ in self._routes)

    def endpoint(self, number: str) -> str:
        """Where that number is dialled. Raises :class:`LocalError` where nothing dials it."""
        for pattern, endpoint in self._routes:
            if pattern.fullmatch(number):
                return endpoint.of(number)
        raise LocalError("nothing dials that number: add it to [switch.dial]")
