"""What becomes of a caller whom no app leads any more: an announcement, a person, and in the end a hangup."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from daemon.callapps.line import Line
from daemon.callapps.voice import Voice, pieces
from daemon.calls.control import Certainty, Outcome
from daemon.config import FallbackConfig
from daemon.plugins import place_of

log = structlog.get_logger(__name__)

_TRY_AGAIN: Final = 1.0
_NOT_KNOWN: Final = 5.0
"""Seconds until a link that was lost has told what became of a command, if it happened: then the leg has left."""


class Fallback:
    """``recogniser`` is taken off the leg first, if there is one."""

    def __init__(self, config: FallbackConfig, recogniser: str) -> None:
        self.recogniser = recogniser
        self._config = config

    async def send_on(self, line: Line, voice: Voice) -> None:
        """See the caller off. It is tried until it went well or the leg is gone: a link that is away comes back."""
        await self._quietly(line)
        await line.unhold()
        try:
            async with asyncio.timeout(self._config.patience):
                await self._announce(line, voice)
        except TimeoutError:
            log.warning("announcement_cut_off", call_id=line.call_id, leg_id=line.leg_id)
            await line.attempt(lambda: line.control.stop(line.leg_id))
        except Exception as error:
            log.error("announcement_failed", leg_id=line.leg_id, error=type(error).__name__, at=place_of(error))
        if not await self._connect(line):
            await self._end(line)

    async def hang_up(self, line: Line) -> None:
        """End a call whose app has returned; tried as :meth:`send_on`."""
        await self._quietly(line)
        await self._end(line)

    async def _quietly(self, line: Line) -> None:
        """What the app began and did not end; the first to find out whether the switch can be told anything."""
        await self._insist(line, lambda: line.control.stop(line.leg_id))
        if self.recogniser:
            await line.attempt(lambda: line.control.stop_recogniser(line.leg_id, self.recogniser))

    async def _announce(self, line: Line, voice: Voice) -> None:
        config = self._config
        if not config.announcement and not config.file:
            return
        leg = line.leg
        if leg is not None and leg.answered_at is None:
            await line.attempt(lambda: line.control.answer(line.leg_id))
        if config.file:
            await line.attempt(lambda: line.control.play(line.leg_id, config.file, words=config.announcement))
            return
        for piece in pieces(config.announcement):
            await line.attempt(lambda piece=piece: voice.utter(line.leg_id, piece))  # type: ignore[misc]

    async def _connect(self, line: Line) -> bool:
        extension = self._config.extension
        if not extension:
            return False
        await self._insist(line, lambda: line.control.mark(line.leg_id, ""))
        outcome = await self._insist(line, lambda: line.control.transfer(line.leg_id, extension))
        if not outcome.ok:
            log.error("fallback_not_connected", leg_id=line.leg_id, certainty=outcome.certainty)
        return outcome.ok

    async def _end(self, line: Line) -> None:
        await line.end_recording()
        while True:
            outcome = await self._insist(line, lambda: line.control.hang_up(line.leg_id))
            if outcome.ok:
                return
            log.error("fallback_not_hung_up", leg_id=line.leg_id)
            await asyncio.sleep(_TRY_AGAIN)

    async def _insist(self, line: Line, command: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """The switch's answer to a command, however long its link is away."""
        while True:
            outcome = await line.attempt(command)
            if outcome.certainty is Certainty.ANSWERED:
                return outcome
            await asyncio.sleep(_TRY_AGAIN if outcome.certainty is Certainty.NOT_SENT else _NOT_KNOWN)
