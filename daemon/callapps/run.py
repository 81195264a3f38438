"""One call and its app, from the park to whatever ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import msgspec
import structlog

from daemon.callapps.contract import GivenUpError
from daemon.callapps.definition import App
from daemon.callapps.ear import Ear
from daemon.callapps.fallback import Fallback
from daemon.callapps.line import Line
from daemon.callapps.live_call import LiveCall
from daemon.callapps.voice import Voice
from daemon.calls.call import Leg, LegState
from daemon.plugins import place_of

log = structlog.get_logger(__name__)


class Ending(StrEnum):
    """Why an app leads its call no more."""

    RETURNED = "returned"
    HUNG_UP = "hung_up"
    """The caller did, or the switch."""
    HANDED_ON = "handed_on"
    """The app itself hung up or sent the caller on."""
    TAKEN_OVER = "taken_over"
    """Somebody else sent the caller elsewhere."""
    GIVEN_UP = "given_up"
    """The app itself left the caller to the fall-back."""
    FAILED = "failed"
    LATE = "late"
    STOPPED = "stopped"
    """Parley stops."""
    LOST = "lost"
    """An earlier process led the call, and ended."""
    REFUSED = "refused"
    """There were too many calls, or Parley is stopping."""


UNATTENDED: Final = frozenset(
    {Ending.GIVEN_UP, Ending.FAILED, Ending.LATE, Ending.STOPPED, Ending.LOST, Ending.REFUSED}
)
"""After these the caller is still there, and nobody's."""


class Limits(msgspec.Struct, frozen=True):
    """Seconds: what an app may take in all, and to end when its call has; how often the switch is asked for the leg."""

    deadline: float
    cleanup: float
    vanished_after: float


class Run:
    """``lead`` is the app with its call; ``None``: there is none, for the reason ``instead``.

    ``was_parked`` says that the switch calls the leg parked. ``tell`` is told the app's name and how it went, for the
    call's record.
    """

    def __init__(
        self,
        name: str,
        line: Line,
        ear: Ear,
        voice: Voice,
        fallback: Fallback,
        *,
        lead: tuple[App, LiveCall] | None,
        instead: Ending,
        limits: Limits,
        was_parked: bool,
        tell: Callable[[str, str], None],
    ) -> None:
        self.name = name
        self.line = line
        self.ear = ear
        self._voice = voice
        self._fallback = fallback
        self.has_app = lead is not None
        self._lead = lead
        self._instead = instead
        self._limits = limits
        self._was_parked = was_parked
        self._tell = tell
        loop = asyncio.get_running_loop()
        self._over: asyncio.Future[Ending] = loop.create_future()
        self._stopped: asyncio.Future[Ending] = loop.create_future()

    def see(self, leg: Leg) -> bool:
        """The leg changed; true when it is over with it."""
        if not self._over.done():
            if leg.state is LegState.ENDED:
                self._over.set_result(Ending.HUNG_UP)
            elif leg.peer_id or (self._was_parked and not leg.parked):
                self._over.set_result(Ending.TAKEN_OVER)
                if not self.line.is_handing_on:
                    # At once: where the leg goes it may be marked anew.
                    self.line.later(self.line.control.mark(self.line.leg_id, ""))
        return self._over.done()

    def stop(self) -> None:
        """The app's time is over; the caller gets the fall-back."""
        if not self._stopped.done():
            self._stopped.set_result(Ending.STOPPED)

    async def serve(self) -> None:
        """Let the app lead the call, and see the caller off where it leaves them behind."""
        self._tell(self.name, "")
        self._watch()
        try:
            ending = self._instead if self._lead is None else await self._run_app(*self._lead)
            self._tell(self.name, self._outcome(ending))
            log.info("callapp_ended", app=self.name, leg_id=self.line.leg_id, ending=ending)
            if ending is Ending.RETURNED or ending in UNATTENDED:
                await self._see_off(ending)
        finally:
            self.line.let_go = True
            self._watching.cancel()
            await self.line.settle()

    def _watch(self) -> None:
        """Ask for the leg now and then: a caller may vanish without a word, and the switch that denies it tells so."""
        self._watching = asyncio.get_running_loop().call_later(self._limits.vanished_after, self._ask_for_leg)

    def _ask_for_leg(self) -> None:
        self.line.later(self.line.control.exists(self.line.leg_id))
        self._watch()

    def _outcome(self, ending: Ending) -> str:
        """What the app said, unless it came to no end of its own; else how it ended."""
        own = self._lead[1].outcome[:64] if self._lead is not None else ""
        cut_short = ending in UNATTENDED and ending is not Ending.GIVEN_UP
        return ending.value if cut_short else own or ending.value

    # The app

    async def _run_app(self, app: App, call: LiveCall) -> Ending:
        work = asyncio.get_running_loop().create_task(self._work(app, call))
        waiting: set[asyncio.Future[Any]] = {work, self._over, self._stopped}
        try:
            await asyncio.wait(waiting, timeout=self._limits.deadline, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and self._over.done() and self.line.is_handing_on:
                await asyncio.wait({work}, timeout=self._limits.cleanup)
        except asyncio.CancelledError:
            work.cancel()
            raise
        ending = self._ending(work)
        if not work.done():
            await self._cancel(work)
        elif ending is not Ending.GIVEN_UP and not work.cancelled() and (error := work.exception()) is not None:
            # Without the error's text: what the caller said may stand in it.
            log.error("callapp_failed", app=self.name, error=type(error).__name__, at=place_of(error))
        return ending

    async def _work(self, app: App, call: LiveCall) -> None:
        try:
            await call.take()
            await app(call)
        except GivenUpError as error:
            call.outcome = call.outcome or error.outcome
            raise
        except (SystemExit, KeyboardInterrupt) as error:  # which would end the loop
            raise RuntimeError(f"it raised {type(error).__name__}") from error

    def _ending(self, work: asyncio.Task[None]) -> Ending:
        if self.line.handed_on:
            return Ending.HANDED_ON
        if self._over.done():
            return Ending.HANDED_ON if self.line.is_handing_on else self._over.result()
        if work.done():
            error = None if work.cancelled() else work.exception()
            if isinstance(error, GivenUpError):
                return Ending.GIVEN_UP
            return Ending.FAILED if work.cancelled() or error is not None else Ending.RETURNED
        return Ending.STOPPED if self._stopped.done() else Ending.LATE

    async def _cancel(self, work: asyncio.Task[None]) -> None:
        """End the app at the await it stands on. One that does not let itself be ended is left behind."""
        self.line.let_go = True
        work.cancel()
        await asyncio.wait({work}, timeout=self._limits.cleanup)
        if not work.done():
            log.error("callapp_will_not_end", app=self.name, within=self._limits.cleanup)
        elif not work.cancelled() and (error := work.exception()) is not None:
            log.warning("callapp_cleanup_failed", app=self.name, error=type(error).__name__, at=place_of(error))

    # The caller who is left

    async def _see_off(self, ending: Ending) -> None:
        line = self.line.anew()
        if self._over.done() or not line.is_alive:
            return
        if ending is Ending.RETURNED:
            seeing = self._fallback.hang_up(line)
        else:
            log.warning("callapp_fallback", app=self.name, leg_id=line.leg_id, ending=ending)
            seeing = self._fallback.send_on(line, self._voice)
        task = asyncio.get_running_loop().create_task(seeing)
        try:
            waiting: set[asyncio.Future[Any]] = {task, self._over}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            task.cancel()
            await asyncio.wait({task})
            await line.settle()
