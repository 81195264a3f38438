"""The line to one leg: its commands, and what becomes of an app when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final

import structlog

from daemon.callapps.contract import CommandFailedError
from daemon.calls.call import Call, Leg, LegState
from daemon.calls.control import CallControl, Certainty, Outcome
from daemon.calls.registry import LegKey, Registry
from protocols.errors import LocalError

log = structlog.get_logger(__name__)

_LINK_PATIENCE: Final = 5.0
"""Seconds for which a command is tried that cannot be sent: a link that was lost is mostly back by then."""
_TRY_AGAIN: Final = 0.25


class Line:
    """``key`` names the leg for ever. ``let_go`` is set by whoever leads the app once the leg is no longer its own."""

    def __init__(self, key: LegKey, control: CallControl, registry: Registry) -> None:
        self.key = key
        self.leg_id = key[2]
        self.control = control
        self.let_go = False
        self.is_handing_on = False
        """The app itself is hanging up or sending the caller on, or has done so."""
        self.handed_on = False
        """It has done so: what is left of it may end in peace."""
        self.on_hold = False
        """The app put the leg on hold. A switch need not tell of that as it tells of a far end that holds."""
        self.is_recorded = False
        """The app had the leg recorded."""
        self.missed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when what the app does to hand the leg on, or after it, finds the leg gone."""
        self._handing_on: asyncio.Task[Any] | None = None
        self._registry = registry
        self._later: set[asyncio.Task[Any]] = set()

    def anew(self) -> Line:
        """The same line, for whoever comes after the app."""
        line = Line(self.key, self.control, self._registry)
        line.on_hold = self.on_hold
        line.is_recorded = self.is_recorded
        return line

    @property
    def call(self) -> Call | None:
        """The call that the leg belongs to now."""
        return self._registry.call_of(*self.key)

    @property
    def call_id(self) -> str:
        """The id of that call, ``""`` once it is forgotten."""
        call = self.call
        return call.call_id if call is not None else ""

    @property
    def leg(self) -> Leg | None:
        """The leg, as long as it lives."""
        found = self._registry.find(*self.key)
        return found[1] if found is not None and found[1].state is not LegState.ENDED else None

    @property
    def is_alive(self) -> bool:
        """Whether the leg has not ended, as far as is known."""
        return self.leg is not None

    @property
    def is_ours(self) -> bool:
        """Whether the leg is there and the app's own."""
        return not self.let_go and not self.handed_on and self.is_alive

    @contextmanager
    def handing_on(self) -> Iterator[None]:
        """The leg may leave while this goes on, and is no longer the app's when it went well."""
        self.is_handing_on = True
        self._handing_on = asyncio.current_task()
        try:
            yield
        except BaseException:
            self.is_handing_on = False
            raise
        self.handed_on = True

    async def send(self, name: str, command: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """The answer to a command that was carried out. One that cannot be sent is tried again for a while.

        :raises CommandFailedError: where it was not, and the leg is there.
        """
        outcome = await self.attempt(command)
        if outcome.ok:
            return outcome
        await self._survive(outcome)
        raise CommandFailedError(name, outcome.certainty, outcome.text)

    async def attempt(self, command: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """As :meth:`send`, and what became of it is told by the outcome."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _LINK_PATIENCE
        while True:
            await self.stay()
            try:
                outcome = await command()
            except LocalError as error:
                return Outcome(Certainty.ANSWERED, False, str(error))
            if outcome.certainty is not Certainty.NOT_SENT or loop.time() >= until:
                return outcome
            await asyncio.sleep(_TRY_AGAIN)

    async def hold(self, on: bool) -> None:
        """Put the leg on hold, or take it off; raises as :meth:`send`."""
        self.on_hold = self.on_hold or on
        await self.send("hold", lambda: self.control.hold(self.leg_id, on))
        self.on_hold = on

    async def unhold(self) -> None:
        """Take the leg off hold, if it is: whoever has it next could not hear it."""
        leg = self.leg
        if self.on_hold or (leg is not None and leg.held):
            self.on_hold = False
            outcome = await self.control.hold(self.leg_id, False)
            if not outcome.ok:
                log.warning("leg_still_held", leg_id=self.leg_id, certainty=outcome.certainty)

    async def record(self, path: str) -> None:
        """Record both sides into ``path``; raises as :meth:`send`."""
        self.is_recorded = True
        await self.send("record", lambda: self.control.record(self.leg_id, path))

    async def end_recording(self) -> None:
        """End the app's recording before the leg is hung up: a hangup with a media bug has left channels behind."""
        if self.is_recorded:
            self.is_recorded = False
            outcome = await self.control.stop_recording(self.leg_id)
            if not outcome.ok:
                log.warning("recording_not_stopped", leg_id=self.leg_id, certainty=outcome.certainty)

    async def stay(self) -> None:
        """Return where the leg is there and the app's own."""
        if not self.is_ours:
            await self._end()

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do what need not be waited for."""
        task = asyncio.get_running_loop().create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def settle(self) -> None:
        """Wait for what is done :meth:`later`."""
        if self._later:
            await asyncio.wait(self._later)

    async def _survive(self, outcome: Outcome) -> None:
        """Return where the leg is there, in spite of a command that was not carried out."""
        if not self.is_alive:
            await self._end()
        if outcome.certainty is Certainty.ANSWERED:
            there = await self.control.exists(self.leg_id)
            if not there.ok and there.certainty is Certainty.ANSWERED:
                await self._end()

    async def _end(self) -> None:
        """The leg is gone, or no longer the app's: whoever leads the app cancels it, or has done so."""
        if self.let_go:
            raise asyncio.CancelledError("the call is over")
        if asyncio.current_task() is self._handing_on:
            self.is_handing_on = self.handed_on
            if not self.missed.done():
                self.missed.set_result(None)
        await asyncio.get_running_loop().create_future()
