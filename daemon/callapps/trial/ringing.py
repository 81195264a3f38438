"""The phone of a person who is rung for the caller, until something comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from daemon.callapps.contract import Reached
from daemon.callapps.trial.clock import CallersClock
from daemon.calls.control import Certainty, Outcome

_CAUSES: Final[Mapping[Reached, str]] = MappingProxyType(
    {
        Reached.BUSY: "USER_BUSY",
        Reached.NO_ANSWER: "NO_ANSWER",
        Reached.REFUSED: "CALL_REJECTED",
        Reached.FAILED: "UNALLOCATED_NUMBER",
    }
)
"""The hangup cause by which a switch says so."""


class Ringing:
    """Rings ``number`` as the leg ``leg_id`` from now on, for ``ring_time`` seconds by ``clock`` at most."""

    def __init__(self, leg_id: str, number: str, clock: CallersClock, ring_time: float) -> None:
        self.leg_id = leg_id
        self.number = number
        self._clock = clock
        self._until = clock.time() + ring_time
        self._ended = asyncio.Event()
        self._reached = Reached.NO_ANSWER

    @property
    def is_over(self) -> bool:
        """Whether something has come of it."""
        return self._ended.is_set() or self._clock.time() >= self._until

    def end(self, reached: Reached) -> None:
        """That comes of it, unless something has. Who does not answer is rung to the end."""
        if self.is_over:
            return
        if reached is Reached.NO_ANSWER:
            self._clock.pass_to(self._until)
        else:
            self._reached = reached
            self._ended.set()

    async def outcome(self) -> Outcome:
        """What comes of it, as a switch says it of a leg that was placed."""
        await self._clock.wait(self._ended, self._until)
        if self._reached is Reached.JOINED:
            return Outcome(Certainty.ANSWERED, True, "+OK")
        return Outcome(Certainty.ANSWERED, False, _CAUSES[self._reached])
