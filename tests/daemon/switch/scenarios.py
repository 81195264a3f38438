"""The histories that tests take a switch through: the demo's scripts, what else can happen to calls, and recordings."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from daemon.demo.callers import Person
from daemon.demo.dialogues import SCRIPTS
from daemon.demo.exchange import Destination
from daemon.demo.originate import originate
from daemon.demo.script import Script
from daemon.demo.switch import SimulatedSwitch
from tests.daemon.switch.history import History
from tests.wire import recordings

T = TypeVar("T")

Scenario = Callable[[SimulatedSwitch], AsyncIterator[None]]
"""Does something to the switch and yields when that is done."""

_AT_ONCE = 24

SPEED = 2000.0
"""How many times faster than people the scenarios go."""


def scripted(script: Script) -> Scenario:
    """One caller who keeps to ``script``."""

    async def run(switch: SimulatedSwitch) -> AsyncIterator[None]:
        await Person(switch, script, "01012345678", "홍길동", seed=1).call()
        yield

    return run


async def originated(switch: SimulatedSwitch) -> AsyncIterator[None]:
    """A command calls somebody, who answers, is parked, and hears and says something."""
    output = await originate(switch.exchange, "{origination_caller_id_name=Parley}sofia/external/1001 &park()")
    leg = switch.exchange.channel(output.split()[1])
    assert leg is not None
    yield
    leg.add_bug("brain_stt")
    yield
    await leg.thread.run("speak", "tts|ko|안녕하세요", loops=1)
    yield
    leg.thread.hang_up("NORMAL_CLEARING", by_far_end=True)


async def parked_anew(switch: SimulatedSwitch) -> AsyncIterator[None]:
    """A parked caller is transferred to another number, whose dialplan parks it with another code."""
    switch.exchange.dialplan["9001"] = [("set_profile_var", "code=other-app"), ("park", "")]
    call = await switch.call(caller="01012345678", did="07000001004", name="홍길동", code="dev-app")
    await call.park()
    yield
    await call.answer()
    yield
    await call.listen()
    await call.say("하나")
    yield
    await call.transfer("9001")
    yield
    await call.say("둘")
    yield
    await call.hang_up()
    yield


async def consulted(switch: SimulatedSwitch) -> AsyncIterator[None]:
    """An attended transfer: the one who was called holds the caller, calls another, and leaves the two together."""
    call = await switch.call(caller="01012345678", did="07000001004", name="홍길동", code="dev-app")
    await call.park()
    yield
    await call.answer()
    yield
    await call.listen()
    await call.bridge("1001")
    yield
    await call.say("바꿔 주세요")
    yield
    await call.hold()
    yield
    other = await switch.call(caller="1001", did="1002")
    await other.answer()
    yield
    await other.bridge("1002")
    yield
    await other.say("손님입니다")
    yield
    await call.hold(False)
    yield
    assert other.callee_leg is not None
    switch.exchange.join(call.leg, other.callee_leg, by_command=True)
    yield
    await call.say("네")
    yield
    await call.hang_up()
    yield


async def nobody_answers(switch: SimulatedSwitch) -> AsyncIterator[None]:
    """A caller is put through to somebody who is busy, while another is on a call all along."""
    other = await switch.call(caller="01000000002", did="07000001009", code="qa-app")
    await other.park()
    yield
    call = await switch.call(caller="01012345678", did="07000001004", code="dev-app")
    await call.park()
    yield
    await call.answer()
    yield
    switch.exchange.destinations["1009"] = Destination(answers=False, cause="USER_BUSY")
    await call.transfer("1009")
    yield
    await other.hang_up("ORIGINATOR_CANCEL")
    yield


async def restarted(switch: SimulatedSwitch) -> AsyncIterator[None]:
    """The switch dies with a call on it, and another comes to the one that is started after it."""
    call = await switch.call(caller="01012345678", did="07000001004", code="dev-app")
    await call.park()
    yield
    await call.answer()
    yield
    await call.say("하나")
    yield
    await call.bridge("1001")
    yield
    await switch.stop()
    yield
    call = await switch.call(caller="01012345678", did="07000001004", code="dev-app")
    await call.park()
    yield
    await call.answer()
    yield
    await call.say("둘")
    yield
    await call.hang_up()
    yield


SCENARIOS: dict[str, Scenario] = {
    **{script.name: scripted(script) for script in SCRIPTS},
    **{run.__name__: run for run in (originated, parked_anew, consulted, nobody_answers, restarted)},
}

WITHOUT_CALLS = ("04a_", "04b_", "04d_", "04e_other", "04g_other", "04i_", "07d_")

HISTORIES = [*SCENARIOS, *(name for name in recordings.esl() if not name.startswith(WITHOUT_CALLS))]


class _Watched(SimulatedSwitch):
    """Takes down all that happens on it, whichever core it has by then."""

    def __init__(self, history: History) -> None:
        self._history = history
        super().__init__(speed=SPEED)

    def _begin(self) -> None:
        super()._begin()
        self._history.follow(self.core)


async def history_of(name: str) -> History:
    """What happens in the scenario of that name, or happened in the recording."""
    if name.endswith(".esl"):
        return History.recorded(name)
    history = History()
    switch = _Watched(history)
    async for _ in SCENARIOS[name](switch):
        await asyncio.sleep(0)
    await switch.core.close()
    return history


async def many(test: Callable[[T], Awaitable[None]], cases: Sequence[T], *, at_most: int | None) -> None:
    """Run ``test`` on every one of ``cases``, several at a time; on no more than ``at_most`` of them, from all over."""
    chosen = list(cases)
    if at_most is not None and len(chosen) > at_most:
        chosen = random.Random(len(chosen)).sample(chosen, at_most)
    waiting = iter(chosen)

    async def worker() -> None:
        for case in waiting:
            await test(case)

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(worker())
