"""The legs of calls that are placed into apps: dialled, followed to their end, found again after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar

import structlog

from daemon.callapps.calling_off import call_off
from daemon.callapps.outgoing import NotPossibleError, OutgoingError, OutgoingState, SwitchAwayError
from daemon.callapps.outgoing_progress import ENDED_UNSEEN, Progress
from daemon.callapps.placements import Placement, Placements
from daemon.calls.call import CallChanged
from daemon.calls.control import CallControl, Certainty, Outcome
from daemon.calls.registry import Registry
from daemon.config import OutgoingConfig
from daemon.hub import Hub
from daemon.plugins import place_of
from daemon.stores.database import DatabaseAwayError
from daemon.stores.outgoing_calls import OutgoingCallRow
from protocols.errors import LocalError

log = structlog.get_logger(__name__)

T = TypeVar("T")

_PROMPT: Final = 5.0
"""Seconds in which a switch mostly says whether it can dial; whoever asked is answered then at the latest."""
_TRY_AGAIN: Final = 1.0
_GRACE: Final = 2.0
"""Seconds for which the end of a leg that the switch denies may be on its way."""

Place = tuple[str, str]
"""A switch: its origin and its name."""


class OutgoingLegs:
    """``controls`` act on the legs of each switch. ``placements`` is told what they are for, ``save`` of every change
    of one; ``mark`` is what is left on a leg for an app."""

    def __init__(
        self,
        config: OutgoingConfig,
        placements: Placements,
        *,
        controls: Mapping[Place, CallControl],
        registry: Registry,
        hub: Hub,
        mark: Callable[[str], str],
        save: Callable[[Progress], None],
        clock: Callable[[], float],
    ) -> None:
        self._config = config
        self._placements = placements
        self._controls = controls
        self._registry = registry
        self._hub = hub
        self._mark = mark
        self._save = save
        self._clock = clock
        self._open: dict[str, Progress] = {}  # by leg id
        self._dialling: dict[str, asyncio.Task[Outcome]] = {}  # by leg id
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False
        self._untap: Callable[[], None] = lambda: None

    def __len__(self) -> int:
        """How many are not over."""
        return len(self._open)

    @property
    def rows(self) -> dict[str, OutgoingCallRow]:
        """Those that are not over, by the ids of their calls."""
        return {progress.row.call_id: progress.row for progress in self._open.values()}

    # Its life

    def begin(self) -> None:
        """Follow legs from now on."""
        self._untap = self._hub.tap((CallChanged,), self._changed)

    async def close(self) -> None:
        """Dial no more, and call off what no app leads yet: it rings, or has just been answered and is not parked.

        Returns when that is certain.
        """
        self._closing = True
        waiting = [
            progress
            for leg_id, progress in self._open.items()
            if progress.state is not OutgoingState.ANSWERED or self._placements.is_awaited(leg_id)
        ]
        await asyncio.gather(*(self._call_off(progress) for progress in waiting))

    async def end(self) -> None:
        """Follow nothing any more, and let nothing be done."""
        self._untap()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def do(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do it until the end of it, whoever waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, (OutgoingError, DatabaseAwayError, LocalError)):
            log.error("outgoing_call_broken", error=type(error).__name__, at=place_of(error))

    async def _call_off(self, progress: Progress) -> None:
        leg_id = progress.row.leg_id
        control = self._control(progress)
        if control is not None:
            await call_off(control, leg_id, self._dialling.get(leg_id) or _dialled_before())

    # Which there are

    def follow(self, row: OutgoingCallRow) -> None:
        """That call is about to be dialled."""
        self._open[row.leg_id] = Progress(row, clock=self._clock, changed=self._note)
        self._placements.expect(row.leg_id, Placement(row.app, row.variables))

    def forget(self, row: OutgoingCallRow) -> None:
        """It is over, or is not to be dialled after all."""
        self._open.pop(row.leg_id, None)
        self._dialling.pop(row.leg_id, None)
        self._placements.withdraw(row.leg_id)

    def resume(self, row: OutgoingCallRow) -> None:
        """An earlier process left that call open."""
        if row.leg_id in self._open:
            return
        progress = self._open[row.leg_id] = Progress(row, clock=self._clock, changed=self._note)
        for place in self._controls:
            if place[1] == row.server:
                self._registry.expect((*place, row.leg_id), row.call_id)
                found = self._registry.find(*place, row.leg_id)
                if found is not None:
                    progress.see(found[1])
        if progress.state in (OutgoingState.DIALLING, OutgoingState.RINGING):
            self._placements.expect(row.leg_id, Placement(row.app, row.variables))
        elif progress.state is OutgoingState.ANSWERED:
            self._placements.was_led(row.leg_id, row.app)
        self.do(self._find_out(progress))

    # Dialling

    async def dial(self, row: OutgoingCallRow, places: list[Place]) -> OutgoingCallRow:
        """Dial on the first of the switches that can be told; returns when the leg is there or will not be, mostly.

        Raises :class:`SwitchAwayError` and :class:`NotPossibleError`: nothing was placed then.
        """
        progress = self._open[row.leg_id]
        why = "Parley is stopping"
        for place in () if self._closing else places:
            progress.dial_on(place[1])
            self._registry.expect((*place, row.leg_id), row.call_id)
            dialling = self._dialling[row.leg_id] = self.do(self._originate(self._controls[place], row))
            await self._until_known(progress, dialling)
            if not dialling.done():
                self.do(self._await_answer(progress, dialling))
                return progress.row
            try:
                outcome = dialling.result()
            except LocalError as error:
                progress.fail(str(error))
                raise NotPossibleError(str(error)) from error
            if outcome.certainty is not Certainty.NOT_SENT:
                self._take_answer(progress, outcome)
                return progress.row
            self._registry.expect((*place, row.leg_id), "")
            why = outcome.text
        progress.fail(why)
        raise SwitchAwayError(f"no switch that dials that number can be told to: {why}")

    async def _originate(self, control: CallControl, row: OutgoingCallRow) -> Outcome:
        return await control.originate(
            row.number,
            leg_id=row.leg_id,
            caller=self._config.caller,
            ring_time=self._config.ring_time,
            mark=self._mark(row.app),
        )

    async def _until_known(self, progress: Progress, dialling: asyncio.Task[Outcome]) -> None:
        """Wait until the leg is there, or will not be; or for as long as somebody may be let wait."""
        appeared = asyncio.Event()
        untap = self._hub.tap(
            (CallChanged,), lambda _: appeared.set() if progress.state is not OutgoingState.DIALLING else None
        )
        waiting = asyncio.ensure_future(appeared.wait())
        try:
            await asyncio.wait({waiting, dialling}, timeout=_PROMPT, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            untap()

    async def _await_answer(self, progress: Progress, dialling: asyncio.Task[Outcome]) -> None:
        try:
            self._take_answer(progress, await asyncio.shield(dialling))
        except LocalError as error:
            progress.fail(str(error))

    def _take_answer(self, progress: Progress, outcome: Outcome) -> None:
        """What the switch says of the dialling."""
        if outcome.certainty is not Certainty.ANSWERED:
            self.do(self._find_out(progress))
        elif outcome.ok:
            progress.answered()
        else:
            progress.end(outcome.text)

    # Following

    def _note(self, progress: Progress) -> None:
        self._save(progress)
        if progress.is_over:
            row = progress.row
            self.forget(row)
            for place in self._controls:
                self._registry.expect((*place, row.leg_id), "")
            log.info("outgoing_call_over", call_id=row.call_id, app=row.app, state=row.state, cause=row.cause)

    def _changed(self, changed: CallChanged) -> None:
        if self._open:
            for leg in changed.call.legs:
                progress = self._open.get(leg.leg_id)
                if progress is not None:
                    progress.see(leg)

    async def _find_out(self, progress: Progress) -> None:
        """Whether the switch has the leg, of which no end was seen. If so, what is told of it will say the rest, once
        it is known: it may be gone again before anything is."""
        control = self._control(progress)
        while control is not None and not progress.is_over:
            outcome = await control.exists(progress.row.leg_id)
            if outcome.certainty is Certainty.ANSWERED and not outcome.ok:
                await asyncio.sleep(_GRACE)
                break
            if outcome.ok and self._is_known(progress):
                return
            await asyncio.sleep(_TRY_AGAIN)
        progress.lose(ENDED_UNSEEN)

    def _is_known(self, progress: Progress) -> bool:
        row = progress.row
        return any(self._registry.find(*place, row.leg_id) for place in self._controls if place[1] == row.server)

    def _control(self, progress: Progress) -> CallControl | None:
        server = progress.row.server
        return next((control for place, control in self._controls.items() if place[1] == server), None)


def _dialled_before() -> asyncio.Future[Outcome]:
    """What an earlier process placed: nobody knows what the switch would have said."""
    dialled: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    dialled.set_result(Outcome(Certainty.UNKNOWN, False))
    return dialled
