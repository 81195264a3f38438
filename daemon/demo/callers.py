"""People who call the simulated switch, for ever, and keep to their scripts at human pace."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence

from daemon.demo.applications import speaking_time
from daemon.demo.call import Side, SimulatedCall
from daemon.demo.dialogues import SCRIPTS
from daemon.demo.script import (
    Connect,
    Consult,
    HangUp,
    Hold,
    Keys,
    Line,
    Listen,
    Pause,
    Prompt,
    Reach,
    Script,
    Step,
    Transfer,
)
from daemon.demo.switch import SimulatedSwitch

THINKING_SECONDS = (0.4, 1.4)
"""How long people take before they answer."""
GAP_SECONDS = (1.0, 6.0)
"""Between two new calls while there is room for more."""
_GLANCE_SECONDS = 0.2
NAMES = ("", "고객", "단골손님", "Demo Caller", "")


class Callers:
    """Keeps between ``fewest`` and ``most`` calls up on ``switch``; the choice of scripts and pauses follows ``seed``.

    Calls live on the switch: a restart of it ends them, and new people call once it runs again.
    """

    def __init__(
        self,
        switch: SimulatedSwitch,
        *,
        scripts: Sequence[Script] = SCRIPTS,
        seed: int = 1,
        fewest: int = 4,
        most: int = 7,
    ) -> None:
        if not 0 < fewest <= most:
            raise ValueError("there must be at least one caller, and fewest cannot be more than most")
        self.started = 0
        self.ended = 0
        self.failed = 0
        """Calls whose script broke off with an error (which is logged): a mistake of the simulation."""
        self._switch = switch
        self._scripts = scripts
        self._fewest, self._most = fewest, most
        # two of them, since how often the pace asks depends on how fast the machine is
        self._choice = random.Random(seed)  # noqa: S311 - a demo that repeats itself, not a secret
        self._pace = random.Random(seed)  # noqa: S311 - as above
        self._turn: list[Script] = []
        self._live: set[asyncio.Task[None]] = set()

    @property
    def live(self) -> int:
        """How many calls are up."""
        return len(self._live)

    async def run(self, calls: int | None = None) -> None:
        """Let people call until cancelled; with ``calls``, let so many call and wait for the last one's end."""
        try:
            while calls is None or self.started < calls:
                await self._switch.running.wait()
                if len(self._live) >= self._pace.randint(self._fewest, self._most):
                    await asyncio.wait(self._live, return_when=asyncio.FIRST_COMPLETED)
                    continue
                self._call()
                if len(self._live) >= self._fewest:
                    await self._switch.core.pause(self._pace.uniform(*GAP_SECONDS))
                else:
                    await self._switch.core.pause(0.5)
            if self._live:
                await asyncio.wait(self._live)
        finally:
            for task in self._live:
                task.cancel()

    def _call(self) -> None:
        if not self._turn:
            self._turn = list(self._scripts)
            self._choice.shuffle(self._turn)
        script = self._turn.pop()
        number = f"0101234{self._choice.randint(0, 9999):04d}"
        person = Person(self._switch, script, number, self._choice.choice(NAMES), self._choice.randrange(2**32))
        self.started += 1
        task = self._switch.core.spawn(person.call())
        self._live.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._live.discard(task)
        self.ended += 1
        self.failed += not task.cancelled() and task.exception() is not None


