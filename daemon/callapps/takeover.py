"""A call that somebody takes out of its app's hands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from daemon.callapps.ending import Ending
from daemon.callapps.line import Line
from daemon.calls.control import Certainty, Outcome

Act = Callable[[], Awaitable[Outcome]]


class Takeover:
    """``act`` is the command by which the caller leaves, ``ending`` how the app's part ends by that.

    ``done`` is what became of ``act``; ``None``: the app had sent the caller on before, and nothing was done.
    """

    def __init__(self, ending: Ending, act: Act) -> None:
        self.ending = ending
        self.done: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        self._act = act

    async def carry_out(self, line: Line, recogniser: str) -> Outcome:
        """Let the leg be as if no app had had it, and do what is to be done.

        What is said is broken off, a hold ended, and ``recogniser``, if any, taken off the leg: where the caller goes
        it may be begun anew, and a hangup with a media bug has left channels behind.
        """
        await line.control.stop(line.leg_id)
        await line.unhold()
        if recogniser:
            await line.control.stop_recogniser(line.leg_id, recogniser)
        if self.ending is Ending.CUT_OFF:
            await line.end_recording()
        try:
            outcome = await self._act()
        except asyncio.CancelledError:
            self.done.set_result(Outcome(Certainty.UNKNOWN, False, "Parley stopped before the switch answered"))
            raise
        self.done.set_result(outcome)
        return outcome

    def let_go(self) -> None:
        """Whoever waits is told that nothing was done, unless something was."""
        if not self.done.done():
            self.done.set_result(None)
