"""What a caller hears while a person is rung for them: words, then music, over and over."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from daemon.callapps.contract import CommandFailedError
from daemon.callapps.line import Line
from daemon.callapps.prompts import Prompts

log = structlog.get_logger(__name__)

_BREATH: Final = 0.25
"""Seconds between the end of a piece of music and its next beginning, so that an empty one is not played on end."""


class Waiting:
    """Begins at once. ``words`` are said to their end, unless the waiting is over before; ``music`` is a path."""

    def __init__(self, line: Line, prompts: Prompts, *, words: str, music: str) -> None:
        self._line = line
        self._prompts = prompts
        self._sounding = asyncio.get_running_loop().create_task(self._sound(words, music))

    async def end(self) -> None:
        """Silence. Returns when the switch has been told, so that nothing later breaks off what comes after."""
        if await self._cancel():
            await self._line.attempt(lambda: self._line.control.stop(self._line.leg_id))

    async def drop(self) -> None:
        """As :meth:`end`, where the caller may be gone."""
        if await self._cancel() and self._line.is_ours:
            self._line.later(self._line.control.stop(self._line.leg_id))

    async def _cancel(self) -> bool:
        """Whether something sounded until now."""
        sounded = not self._sounding.done()
        self._sounding.cancel()
        await asyncio.wait({self._sounding})
        return sounded

    async def _sound(self, words: str, music: str) -> None:
        line = self._line
        try:
            if words:
                await self._prompts.say(words, interruptible=False)
        except CommandFailedError as error:
            log.warning("waiting_words_not_said", leg_id=line.leg_id, certainty=error.certainty)
        while music:
            outcome = await self._prompts.accompany(music)
            if not outcome.ok:
                log.warning("hold_music_not_played", leg_id=line.leg_id, certainty=outcome.certainty)
                return
            await asyncio.sleep(_BREATH)
