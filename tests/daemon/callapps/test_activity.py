"""What people see an app do, as it changes and no oftener."""

from __future__ import annotations

import asyncio

import pytest

from daemon.callapps.contract import AppCall
from daemon.callapps.ending import Ending, state_after
from daemon.calls.call import AppMoved, AppState, CallChanged
from daemon.config import CallAppConfig
from daemon.demo.switch import SimulatedSwitch
from tests.daemon.callapps.conftest import Answer
from tests.daemon.callapps.phone import CODE, SCRIPTED, Phone, apps, ended


class Seen:
    """The states of a call's app, as they were published, each once; and how often only that was told."""

    def __init__(self, phone: Phone) -> None:
        self.states: list[AppState] = []
        self.moves = 0
        self._changed = asyncio.Event()
        phone.following.hub.tap((CallChanged, AppMoved), self._see)

    def _see(self, message: CallChanged | AppMoved) -> None:
        state = message.call.app_state
        if isinstance(message, AppMoved):
            self.moves += 1
            assert state is not None
            assert state is not self.states[-1], "told again, and nothing has changed"
        if state is not None and [state] != self.states[-1:]:
            self.states.append(state)
            self._changed.set()

    async def until(self, state: AppState) -> None:
        """Wait until it does that."""
        async with asyncio.timeout(30):
            while self.states[-1:] != [state]:
                self._changed.clear()
                await self._changed.wait()


async def test_a_call_from_its_start_to_its_end(answer: Answer) -> None:
    looked_up = asyncio.Event()

    async def app(call: AppCall) -> None:
        await call.answer()
        await call.listen("안녕하세요")
        await looked_up.wait()
        await call.say("찾았습니다")
        await call.hold()
        await asyncio.sleep(0)
        await call.hold(False)
        await call.transfer("1001")

    phone = await answer(app, apps(no_input=5.0))
    seen = Seen(phone)
    call = await phone.ring()
    await seen.until(AppState.LISTENING)
    await call.say("담당자 바꿔 주세요")
    await seen.until(AppState.WORKING)
    looked_up.set()
    await phone.idle()
    assert seen.states == [
        AppState.STARTING,
        AppState.WORKING,
        AppState.SPEAKING,
        AppState.LISTENING,
        AppState.WORKING,
        AppState.SPEAKING,
        AppState.WORKING,
        AppState.HOLDING,
        AppState.WORKING,
        AppState.HANDED_OVER,
    ]
    assert seen.moves == len(seen.states) - 2
    assert phone.call(call).app_ending == "handed_on"


async def test_a_prompt_and_the_listening_after_it_have_nothing_between(answer: Answer) -> None:
    async def app(call: AppCall) -> None:
        await call.answer()
        for _ in range(3):
            await call.listen("듣고 있습니다")

    phone = await answer(app, apps(no_input=0.05))
    seen = Seen(phone)
    call = await phone.ring()
    await ended(call)
    await phone.until_outcome(call, "returned")
    speaking_and_listening = [AppState.SPEAKING, AppState.LISTENING] * 3
    assert [state for state in seen.states if state in speaking_and_listening] == speaking_and_listening
    assert seen.states[-1] is AppState.ENDED


@pytest.mark.parametrize(
    ("does", "ending", "state"),
    [
        ("raise", "failed", AppState.FALLEN_BACK),
        ("wait", "late", AppState.FALLEN_BACK),
        ("wait", "hung_up", AppState.ENDED),
        ("return", "returned", AppState.ENDED),
    ],
)
async def test_why_it_ended_stands_in_the_record(answer: Answer, does: str, ending: str, state: AppState) -> None:
    async def app(call: AppCall) -> None:
        call.outcome = "in its own words"
        await call.answer()
        if does == "raise":
            raise LookupError
        if does == "wait":
            await asyncio.Event().wait()

    phone = await answer(app, apps(deadline=0.1 if ending == "late" else 30.0))
    call = await phone.ring()
    await phone.following.until(lambda: phone.script.calls and call.leg.listening)
    if ending == "hung_up":
        await call.hang_up()
    await phone.idle()
    record = phone.call(call)
    assert (record.app_ending, record.app_state) == (ending, state)
    assert record.outcome == (ending if state is AppState.FALLEN_BACK else "in its own words")


@pytest.mark.parametrize("ending", Ending)
def test_every_ending_leaves_a_state(ending: Ending) -> None:
    assert state_after(ending.value) in (AppState.HANDED_OVER, AppState.FALLEN_BACK, AppState.ENDED)


@pytest.mark.parametrize("unknown", ["", "of a later version"])
def test_what_is_no_ending_leaves_none(unknown: str) -> None:
    assert state_after(unknown) is None


async def test_an_app_that_ends_after_the_next_one_began(switch: SimulatedSwitch, answer: Answer) -> None:
    switch.exchange.dialplan["9001"] = [("set_profile_var", "code=second"), ("park", "")]
    write, written = asyncio.Event(), asyncio.Event()

    async def app(call: AppCall) -> None:
        await call.answer()
        if call.code == CODE:
            await call.transfer("9001")
            await write.wait()
            written.set()
        else:
            await call.hold()
            await asyncio.Event().wait()

    phone = await answer(app, apps(CallAppConfig(name="second", use=SCRIPTED, codes=["second"]), cleanup=3600.0))
    seen = Seen(phone)
    call = await phone.ring()
    await seen.until(AppState.HOLDING)
    first, second = phone.room.live
    write.set()
    await written.wait()
    async with asyncio.timeout(30):
        while first in phone.room.live:
            await asyncio.wait(list(phone.room._tasks), return_when=asyncio.FIRST_COMPLETED)
    record = phone.call(call)
    assert (record.app, record.app_state, record.app_ending) == (second.name, AppState.HOLDING, "")
    await call.hang_up()
