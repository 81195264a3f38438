"""The caller hangs up at any moment: the app ends there, cleans up, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import uvloop
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.callapps.contract import AppCall
from daemon.demo.exchange import Destination
from daemon.demo.switch import SimulatedSwitch
from tests.daemon.callapps.moments import do_after
from tests.daemon.callapps.phone import Phone, apps

LAST = "9999"


class Telephone:
    """An app that uses all of it, and how it ended."""

    def __init__(self) -> None:
        self.begun = 0
        self.cleaned = 0
        self.closed = 0

    async def sentences(self) -> AsyncIterator[str]:
        try:
            for sentence in ("첫 문장입니다.", "둘째 문장입니다."):
                yield sentence
                await asyncio.sleep(0.002)
        finally:
            self.closed += 1

    async def lead(self, call: AppCall) -> None:
        self.begun += 1
        try:
            await call.answer()
            await call.say(self.sentences())
            await call.listen("무엇을 도와드릴까요", no_input=0.01)
            await call.collect("번호를 눌러 주세요", no_input=0.01)
            await call.play("/srv/sounds/hold.wav")
            await call.record("/srv/recordings/a.wav")
            await call.ask("예약인가요", ["예약", "취소"], tries=1)
            await call.transfer(LAST)
        finally:
            self.cleaned += 1
            await call.hang_up()


async def hung_up_after(events: int, turns: int) -> None:
    """The caller hangs up so many turns of the loop after the switch has fired its so-manieth event."""
    switch = SimulatedSwitch(speed=500.0)
    await switch.start()
    switch.exchange.dialplan[LAST] = [("hangup", "NORMAL_CLEARING")]
    telephone = Telephone()
    phone = Phone(switch, telephone.lead, apps(no_input=0.02, end_silence=0.01))
    await phone.start()
    try:
        call = await switch.call(code="order-app")
        do_after(switch, events, turns, lambda: call.leg.thread.hang_up("NORMAL_CLEARING", by_far_end=True))
        await call.park()
        async with asyncio.timeout(30):
            await call.ended()
            await phone.following.until(lambda: phone.following.state(call.leg_id) == "ended")
        await phone.idle()
        assert telephone.cleaned == telephone.begun <= 1
        assert telephone.closed <= 1
        assert phone.saying(call) == []
        assert call.leg.listening == []
        assert phone.room._runs == {}
        assert phone.call(call).outcome in ("", "hung_up", "handed_on")
        assert phone.following.switch._commands._words == {}
        assert phone.following.switch._commands._executions_of == {}
    finally:
        await phone.stop()
        await switch.stop()


@settings(max_examples=50)
@given(st.integers(1, 45), st.integers(1, 30))
@example(1, 1)
@example(400, 1)
def test_at_any_moment(events: int, turns: int) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(hung_up_after(events, turns))


class Desk:
    """An app that puts the caller through, and goes on where that fails."""

    def __init__(self) -> None:
        self.begun = 0
        self.cleaned = 0

    async def lead(self, call: AppCall) -> None:
        self.begun += 1
        try:
            await call.answer()
            await call.put_through(LAST, words="연결합니다", announcement="문의입니다", ring_time=20.0)
        finally:
            self.cleaned += 1


async def parted_after(events: int, turns: int, *, person: bool, answers: bool) -> None:
    """The caller, or the ``person`` who is rung, hangs up so many turns of the loop after that event of the switch."""
    switch = SimulatedSwitch(speed=500.0)
    await switch.start()
    switch.exchange.destinations[LAST] = Destination(rings=2.0, answers=answers, cause="USER_BUSY")
    desk = Desk()
    phone = Phone(switch, desk.lead, apps(hold_music="local_stream://moh"))
    await phone.start()
    try:
        call = await switch.call(code="order-app")

        def hang_up() -> None:
            for leg in list(switch.core.channels.values()):
                if leg.outbound is person:
                    leg.thread.hang_up("NORMAL_CLEARING", by_far_end=True)

        do_after(switch, events, turns, hang_up)
        await call.park()
        await phone.following.until(lambda: desk.cleaned or phone.following.state(call.leg_id) == "ended")
        await call.hang_up()
        await phone.idle()
        async with asyncio.timeout(30):
            for leg in list(switch.core.channels.values()):
                await leg.gone.wait()
        assert switch.core.channels == {}
        assert desk.cleaned == desk.begun <= 1
        assert phone.room._runs == {}
        assert phone.following.switch._commands._executions_of == {}
    finally:
        await phone.stop()
        await switch.stop()


@settings(max_examples=50)
@given(st.integers(1, 70), st.integers(1, 30), st.booleans(), st.booleans())
@example(400, 1, False, True)
@example(400, 1, True, False)
def test_no_leg_is_left_behind(events: int, turns: int, person: bool, answers: bool) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(parted_after(events, turns, person=person, answers=answers))
