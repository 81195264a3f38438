"""Places calls into apps, each once, within limits, and follows what becomes of them.

A row of it stands in the store, and the id of its leg in that row, before the switch is asked for it: a request that
is sent again places no second call, and after a restart the leg is known. A call that rings through a restart is led by
its app when it is answered; one that was led gets the fall-back, as every caller does. When Parley stops, what rings is
called off: nobody is to answer to silence.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar
from uuid import uuid4

import msgspec
import structlog
from uuid_utils import uuid7

from daemon.actor import Actor
from daemon.callapps.calling_off import call_off
from daemon.callapps.marks import Stage
from daemon.callapps.outgoing import (
    NotPossibleError,
    OutgoingCall,
    OutgoingError,
    OutgoingRequest,
    OutgoingState,
    SwitchAwayError,
    TooManyOutgoingError,
)
from daemon.callapps.outgoing_progress import ENDED_UNSEEN, Progress, told
from daemon.callapps.outgoing_records import OutgoingRecords, patiently
from daemon.callapps.outgoing_rules import OutgoingRules
from daemon.callapps.placements import Placement, Placements
from daemon.callapps.room import CallApps
from daemon.calls.call import CallChanged
from daemon.calls.control import CallControl, Certainty, Outcome
from daemon.calls.numbers import mask_number
from daemon.calls.registry import Registry
from daemon.config import OutgoingConfig
from daemon.hub import Hub
from daemon.plugins import place_of
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.outgoing_calls import OutgoingCallRow
from protocols.errors import LocalError

log = structlog.get_logger(__name__)

T = TypeVar("T")

_PROMPT: Final = 5.0
"""Seconds in which a switch mostly says whether it can dial; whoever asked is answered then at the latest."""
_TRY_AGAIN: Final = 1.0
_GRACE: Final = 2.0
"""Seconds for which the end of a leg that the switch denies may be on its way."""
_FULL_FOR: Final = 30.0
"""When to ask again where all places are taken."""


class OutgoingCalls:
    """``controls`` act on the legs of each switch, by its origin and name. ``callapps`` leads what is answered of
    ``placements``. ``clock`` gives Unix seconds."""

    def __init__(
        self,
        config: OutgoingConfig,
        callapps: CallApps,
        placements: Placements,
        *,
        controls: Mapping[tuple[str, str], CallControl],
        database: Database,
        registry: Registry,
        hub: Hub,
        instance: Callable[[], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._callapps = callapps
        self._placements = placements
        self._controls = controls
        self._rules = OutgoingRules(config, controls, callapps.definitions)
        self._records = OutgoingRecords(database, config)
        self._registry = registry
        self._hub = hub
        self._instance = instance
        self._clock = clock
        self._open: dict[str, Progress] = {}  # by leg id
        self._dialling: dict[str, asyncio.Task[Outcome]] = {}  # by leg id
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._untap: Callable[[], None] = lambda: None

    # Its life

    async def begin(self, patience: float) -> None:
        """Follow legs from now on, those that an earlier process left among them; called before any is known.

        A store that is away is not waited for longer than ``patience`` seconds here.
        """
        self._untap = self._hub.tap((CallChanged,), self._changed)
        resuming = self._do(patiently(self._resume))
        await asyncio.wait({resuming}, timeout=patience)

    async def run(self) -> None:
        """Keep what becomes of the calls until cancelled."""
        try:
            await self._records.run()
        finally:
            self._untap()
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(DatabaseAwayError):
                await self._records.save_all()

    async def close(self) -> None:
        """Place no more, and call off what rings. Returns when that is certain."""
        self._stopping = True
        ringing = [progress for progress in self._open.values() if progress.state is not OutgoingState.ANSWERED]
        await asyncio.gather(*(self._call_off(progress) for progress in ringing))

    def _do(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do it, whoever waits for it."""
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

    # Placing

    async def place(self, request: OutgoingRequest, *, actor: Actor, key: str) -> OutgoingCall:
        """Place a call, and return when the switch has made a leg for it, or will not; a ``key`` used within a day by
        the same actor places no second one, and returns what became of the first.

        Who asked may go away meanwhile: it is placed all the same. Raises an
        :class:`~daemon.callapps.outgoing.OutgoingError`, and ``DatabaseAwayError``.
        """
        return await asyncio.shield(self._do(self._place(request, actor, key)))

    async def _place(self, request: OutgoingRequest, actor: Actor, key: str) -> OutgoingCall:
        number, places = self._rules.check(request)
        row = OutgoingCallRow(
            call_id=str(uuid7()),
            actor=actor.name,
            request_key=key,
            request=hashlib.sha256(msgspec.json.encode(request, order="sorted")).hexdigest(),
            holder=self._instance(),
            server=places[0][1],
            leg_id=str(uuid4()),
            app=request.app,
            number=number,
            variables=dict(request.variables),
            state=OutgoingState.DIALLING.value,
            created_at=self._clock(),
        )
        try:
            stored, is_new = await self._records.reserve(row, actor, lambda: self._admit(row))
        except BaseException:
            self._forget(row)
            raise
        if not is_new:
            return await self.get(stored.call_id) or told(stored)
        progress = self._open[row.leg_id]
        log.info("outgoing_call", call_id=row.call_id, app=row.app, number=mask_number(number), actor=actor.name)
        await self._dial(progress, places)
        return told(progress.row)

    def _admit(self, row: OutgoingCallRow) -> None:
        """Take a place for one more call, if it may be placed now."""
        self._rules.check_hours(row.created_at)
        if self._stopping:
            raise SwitchAwayError("Parley is stopping")
        if len(self._open) >= self._config.at_once or self._callapps.is_full:
            text = "as many calls as may be at the same time ring or are led"
            raise TooManyOutgoingError(text, retry_after=_FULL_FOR)
        self._follow(row)
        self._placements.expect(row.leg_id, Placement(row.app, row.variables))

    async def _dial(self, progress: Progress, places: list[tuple[str, str]]) -> None:
        """On the first of the switches that can be told."""
        row = progress.row
        why = ""
        for place in places:
            progress.dial_on(place[1])
            self._registry.expect((*place, row.leg_id), row.call_id)
            dialling = self._do(self._originate(self._controls[place], row))
            self._dialling[row.leg_id] = dialling
            await self._until_known(progress, dialling)
            if not dialling.done():
                self._do(self._await_answer(progress, dialling))
                return
            try:
                outcome = dialling.result()
            except LocalError as error:
                progress.fail(str(error))
                raise NotPossibleError(str(error)) from error
            if outcome.certainty is not Certainty.NOT_SENT:
                self._take_answer(progress, outcome)
                return
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
            mark=self._callapps.marks.of(row.app, Stage.PLACED),
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
            self._do(self._find_out(progress))
        elif outcome.ok:
            progress.answered()
        else:
            progress.end(outcome.text)

    # Following

    def _follow(self, row: OutgoingCallRow) -> None:
        self._open[row.leg_id] = Progress(row, clock=self._clock, changed=self._note)

    def _forget(self, row: OutgoingCallRow) -> None:
        self._open.pop(row.leg_id, None)
        self._dialling.pop(row.leg_id, None)
        self._placements.withdraw(row.leg_id)

    def _note(self, progress: Progress) -> None:
        self._records.changed(progress)
        if progress.is_over:
            row = progress.row
            self._forget(row)
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
        """Whether the switch has the leg, of which no end was seen. If so, what is told of it will say the rest."""
        control = self._control(progress)
        while control is not None and not progress.is_over:
            outcome = await control.exists(progress.row.leg_id)
            if outcome.certainty is Certainty.ANSWERED:
                if outcome.ok:
                    return
                await asyncio.sleep(_GRACE)
                break
            await asyncio.sleep(_TRY_AGAIN)
        progress.lose(ENDED_UNSEEN)

    async def _resume(self) -> None:
        """Follow what an earlier process left open."""
        for row in await self._records.open(self._instance()):
            if row.leg_id in self._open:
                continue
            self._follow(row)
            progress = self._open[row.leg_id]
            if progress.state is not OutgoingState.ANSWERED:
                self._placements.expect(row.leg_id, Placement(row.app, row.variables))
            for place in self._controls:
                if place[1] == row.server:
                    self._registry.expect((*place, row.leg_id), row.call_id)
            self._do(self._find_out(progress))

    def _control(self, progress: Progress) -> CallControl | None:
        server = progress.row.server
        return next((control for place, control in self._controls.items() if place[1] == server), None)

    # Asking

    async def get(self, call_id: str) -> OutgoingCall | None:
        """What came of it; ``None`` for an id that is not known."""
        for progress in self._open.values():
            if progress.row.call_id == call_id:
                return told(progress.row)
        row = self._records.unsaved(call_id) or await self._records.get(call_id)
        return None if row is None else told(row)

    async def latest(self, limit: int) -> list[OutgoingCall]:
        """The newest, newest first."""
        live = {progress.row.call_id: progress.row for progress in self._open.values()}
        rows = await self._records.latest(limit)
        return [told(self._records.unsaved(row.call_id) or live.get(row.call_id, row)) for row in rows]


def _dialled_before() -> asyncio.Future[Outcome]:
    """What an earlier process placed: nobody knows what the switch would have said."""
    dialled: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    dialled.set_result(Outcome(Certainty.UNKNOWN, False))
    return dialled