class Person:
    """One caller with a script, and whoever is on the other side of it."""

    def __init__(self, switch: SimulatedSwitch, script: Script, number: str, name: str, seed: int) -> None:
        self._switch = switch
        self._script = script
        self._number = number
        self._name = name
        self._heard = 0
        self._random = random.Random(seed)  # noqa: S311 - as above

    async def call(self) -> None:
        """The whole call, until it ends by the script or by anybody else's hand."""
        script = self._script
        call = await self._switch.call(caller=self._number, did=script.did, name=self._name, code=script.code)
        if script.code:
            await call.park()
        await self._wait(call, self._random.uniform(0.5, 1.5))
        if script.answered and script.code and not script.led:
            await call.answer()
            await call.listen(vendor=script.vendor)
        for step in script.steps:
            if not call.alive:
                break
            await self._do(call, step)
        if call.alive:
            await call.hang_up()
        await call.ended()
        if script.late:
            await call.say(script.late, vendor=script.vendor)

    async def _do(self, call: SimulatedCall, step: Step) -> None:
        match step:
            case Line():
                await self._say(call, step)
            case Prompt(path, seconds):
                await call.play(path, seconds=seconds)
            case Listen(patience):
                await self._listen(call, patience)
            case Keys(digits):
                await self._wait(call, self._think())
                await call.dtmf(digits)
            case Pause(seconds):
                await self._wait(call, seconds)
            case Connect(number, rings):
                if await call.bridge(number, rings=rings):
                    await self._listen_to_both(call)
            case Reach(patience):
                await self._reach(call, patience)
            case Hold(seconds):
                await call.hold(True, side="callee")
                await self._wait(call, seconds)
                await call.hold(False, side="callee")
            case Transfer(number):
                await call.transfer(number)
                await self._listen_to_both(call)
            case Consult():
                await self._consult(call, step)
            case HangUp():
                await self._hang_up(call, step)

    async def _hang_up(self, call: SimulatedCall, step: HangUp) -> None:
        if step.who == "caller":
            await call.hang_up(step.cause)
        else:
            (call.leg.bridged or call.leg).thread.hang_up(step.cause, by_far_end=call.leg.bridged is not None)

    async def _listen(self, call: SimulatedCall, patience: float) -> None:
        """Hear a prompt to its end, one that came meanwhile included."""
        leg = call.leg
        until = asyncio.get_running_loop().time() + patience / leg.core.speed
        try:
            async with asyncio.timeout_at(until):
                while leg.alive and leg.prompts <= self._heard:
                    leg.prompted.clear()
                    await leg.prompted.wait()
        except TimeoutError:
            if call.alive:
                await call.hang_up("ORIGINATOR_CANCEL")
        self._heard = leg.prompts

    async def _reach(self, call: SimulatedCall, patience: float) -> None:
        """Wait to be put through by a program beside the switch."""
        waited = 0.0
        while call.alive and call.leg.bridged is None and waited < patience:
            await self._wait(call, _GLANCE_SECONDS)
            waited += _GLANCE_SECONDS
        if call.leg.bridged is not None:
            await self._listen_to_both(call)
        elif call.alive:
            await call.hang_up("ORIGINATOR_CANCEL")

    async def _say(self, call: SimulatedCall, line: Line) -> None:
        """Think, speak, and be recognised: interims while speaking where the vendor has them, the final at the end."""
        if line.who == "app":
            await call.speak(line.text)
            return
        vendor = self._script.vendor
        side: Side = "callee" if line.who == "callee" else "caller"
        if side == "callee" and call.leg.bridged is None:
            return
        leg = call.side(side)
        await self._wait(call, self._think())
        zero = leg.recognisers.get(vendor)
        if zero is None:
            return
        start = leg.core.clock() - zero
        words = line.text.split()
        for count in range(1, len(words) + 1):
            await self._wait(call, speaking_time(line.text) / len(words))
            if not call.alive or not leg.alive:
                return
            final = count == len(words)
            if final or vendor != "brain_stt":
                text, end = " ".join(words[:count]), leg.core.clock() - zero
                await call.say(text, start=start, end=end, interim=not final, side=side, vendor=vendor)

    async def _consult(self, call: SimulatedCall, step: Consult) -> None:
        """Somebody else calls in, is parked, answered, and joined with the caller, whose callee leaves."""
        other = await self._switch.call(caller=step.number, did=step.did)
        await other.park()
        await self._wait(call, 1.0)
        await other.answer()
        await self._wait(call, 2.0)
        await call.merge(other)
        if other.alive and call.leg.bridged is None:
            await other.hang_up()
        await self._listen_to_both(call)

    async def _listen_to_both(self, call: SimulatedCall) -> None:
        await call.listen(vendor=self._script.vendor)
        if call.leg.bridged is not None:
            await call.listen(vendor=self._script.vendor, side="callee")

    async def _wait(self, call: SimulatedCall, seconds: float) -> None:
        """Let time pass, but no longer than the call lasts."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds / call.leg.core.speed):
                await call.leg.gone.wait()

    def _think(self) -> float:
        return self._random.uniform(*THINKING_SECONDS)
