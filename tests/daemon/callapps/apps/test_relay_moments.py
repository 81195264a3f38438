"""The caller of a relay hangs up at any moment: the app is told once, and nothing is left behind."""

from __future__ import annotations

import asyncio

import uvloop
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.callapps.contract import AppCall
from daemon.demo.switch import SimulatedSwitch
from daemon.secrets import Secrets
from tests.daemon.callapps.apps.relay_server import SECRET, Conversation, relay_server
from tests.daemon.callapps.moments import do_after
from tests.daemon.callapps.phone import Phone, apps


async def unused(call: AppCall) -> None:
    raise AssertionError("this call is for the relay")


async def lead(conversation: Conversation) -> None:
    await conversation.say("어서 오세요")
    await conversation.ask("무엇을 드릴까요", choices=["장미", "튤립"])
    await conversation.say("알겠습니다", interruptible=True)
    await conversation.hang_up("안녕히 가세요")


async def hung_up_after(events: int, turns: int) -> None:
    """The caller hangs up so many turns of the loop after the switch has fired its so-manieth event."""
    switch = SimulatedSwitch(speed=500.0)
    await switch.start()
    async with relay_server(lead) as app:
        options = {"url": app.url, "private_networks": ["127.0.0.0/8"]}
        config = apps(use="relay", options=options, no_input=0.02, end_silence=0.01, cleanup=1.0)
        phone = Phone(switch, unused, config, secrets=Secrets({"PARLEY_CALLAPP_ORDER_SECRET": SECRET}))
        await phone.start()
        try:
            call = await switch.call(code="order-app")
            do_after(switch, events, turns, lambda: call.leg.thread.hang_up("NORMAL_CLEARING", by_far_end=True))
            await call.park()
            async with asyncio.timeout(30):
                await call.ended()
                await phone.following.until(lambda: phone.following.state(call.leg_id) == "ended")
            await phone.idle()
            await app.over(len(app.calls))
            for conversation in app.calls:
                ends = [one["reason"] for one in conversation.got if one["type"] == "end"]
                assert ends in (["caller_hangup"], ["completed"], [])
                # An app that was dialled and heard nothing at all was let go before it was told that it was.
                assert ends or not conversation.got
            assert phone.call(call).outcome in ("", "hung_up", "completed")
            assert phone.saying(call) == []
            assert call.leg.listening == []
            assert phone.room._runs == {}
        finally:
            await phone.stop()
            await switch.stop()


@settings(max_examples=40)
@given(st.integers(1, 40), st.integers(1, 40))
@example(400, 1)
def test_at_any_moment(events: int, turns: int) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(hung_up_after(events, turns))
