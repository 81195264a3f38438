"""What people do to a live call from outside: take it over, say a line into it, hang it up. Each names who does it.

A call need not have an app. One that has is taken out of its hands first: the app is cancelled as by a hangup, and what
it said or recognised with is taken off the leg.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import msgspec
import structlog

from daemon.actor import Actor
from daemon.callapps.destinations import Destinations
from daemon.callapps.ending import Ending
from daemon.callapps.intervention_audit import Deed, InterventionAudit
from daemon.callapps.intervention_errors import (
    InterventionError,
    NotAllowedError,
    NotLiveError,
    NotPossibleError,
    OutcomeUnknownError,
    SwitchAwayError,
    SwitchRefusedError,
    UnknownCallError,
    WrongInputError,
)
from daemon.callapps.room import CallApps
from daemon.callapps.run import Run
from daemon.callapps.takeover import Act
from daemon.callapps.voice import one_line
from daemon.calls.call import Call, Leg, LegState
from daemon.calls.control import CallControl, Certainty, Outcome
from daemon.calls.events import Direction
from daemon.calls.numbers import mask_number
from daemon.calls.registry import Registry
from daemon.config import TakeoverConfig
from daemon.plugins import place_of
from daemon.stores.calls import CallRow, get_call
from daemon.stores.database import Database, DatabaseAwayError

log = structlog.get_logger(__name__)

T = TypeVar("T")

LONGEST_LINE: Final = 300
"""Characters of one line: it is said in one go, and stands in the transcript once."""

_MOST_WAITING: Final = 5
_SAY_PATIENCE: Final = 3.0


class _Subject(msgspec.Struct, frozen=True):
    """A live call, the leg of it that is acted on, what acts on it, and what leads it."""

    call: Call
    leg: Leg
    control: CallControl
    run: Run | None

    @property
    def leg_id(self) -> str:
        """What the switch calls the leg."""
        return self.leg.leg_id


class Interventions:
    """``config`` says where callers may be sent, ``patience`` for how many seconds :meth:`say` waits for its line to be
    said. ``clock`` gives Unix seconds.

    What was begun goes on where who asked goes away. Every method raises one of
    :mod:`daemon.callapps.intervention_errors` where it was not done as asked, and ``DatabaseAwayError`` where it
    cannot be written down who does it: then nothing was done.
    """

    def __init__(
        self,
        callapps: CallApps,
        registry: Registry,
        database: Database,
        config: TakeoverConfig,
        *,
        clock: Callable[[], float],
        patience: float = _SAY_PATIENCE,
    ) -> None:
        self._callapps = callapps
        self._registry = registry
        self._database = database
        self._destinations = Destinations(config)
        self._audit = InterventionAudit(database, clock)
        self._patience = patience
        self._lines: Counter[str] = Counter()
        self._sent_on: set[str] = set()
        self._doing: set[asyncio.Task[Any]] = set()

    async def transfer(self, call_id: str, extension: str, *, actor: Actor, own: str = "") -> Call:
        """Send the caller to ``extension``; ``own`` is that of the actor, ``""`` where none is known.

        Returns when the switch has said yes; the call changes a moment later.
        """
        subject = await self._live(call_id)
        try:
            self._destinations.check(extension, own)
        except NotAllowedError:
            log.warning("transfer_not_allowed", call_id=call_id, extension=mask_number(extension), by=actor.name)
            raise
        self._require_answered(subject)
        if subject.leg_id in self._sent_on:
            raise NotPossibleError("somebody else is sending that caller on in this moment")
        self._sent_on.add(subject.leg_id)  # at once: others may ask in the same moment
        sending = self._do(self._transfer(subject, extension, actor))
        sending.add_done_callback(lambda _: self._sent_on.discard(subject.leg_id))
        await asyncio.shield(sending)
        return subject.call

    async def hang_up(self, call_id: str, *, actor: Actor) -> Call | CallRow:
        """Hang the call up, all of its legs. One that is over already stays as it is."""
        found = await self._found(call_id)
        if isinstance(found, CallRow) or not _is_live(found):
            return found
        subject = await self._live(call_id)
        try:
            await self._there(subject)
        except NotLiveError:
            return found
        legs = [leg.leg_id for leg in found.legs if leg.state is not LegState.ENDED]

        async def end() -> Outcome:
            outcomes = [await subject.control.hang_up(leg_id) for leg_id in legs]
            return next((outcome for outcome in outcomes if not outcome.ok), outcomes[0])

        deed = Deed(actor, found.call_id, "call_hanging_up", "call_hung_up", {"app": found.app})
        await asyncio.shield(self._do(self._take(subject, Ending.CUT_OFF, end, deed)))
        return found

    async def say(self, call_id: str, text: str, *, actor: Actor) -> bool:
        """Say one line to the caller, after what the app says now. True: it was said to its end.

        False: it takes longer than is waited for. What becomes of it then is in the transcript and in the audit.
        """
        line = one_line(text)
        if not 1 <= len(line) <= LONGEST_LINE:
            raise WrongInputError(f"a line has 1 to {LONGEST_LINE} characters that can be said")
        subject = await self._live(call_id)
        if subject.run is None and any(leg.peer_id for leg in subject.call.legs):
            raise NotPossibleError("two people talk to each other: nothing can be said to them from here")
        self._require_answered(subject)
        if self._lines[subject.leg_id] >= _MOST_WAITING:
            raise NotPossibleError(f"{_MOST_WAITING} lines wait to be said on this call already")
        begun = asyncio.get_running_loop().create_future()
        self._lines[subject.leg_id] += 1  # at once: others may ask in the same moment
        saying = self._do(self._say(subject, line, actor, begun))
        saying.add_done_callback(lambda _: self._waits_no_more(subject.leg_id))
        await asyncio.wait({saying, begun}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({saying}, timeout=self._patience)
        if not saying.done():
            return False
        saying.result()
        return True

    async def close(self) -> None:
        """End what is being done."""
        for doing in self._doing:
            doing.cancel()
        if self._doing:
            await asyncio.wait(self._doing)

    # Which call

    async def _found(self, call_id: str) -> Call | CallRow:
        call: Call | CallRow | None = self._registry.get(call_id)
        if call is None:
            async with self._database.read() as connection:
                call = await get_call(connection, call_id)
        if call is None:
            raise UnknownCallError("neither live nor stored")
        return call

    async def _live(self, call_id: str) -> _Subject:
        call = await self._found(call_id)
        if call.merged_into:
            raise NotLiveError(f"it became part of the call {call.merged_into}")
        if isinstance(call, CallRow) or not _is_live(call):
            raise NotLiveError("the call is over")
        control = self._callapps.control_of(call)
        if control is None:
            raise NotPossibleError("nothing here can act on that call: it stands on no switch of ours")
        run = self._callapps.run_of(call)
        legs = (leg for leg in call.legs if leg.state is not LegState.ENDED)
        leg = next(legs) if run is None else next(leg for leg in call.legs if leg.leg_id == run.line.leg_id)
        return _Subject(call, leg, control, run)

    def _require_answered(self, subject: _Subject) -> None:
        """Where somebody is called, there is nobody yet to be sent on or spoken to. Who calls may wait unanswered."""
        if subject.leg.direction is Direction.OUTBOUND and subject.leg.answered_at is None:
            raise NotPossibleError("nobody has answered that call yet: it can be hung up, and nothing else")

    async def _there(self, subject: _Subject) -> None:
        """An app is left alone where the switch cannot be told, or does not have the call."""
        outcome = await subject.control.exists(subject.leg_id)
        if outcome.certainty is not Certainty.ANSWERED:
            raise SwitchAwayError(outcome.text)
        if not outcome.ok:
            raise NotLiveError("the call is over")

    # What is done

    def _do(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do it until the end of it, whoever waits for it."""
        doing = asyncio.get_running_loop().create_task(work)
        self._doing.add(doing)
        doing.add_done_callback(self._done)
        return doing

    def _done(self, doing: asyncio.Task[Any]) -> None:
        self._doing.discard(doing)
        error = None if doing.cancelled() else doing.exception()
        if error is not None and not isinstance(error, (InterventionError, DatabaseAwayError)):
            log.error("intervention_broken", error=type(error).__name__, at=place_of(error))

    def _waits_no_more(self, leg_id: str) -> None:
        self._lines -= Counter([leg_id])  # which forgets what is none

    async def _take(self, subject: _Subject, ending: Ending, act: Act, deed: Deed) -> None:
        async def take() -> Outcome:
            outcome = await subject.run.take_over(ending, act) if subject.run is not None else None
            return await act() if outcome is None else outcome

        self._require(await self._audit.witness(deed, take), subject)

    async def _transfer(self, subject: _Subject, extension: str, actor: Actor) -> None:
        await self._there(subject)

        async def send_on() -> Outcome:
            if subject.run is not None:
                await subject.control.mark(subject.leg_id, "")
            return await subject.control.transfer(subject.leg_id, extension)

        detail = {"app": subject.call.app, "extension": extension}
        deed = Deed(actor, subject.call.call_id, "call_transferring", "call_transferred", detail)
        await self._take(subject, Ending.TAKEN_OVER, send_on, deed)

    async def _say(self, subject: _Subject, line: str, actor: Actor, begun: asyncio.Future[None]) -> None:
        await self._there(subject)

        async def utter() -> Outcome:
            begun.set_result(None)
            if subject.run is None:
                return await self._callapps.voice(subject.control).utter(subject.leg_id, line)
            over = Outcome(Certainty.ANSWERED, False, "no app leads the call any more")
            return await subject.run.interject(line) or over

        detail = {"app": subject.call.app, "characters": str(len(line))}
        deed = Deed(actor, subject.call.call_id, "call_saying", "call_said", detail)
        outcome = await self._audit.witness(deed, utter)
        if not outcome.ok and subject.run is not None and outcome.certainty is Certainty.ANSWERED:
            raise NotPossibleError(outcome.text)
        self._require(outcome, subject)

    def _require(self, outcome: Outcome, subject: _Subject) -> None:
        """Raise what stands for an outcome that is no yes."""
        if outcome.ok:
            return
        if outcome.certainty is Certainty.NOT_SENT:
            raise SwitchAwayError(outcome.text)
        if outcome.certainty is Certainty.UNKNOWN:
            raise OutcomeUnknownError(outcome.text)
        if not _is_live(subject.call):
            raise NotLiveError("the call is over")
        raise SwitchRefusedError(outcome.text)


def _is_live(call: Call) -> bool:
    return any(leg.state is not LegState.ENDED for leg in call.legs)
