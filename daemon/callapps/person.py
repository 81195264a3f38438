"""A person who is rung for a caller: placed, told what it is about, and joined or called off. No leg is left behind."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from uuid import uuid4

import structlog

from daemon.callapps.calling_off import call_off
from daemon.callapps.contract import CommandFailedError, Reached
from daemon.callapps.line import Line
from daemon.callapps.placements import Placements
from daemon.callapps.voice import Voice, pieces
from daemon.calls.call import LegState
from daemon.calls.control import Certainty, Outcome
from daemon.calls.pace import longest_speaking_time
from daemon.calls.registry import Registry
from protocols.errors import LocalError

log = structlog.get_logger(__name__)

_CAUSES: Final[Mapping[str, Reached]] = MappingProxyType(
    {
        "USER_BUSY": Reached.BUSY,
        "NO_ANSWER": Reached.NO_ANSWER,
        "NO_USER_RESPONSE": Reached.NO_ANSWER,
        "ALLOTTED_TIMEOUT": Reached.NO_ANSWER,
        "PROGRESS_TIMEOUT": Reached.NO_ANSWER,
        "CALL_REJECTED": Reached.REFUSED,
    }
)
"""By the hangup cause of a leg that nobody answered; any other is a failure."""
_PLAIN_NUMBER: Final = re.compile(r"\+?[0-9*#]{1,40}")


class Person:
    """Rung at ``destination`` for whoever is on ``line``. ``mark`` is left on the leg. Close it in the end."""

    def __init__(
        self, destination: str, line: Line, voice: Voice, *, registry: Registry, placements: Placements, mark: str
    ) -> None:
        self.leg_id = str(uuid4())
        self._destination = destination
        self._line = line
        self._control = line.control
        self._voice = voice
        self._registry = registry
        self._placements = placements
        self._mark = mark
        self._dialling: asyncio.Task[Outcome] | None = None
        self._is_joined = False

    async def ring(self, *, caller: str, ring_time: float) -> Reached:
        """Ring until somebody answers (``JOINED``: they may be now) or nobody will.

        :raises CommandFailedError: where the switch could not be told, or nothing dials that destination.
        """
        shown = caller if _PLAIN_NUMBER.fullmatch(caller) else ""
        self._placements.claim(self.leg_id)
        self._dialling = asyncio.get_running_loop().create_task(
            self._control.originate(
                self._destination, leg_id=self.leg_id, caller=shown, ring_time=ring_time, mark=self._mark
            )
        )
        try:
            outcome = await asyncio.shield(self._dialling)
        except LocalError as error:
            raise CommandFailedError("transfer", Certainty.NOT_SENT, str(error)) from error
        if outcome.ok:
            return Reached.JOINED
        if outcome.certainty is not Certainty.ANSWERED:
            raise CommandFailedError("transfer", outcome.certainty, outcome.text)
        return _CAUSES.get(outcome.text, Reached.FAILED)

    async def tell(self, text: str) -> None:
        """Say ``text`` to whoever answered."""
        for piece in pieces(text):
            if not self.is_there:
                return
            try:
                async with asyncio.timeout(longest_speaking_time(piece)):
                    outcome = await self._voice.utter(self.leg_id, piece)
            except TimeoutError:
                await self._control.stop(self.leg_id)
                continue
            if not outcome.ok and self.is_there:
                log.warning("person_not_told", leg_id=self.leg_id, certainty=outcome.certainty)
                return

    @property
    def is_there(self) -> bool:
        """Whether the leg has not ended, as far as is known."""
        found = self._registry.find(*self._line.key[:2], self.leg_id)
        return found is None or found[1].state is not LegState.ENDED

    def joined(self) -> None:
        """They hear the caller now: the leg is not ours any more."""
        self._is_joined = True
        self._line.later(self._control.mark(self.leg_id, ""))

    def close(self) -> None:
        """Call the leg off, unless it was joined."""
        if self._dialling is not None and not self._is_joined:
            self._line.later(self._call_off(self._dialling))

    async def _call_off(self, dialling: asyncio.Task[Outcome]) -> None:
        await call_off(self._control, self.leg_id, dialling)
        if self._registry.find(*self._line.key[:2], self.leg_id) is None:
            self._placements.forget(self.leg_id)
