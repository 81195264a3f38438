"""What people do to a live call from outside: take it over, say a line into it, hang it up. Each names who does it.

A call need not have an app. One that has is taken out of its hands first: the app is cancelled as by a hangup, and what
it said or recognised with is taken off the leg.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from daemon.actor import Actor
from daemon.callapps.ending import Ending
from daemon.callapps.intervention_audit import Deed, InterventionAudit
from daemon.callapps.intervention_errors import (
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
from daemon.calls.call import Call, LegState
from daemon.calls.control import CallControl, Certainty, Outcome
from daemon.calls.numbers import EXTENSION
from daemon.calls.registry import Registry
from daemon.stores.calls import CallRow, get_call
from daemon.stores.database import Database

log = structlog.get_logger(__name__)

LONGEST_LINE: Final = 300
"""Characters of one line: it is said in one go, and stands in the transcript once."""

_MOST_WAITING: Final = 5
_SAY_PATIENCE: Final = 3.0


class _Subject(msgspec.Struct, frozen=True):
    """A live call, the leg of it that is acted on, what acts on it, and what leads it."""

    call: Call
    leg_id: str
    control: CallControl
    run: Run | None


class Interventions:
    """``patience`` is for how many seconds :meth:`say` waits for its line to be said. ``clock`` gives Unix seconds.

    Every method raises one of :mod:`daemon.callapps.intervention_errors` where it was not done as asked, and
    ``DatabaseAwayError`` where it cannot be written down who does it: then nothing was done.
    """

    def __init__(
        self,
        callapps: CallApps,
        registry: Registry,
        database: Database,
        *,
        clock: Callable[[], float],
        patience: float = _SAY_PATIENCE,
    ) -> None:
        self._callapps = callapps
        self._registry = registry
        self._database = database
        self._audit = InterventionAudit(database, clock)
        self._patience = patience
        self._lines: Counter[str] = Counter()
        self._saying: set[asyncio.Task[None]] = set()

    async def transfer(self, call_id: str, extension: str, *, actor: Actor) -> Call:
        """Send the caller to ``extension``. Returns when the switch has said yes; the call changes a moment later."""
        if re.fullmatch(EXTENSION, extension) is None:
            raise WrongInputError("an extension has 1 to 64 letters, digits or any of * # + _ . -")
        subject = await self._live(call_id)
        await self._there(subject)

        async def send_on() -> Outcome:
            if subject.run is not None:
                await subject.control.mark(subject.leg_id, "")
            return await subject.control.transfer(subject.leg_id, extension)

        detail = {"app": subject.call.app, "extension": extension}
        deed = Deed(actor, subject.call.call_id, "call_transferring", "call_transferred", detail)
        await self._take(subject, Ending.TAKEN_OVER, send_on, deed)
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
        await self._take(subject, Ending.CUT_OFF, end, deed)
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
        if self._lines[subject.leg_id] >= _MOST_WAITING:
            raise NotPossibleError(f"{_MOST_WAITING} lines wait to be said on this call already")
        await self._there(subject)
        detail = {"app": subject.call.app, "characters": str(len(line))}
        deed = Deed(actor, subject.call.call_id, "call_saying", "call_said", detail)
        await self._audit.begins(deed)
        saying = asyncio.get_running_loop().create_task(self._say(subject, line, deed))
        self._saying.add(saying)
        saying.add_done_callback(self._said)
        await asyncio.wait({saying}, timeout=self._patience)
        if not saying.done():
            return False
        saying.result()
        return True

    async def close(self) -> None:
        """End what is being said."""
        for saying in self._saying:
            saying.cancel()
        if self._saying:
            await asyncio.wait(self._saying)

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
        leg_id = next(leg.leg_id for leg in call.legs if leg.state is not LegState.ENDED)
        return _Subject(call, leg_id if run is None else run.line.leg_id, control, run)

    async def _there(self, subject: _Subject) -> None:
        """An app is left alone where the switch cannot be told, or does not have the call."""
        outcome = await subject.control.exists(subject.leg_id)
        if outcome.certainty is not Certainty.ANSWERED:
            raise SwitchAwayError(outcome.text)
        if not outcome.ok:
            raise NotLiveError("the call is over")

    # What is done

    async def _take(self, subject: _Subject, ending: Ending, act: Act, deed: Deed) -> None:
        await self._audit.begins(deed)
        outcome = await subject.run.take_over(ending, act) if subject.run is not None else None
        if outcome is None:
            outcome = await act()
        log.info(deed.done if outcome.ok else f"{deed.begun}_failed", call_id=deed.call_id, by=deed.actor.name)
        await self._audit.became(deed, outcome)
        self._require(outcome, subject)

    async def _say(self, subject: _Subject, line: str, deed: Deed) -> None:
        self._lines[subject.leg_id] += 1
        try:
            if subject.run is None:
                outcome = await self._callapps.voice(subject.control).utter(subject.leg_id, line)
            else:
                over = Outcome(Certainty.ANSWERED, False, "no app leads the call any more")
                outcome = await subject.run.interject(line) or over
        finally:
            self._lines -= Counter([subject.leg_id])
        await self._audit.became(deed, outcome)
        if not outcome.ok and subject.run is not None and outcome.certainty is Certainty.ANSWERED:
            raise NotPossibleError(outcome.text)
        self._require(outcome, subject)

    def _said(self, saying: asyncio.Task[None]) -> None:
        self._saying.discard(saying)
        if not saying.cancelled() and (error := saying.exception()) is not None:
            log.warning("line_not_said", error=type(error).__name__)

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
