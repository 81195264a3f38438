"""The caller hangs up at any moment: the app ends there, cleans up, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import uvloop
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.callapps.contract import AppCall
from daemon.demo.channel import Channel
from daemon.demo.event import Event
from daemon.demo.switch import SimulatedSwitch
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
        fired = 0

        def count(event: Event) -> None:
            nonlocal fired
            fired += 1
            if fired == events:
                hang_up(call.leg, turns)

        def hang_up(leg: Channel, later: int) -> None:
            if later:
                asyncio.get_running_loop().call_soon(hang_up, leg, later - 1)
            else:
                leg.thread.hang_up("NORMAL_CLEARING", by_far_end=True)

        switch.core.listen(count)
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
