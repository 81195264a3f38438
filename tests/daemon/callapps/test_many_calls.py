"""Two hundred callers at once, each led to their own end."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from daemon.callapps.contract import AppCall
from daemon.demo.call import SimulatedCall
from daemon.demo.switch import SimulatedSwitch
from tests.daemon.callapps.conftest import Answer
from tests.daemon.callapps.phone import apps

CALLERS: Final = 1000 if os.environ.get("PARLEY_PROVE") else 200
QUESTION: Final = "주문이신가요?"


async def test_each_of_many_callers_is_answered_what_they_said(switch: SimulatedSwitch, answer: Answer) -> None:
    led: dict[str, list[str]] = {}

    async def app(call: AppCall) -> None:
        await call.answer()
        answer = await call.ask(QUESTION, ["주문", "배송", "상담"])
        led[call.caller] = [answer.choice or "", *(utterance.text for utterance in call.transcript)]
        call.outcome = answer.choice or ""
        await call.hang_up(f"{answer.choice} 도와드리겠습니다.")

    phone = await answer(app, apps(no_input=120.0, at_once=CALLERS))
    wanted = {f"0101234{number:04d}": ("주문", "배송", "상담")[number % 3] for number in range(CALLERS)}
    calls = {caller: await phone.ring(caller=caller) for caller in wanted}
    for call in calls.values():
        await phone.until_said(call, QUESTION)
    assert len(phone.room.live) == CALLERS

    async def speak(call: SimulatedCall, text: str) -> None:
        await call.say(text)
        await call.ended()

    async with asyncio.timeout(100):
        await asyncio.gather(*(speak(calls[caller], choice) for caller, choice in wanted.items()))
    await phone.idle()
    assert led == {caller: [choice, QUESTION, choice] for caller, choice in wanted.items()}
    for caller, choice in wanted.items():
        assert calls[caller].leg.hangup_cause == "NORMAL_CLEARING"
        assert phone.call(calls[caller]).outcome == choice
        assert phone.said(calls[caller]) == [QUESTION, choice, f"{choice} 도와드리겠습니다."]
