"""One call and its app, from the park to whatever ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec
import structlog

from daemon.callapps.activity import Activity
from daemon.callapps.contract import CommandFailedError, GivenUpError
from daemon.callapps.definition import App
from daemon.callapps.ear import Ear
from daemon.callapps.ending import UNATTENDED, Ending, state_after
from daemon.callapps.fallback import Fallback
from daemon.callapps.line import Line
from daemon.callapps.live_call import LiveCall
from daemon.callapps.record import Record
from daemon.callapps.takeover import Act, Takeover
from daemon.callapps.voice import Voice
from daemon.calls.call import AppState, Leg, LegState
from daemon.calls.control import Certainty, Outcome
from daemon.plugins import place_of

log = structlog.get_logger(__name__)

_NOT_KNOWN: Final = 5.0
"""Seconds until it is told whether a command without a reply happened: then the leg has left."""


class Limits(msgspec.Struct, frozen=True):
    """Seconds: what an app may take in all, and to end when its call has; how often the switch is asked for the leg."""

    deadline: float
    cleanup: float
    vanished_after: float


class Run:
    """``lead`` is the app with its call; ``None``: there is none, for the reason ``instead``.

    ``activity`` is what the app does, ``record`` the call's. ``was_parked`` says that the switch calls the leg parked.
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
        activity: Activity,
        limits: Limits,
        was_parked: bool,
        record: Record,
    ) -> None:
        self.name = name
        self.line = line
        self.ear = ear
        self._voice = voice
        self._fallback = fallback
        self.has_app = lead is not None
        self._lead = lead
        self._instead = instead
        self._activity = activity
        self._limits = limits
        self._was_parked = was_parked
        self._record = record
        loop = asyncio.get_running_loop()
        self._over: asyncio.Future[Ending] = loop.create_future()
        self._stopped: asyncio.Future[Ending] = loop.create_future()
        self._app_over: asyncio.Future[None] = loop.create_future()
        self._takeover: asyncio.Future[Takeover] = loop.create_future()
        self._finished = False
        self.ending: Ending | None = None

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

    async def take_over(self, ending: Ending, act: Act) -> Outcome | None:
        """Take the call out of the app's hands, and let ``act`` send its caller on.

        A caller who could not be sent on gets the fall-back. ``None``: the app leads the call no more, and nothing
        was done.
        """
        if self._finished:
            return None
        if self._takeover.done():
            await asyncio.wait({self._takeover.result().done})
            return None
        takeover = Takeover(ending, act)
        self._takeover.set_result(takeover)
        await asyncio.wait({takeover.done})
        return takeover.done.result()

    async def interject(self, text: str) -> Outcome | None:
        """Say ``text`` after what the app says now; returns when it was said. ``None``: the app's part is over."""
        if self._lead is None or self._app_over.done():
            return None
        saying = asyncio.get_running_loop().create_task(self._lead[1].interject(text))
        try:
            await asyncio.wait({saying, self._app_over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            saying.cancel()
            await asyncio.wait({saying})
        if saying.cancelled():
            return None
        match saying.exception():
            case None:
                return Outcome(Certainty.ANSWERED, True)
            case CommandFailedError() as error:
                return Outcome(error.certainty, False, str(error))
            case error:
                raise error

    async def serve(self) -> None:
        """Let the app lead the call, and see the caller off where it leaves them behind."""
        self._record.tell(self.name, "", state=AppState.STARTING, ending="")
        self._watch()
        try:
            ending = self.ending = self._instead if self._lead is None else await self._run_app(*self._lead)
            self._record.tell(
                self.name, self._outcome(ending), state=state_after(ending) or AppState.ENDED, ending=ending
            )
            log.info("callapp_ended", app=self.name, call_id=self.line.call_id, leg_id=self.line.leg_id, ending=ending)
            await self._see_to_caller(ending)
        finally:
            self._finished = True
            if self._takeover.done():
                self._takeover.result().let_go()
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
        waiting: set[asyncio.Future[Any]] = {work, self._over, self._stopped, self._takeover}
        try:
            await asyncio.wait(waiting, timeout=self._limits.deadline, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and self._over.done() and self.line.is_handing_on:
                left: set[asyncio.Future[Any]] = {work, self.line.missed}
                await asyncio.wait(left, timeout=self._limits.cleanup, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            work.cancel()
            raise
        finally:
            self._activity.close()
            self._app_over.set_result(None)
        ending = self._ending(work)
        if self._takeover.done() and not work.done():
            # Its clean-up says nothing to the caller any more, who need not wait for it.
            self.line.let_go = True
            self.line.later(self._cancel(work))
        elif not work.done():
            await self._cancel(work)
        elif (error := _mistake(work)) is not None:
            self._tell_of(error, log.error, "callapp_failed")
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
        if self._takeover.done():
            return self._takeover.result().ending
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
            log.error("callapp_will_not_end", app=self.name, call_id=self.line.call_id, within=self._limits.cleanup)
        elif (error := _mistake(work)) is not None:
            self._tell_of(error, log.warning, "callapp_cleanup_failed")

    def _tell_of(self, error: BaseException, tell: Callable[..., Any], event: str) -> None:
        # Without the error's text: what the caller said may stand in it.
        tell(event, app=self.name, call_id=self.line.call_id, error=type(error).__name__, at=place_of(error))

    # The caller who is left

    async def _see_to_caller(self, ending: Ending) -> None:
        """Until the caller is gone, or seen off: somebody may take the call over meanwhile."""
        recorded = ending
        while not self._over.done() and not self.line.handed_on and self.line.is_alive:
            if self._takeover.done():
                takeover = self._takeover.result()
                if await self._give_up(takeover):
                    return
                ending = takeover.ending
                self._record.tell(self.name, self._outcome(recorded), state=AppState.FALLEN_BACK, ending=recorded)
                self._takeover = asyncio.get_running_loop().create_future()
            elif await self._see_off(ending):
                return

    async def _give_up(self, takeover: Takeover) -> bool:
        """Let somebody have the call; false where it could not be done, and the caller is still there."""
        self.line.is_handing_on = True
        outcome = await takeover.carry_out(self.line, self._fallback.recogniser)
        if outcome.ok:
            return True
        log.error("takeover_failed", app=self.name, call_id=self.line.call_id, certainty=outcome.certainty)
        if outcome.certainty is Certainty.UNKNOWN:
            await asyncio.wait({self._over}, timeout=_NOT_KNOWN)
        self.line.is_handing_on = False
        return False

    async def _see_off(self, ending: Ending) -> bool:
        """Send the caller where they are looked after, or hang up; false where somebody takes the call over first."""
        line = self.line.anew()
        if ending in (Ending.RETURNED, Ending.CUT_OFF):
            seeing = self._fallback.hang_up(line)
        else:
            log.warning("callapp_fallback", app=self.name, call_id=line.call_id, leg_id=line.leg_id, ending=ending)
            seeing = self._fallback.send_on(line, self._voice)
        task = asyncio.get_running_loop().create_task(seeing)
        try:
            waiting: set[asyncio.Future[Any]] = {task, self._over, self._takeover}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
            return task.done() or self._over.done()
        finally:
            task.cancel()
            await asyncio.wait({task})
            await line.settle()


def _mistake(work: asyncio.Task[None]) -> BaseException | None:
    """What the app raised by mistake: giving its caller up is none, also where the caller is gone meanwhile."""
    error = None if work.cancelled() else work.exception()
    return None if isinstance(error, GivenUpError) else error
