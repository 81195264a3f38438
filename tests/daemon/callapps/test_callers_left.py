"""No caller of ours is left in silence, and nobody else's is touched."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from daemon.callapps.contract import AppCall, CommandFailedError, GivenUpError
from daemon.calls.links import LinkState
from daemon.config import FallbackConfig
from daemon.demo.switch import SimulatedSwitch
from tests.daemon.callapps.conftest import Answer
from tests.daemon.callapps.phone import ANNOUNCEMENT, MUSIC, PERSON, Phone, apps, ended, plays

NUMBER = "01012345678"


async def greeting(call: AppCall) -> None:
    await call.answer()
    await call.hang_up("안녕하세요")


async def for_ever(call: AppCall) -> None:
    await call.answer()
    await asyncio.Event().wait()


async def reached_a_person(phone: Phone, leg_id: str) -> None:
    await phone.following.until(lambda: phone.following.state(leg_id) == "bridged")
    channel = phone.switch.core.channels[leg_id]
    assert channel.bridged is not None
    assert channel.bridged.profile.destination == PERSON
    assert "parley_app" not in channel.variables


async def test_an_app_that_raises(answer: Answer) -> None:
    async def app(call: AppCall) -> None:
        await call.answer()
        raise LookupError(f"nothing is known of {call.caller}")

    phone = await answer(app)
    with capture_logs() as logs:
        call = await phone.ring(caller=NUMBER)
        await reached_a_person(phone, call.leg_id)
        await phone.idle()
    assert phone.said(call) == [ANNOUNCEMENT]
    assert (phone.call(call).app, phone.call(call).outcome) == ("order", "failed")
    assert call.leg.listening == []
    (failed,) = [log for log in logs if log["event"] == "callapp_failed"]
    assert failed["error"] == "LookupError"
    assert failed["at"].startswith("test_callers_left.py:")
    assert NUMBER not in str(logs)
    assert ANNOUNCEMENT not in str(logs)


async def test_an_app_that_gives_its_caller_up(answer: Answer) -> None:
    async def app(call: AppCall) -> None:
        await call.answer()
        raise GivenUpError("not_found")

    phone = await answer(app)
    with capture_logs() as logs:
        call = await phone.ring()
        await reached_a_person(phone, call.leg_id)
        await phone.idle()
    assert phone.said(call) == [ANNOUNCEMENT]
    assert phone.call(call).outcome == "not_found"
    assert [log["event"] for log in logs if log["log_level"] == "error"] == []


async def test_what_an_app_that_gives_up_said_of_its_outcome_counts(answer: Answer) -> None:
    async def app(call: AppCall) -> None:
        call.outcome = "half done"
        raise GivenUpError("not_found")

    phone = await answer(app)
    call = await phone.ring()
    await reached_a_person(phone, call.leg_id)
    assert phone.call(call).outcome == "half done"


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, asyncio.CancelledError])
async def test_an_app_that_wants_to_end_more_than_itself(answer: Answer, error: type[BaseException]) -> None:
    async def app(call: AppCall) -> None:
        raise error

    phone = await answer(app)
    call = await phone.ring()
    await reached_a_person(phone, call.leg_id)
    assert phone.call(call).outcome == "failed"


async def test_an_app_past_its_deadline(answer: Answer) -> None:
    cleaned = asyncio.Event()

    async def app(call: AppCall) -> None:
        try:
            await for_ever(call)
        finally:
            cleaned.set()

    phone = await answer(app, apps(deadline=0.1))
    call = await phone.ring()
    await reached_a_person(phone, call.leg_id)
    assert phone.call(call).outcome == "late"
    assert cleaned.is_set()


async def test_an_app_that_does_not_let_itself_be_ended(answer: Answer) -> None:
    leave = asyncio.Event()

    async def app(call: AppCall) -> None:
        while not leave.is_set():
            try:
                await leave.wait()
            except asyncio.CancelledError:
                continue

    phone = await answer(app, apps(deadline=0.05, cleanup=0.05))
    with capture_logs() as logs:
        call = await phone.ring()
        await reached_a_person(phone, call.leg_id)
    leave.set()
    assert "callapp_will_not_end" in [log["event"] for log in logs]


async def test_an_app_that_just_returns(answer: Answer) -> None:
    async def app(call: AppCall) -> None:
        await call.answer()

    phone = await answer(app)
    call = await phone.ring()
    assert await ended(call) == "NORMAL_CLEARING"
    await phone.until_outcome(call, "returned")
    assert call.leg.listening == []
    assert phone.said(call) == []


async def test_a_fallback_without_a_person_ends_the_call(answer: Answer) -> None:
    async def app(call: AppCall) -> None:
        raise LookupError

    phone = await answer(app, apps(fallback=FallbackConfig(announcement=ANNOUNCEMENT, file="/srv/sorry.wav")))
    call = await phone.ring()
    assert await ended(call) == "NORMAL_CLEARING"
    await phone.until_said(call, ANNOUNCEMENT)
    assert call.leg.last_app == ("playback", "/srv/sorry.wav")
    assert call.leg.times.answered > 0


async def test_an_announcement_that_takes_too_long_is_cut_off(switch: SimulatedSwitch, answer: Answer) -> None:
    async def app(call: AppCall) -> None:
        raise LookupError

    switch.core.speed = 0.01
    fallback = FallbackConfig(announcement=ANNOUNCEMENT, extension=PERSON, patience=0.1)
    phone = await answer(app, apps(fallback=fallback))
    call = await phone.ring()
    await phone.following.until(lambda: any(text.endswith("]") for text in phone.said(call)))
    switch.core.speed = 1000.0
    await reached_a_person(phone, call.leg_id)


async def test_an_app_may_survive_a_command_that_is_refused(answer: Answer) -> None:
    refused: list[str] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        try:
            await call.transfer("no such number")
        except CommandFailedError as error:
            refused.append(error.command)
        try:
            await call.bridge("no-such-leg")
        except CommandFailedError as error:
            refused.append(error.command)
        await call.hang_up("안녕히 계세요")

    phone = await answer(app)
    call = await phone.ring()
    await ended(call)
    assert refused == ["transfer", "bridge"]
    assert phone.said(call) == ["안녕히 계세요"]


async def test_calls_of_others_are_left_alone(switch: SimulatedSwitch, answer: Answer) -> None:
    not_ours = [{"code": "their-app"}, {"code": ""}, {"code": "order", "did": "0700000100"}]
    theirs = []
    for who in not_ours[:2]:
        theirs.append(await switch.call(**who))
        await theirs[-1].park()
    phone = await answer(greeting, apps(dids=["07000001001"]))
    for who in not_ours:
        theirs.append(await phone.ring(**who))
    await ended(await phone.ring())
    await phone.following.until(lambda: all(phone.following.state(call.leg_id) == "parked" for call in theirs))
    await phone.idle()
    assert len(phone.script.calls) == 1
    for call in theirs:
        assert call.leg.last_app == ("park", "")
        assert "parley_app" not in call.leg.variables
        assert call.leg.times.answered == 0
        assert phone.call(call).app == ""


async def test_calls_by_their_number(answer: Answer) -> None:
    phone = await answer(greeting, apps(dids=["07000001001"], did_patterns=["070000020.."]))
    for code, did in (("", "07000001001"), ("of-nobody-here", "07000001001"), ("", "07000002001")):
        await ended(await phone.ring(code=code, did=did))
    assert [call.did for call in phone.script.calls] == ["07000001001", "07000001001", "07000002001"]


async def test_a_default_takes_what_is_parked_for_nobody(answer: Answer) -> None:
    phone = await answer(greeting, apps(codes=[], default="order"))
    await ended(await phone.ring(code="some-app"))
    await ended(await phone.ring(code=""))


async def test_more_calls_than_apps_may_lead(answer: Answer) -> None:
    phone = await answer(for_ever, apps(at_once=1))
    first = await phone.ring()
    await phone.following.until(lambda: phone.script.calls)
    second = await phone.ring()
    await reached_a_person(phone, second.leg_id)
    assert phone.call(second).outcome == "refused"
    assert len(phone.script.calls) == 1
    await first.hang_up()


async def test_many_calls_at_once(answer: Answer) -> None:
    async def app(call: AppCall) -> None:
        await call.answer()
        heard = await call.listen("성함을 말씀해 주세요")
        await call.hang_up(f"{heard.text} 고객님 감사합니다")

    phone = await answer(app, apps(no_input=5.0))
    calls = [await phone.ring() for _ in range(20)]
    for number, call in enumerate(calls):
        await phone.until_said(call, "성함을 말씀해 주세요")
        await call.say(f"{number} 번")
    for number, call in enumerate(calls):
        assert await ended(call) == "NORMAL_CLEARING"
        assert phone.said(call)[1:] == [f"{number} 번", f"{number} 번 고객님 감사합니다"]


async def test_parley_is_killed_in_the_middle_of_a_call(switch: SimulatedSwitch, answer: Answer) -> None:
    switch.core.speed = 1.0
    phone = await answer(for_ever)
    listening = await phone.ring()
    await phone.following.until(lambda: phone.script.calls)
    theirs = await phone.ring(code="their-app")
    await phone.following.until(lambda: listening.leg.listening)
    await phone.die()
    waiting = await phone.ring(caller="01012340001")
    switch.core.speed = 30.0

    later = await answer(greeting)
    await reached_a_person(later, listening.leg_id)
    assert later.said(listening) == [ANNOUNCEMENT]
    assert (later.call(listening).app, later.call(listening).outcome) == ("order", "lost")
    assert listening.leg.listening == []
    # Nobody had begun with this one, so nothing of it is lost.
    await ended(waiting)
    assert [call.caller for call in later.script.calls] == ["01012340001"]
    assert theirs.alive
    assert theirs.leg.last_app == ("park", "")


async def test_what_another_parley_leads_is_not_lost(switch: SimulatedSwitch, answer: Answer) -> None:
    phone = await answer(for_ever)
    call = await phone.ring()
    await phone.following.until(lambda: call.leg.listening)
    other = await answer(greeting, apps(codes=["other-app"]), instance="elsewhere")
    await other.following.until(lambda: other.following.state(call.leg_id))
    await ended(await phone.ring(code="other-app"))
    assert call.alive
    assert call.leg.last_app == ("answer", "")
    assert len(other.script.calls) == 1


async def test_the_link_comes_back_before_the_app_needs_it(switch: SimulatedSwitch, answer: Answer) -> None:
    reconnected = asyncio.Event()

    async def app(call: AppCall) -> None:
        await call.answer()
        await reconnected.wait()
        await call.hang_up("안녕히 계세요")

    phone = await answer(app)
    call = await phone.ring()
    await phone.following.until(lambda: call.leg.listening)
    switch.disconnect()
    await phone.following.until(lambda: phone.following.became(LinkState.AWAY))
    reconnected.set()
    assert await ended(call) == "NORMAL_CLEARING"
    await phone.until_said(call, "안녕히 계세요")


async def test_an_app_that_raises_while_the_switch_is_away(switch: SimulatedSwitch, answer: Answer) -> None:
    away = asyncio.Event()

    async def app(call: AppCall) -> None:
        await call.answer()
        await away.wait()
        raise LookupError

    phone = await answer(app)
    call = await phone.ring()
    await phone.following.until(lambda: call.leg.listening)
    await switch.refuse()
    switch.disconnect()
    await phone.following.until(lambda: phone.following.became(LinkState.AWAY))
    away.set()
    await phone.until_outcome(call, "failed")
    await switch.admit()
    await reached_a_person(phone, call.leg_id)
    assert phone.said(call) == [ANNOUNCEMENT]


async def test_the_link_is_lost_while_something_is_said(switch: SimulatedSwitch, answer: Answer) -> None:
    switch.core.speed = 1.0

    async def app(call: AppCall) -> None:
        await call.answer()
        await call.say("안녕하세요 무엇을")
        await call.hang_up("안녕히 계세요")

    phone = await answer(app)
    call = await phone.ring()
    await phone.until_saying(call, "안녕하세요 무엇을")
    switch.disconnect()
    switch.core.speed = 30.0
    assert await ended(call) == "NORMAL_CLEARING"
    await phone.until_outcome(call, "handed_on")
    await phone.until_said(call, "안녕히 계세요")


async def test_a_prompt_whose_end_is_never_told(switch: SimulatedSwitch, answer: Answer) -> None:
    async def app(call: AppCall) -> None:
        await call.answer()
        switch.end_silently()
        assert (await call.say("안녕하세요")).heard == "안녕하세요"
        await call.hang_up("안녕히 계세요")

    phone = await answer(app)
    call = await phone.ring()
    await ended(call)
    await phone.until_outcome(call, "handed_on")
    await phone.until_said(call, "안녕히 계세요")
    assert phone.said(call) == ["안녕하세요", "안녕히 계세요"]


async def test_a_caller_who_vanished_without_a_word(switch: SimulatedSwitch, answer: Answer) -> None:
    cleaned = asyncio.Event()

    async def app(call: AppCall) -> None:
        try:
            await for_ever(call)
        finally:
            cleaned.set()

    phone = await answer(app, apps(vanished_after=0.05))
    call = await phone.ring()
    await phone.following.until(lambda: phone.script.calls)
    switch.core.channels.pop(call.leg_id)
    await phone.until_outcome(call, "hung_up")
    await phone.idle()
    assert cleaned.is_set()
    assert phone.following.state(call.leg_id) == "ended"


async def test_a_caller_who_is_gone_when_sent_on(switch: SimulatedSwitch, answer: Answer) -> None:
    async def app(call: AppCall) -> None:
        await call.answer()
        seen = iter([switch.core.channels.popitem()[1]])
        switch.exchange.channel = lambda uuid: next(seen, None)  # type: ignore[method-assign]
        await call.transfer(PERSON)

    phone = await answer(app, apps(recogniser="", cleanup=3600.0))
    call = await phone.ring()
    await phone.following.until(lambda: phone.script.calls)
    await phone.until_outcome(call, "hung_up")
    await phone.idle()


async def test_nobody_waits_for_a_command_after_the_app_has_sent_its_caller_on(answer: Answer) -> None:
    async def app(call: AppCall) -> None:
        await call.answer()
        await call.transfer(PERSON)
        await call.say("이 말은 나가지 않습니다")

    phone = await answer(app, apps(cleanup=3600.0))
    call = await phone.ring()
    await reached_a_person(phone, call.leg_id)
    await phone.idle()
    assert phone.call(call).outcome == "handed_on"
    await call.hang_up()


async def test_somebody_else_sends_the_caller_elsewhere(answer: Answer) -> None:
    phone = await answer(for_ever)
    call = await phone.ring()
    await phone.following.until(lambda: phone.script.calls)
    await call.transfer("1002")
    await phone.until_outcome(call, "taken_over")
    await phone.idle()
    assert call.leg.bridged is not None
    assert "parley_app" not in call.leg.variables
    assert phone.said(call) == []
    await call.hang_up()


async def test_what_is_played_elsewhere_is_not_broken_off(switch: SimulatedSwitch, answer: Answer) -> None:
    switch.exchange.dialplan["1002"] = [("playback", MUSIC)]

    async def app(call: AppCall) -> None:
        await call.answer()
        await call.say("안녕하세요 무엇을 도와드릴까요" * 5)

    phone = await answer(app)
    call = await phone.ring()
    await phone.following.until(lambda: phone.saying(call))
    switch.exchange.transfer(call.leg, "1002")
    await phone.until_outcome(call, "taken_over")
    await phone.idle()
    await plays(call, MUSIC)
    await call.hang_up()


async def test_a_recogniser_that_was_not_started_is_started_again(switch: SimulatedSwitch, answer: Answer) -> None:
    refused: list[str] = []

    async def app(call: AppCall) -> None:
        (leg,) = switch.core.channels.values()
        known = iter([leg, None])
        switch.exchange.channel = lambda uuid: next(known, leg)  # type: ignore[method-assign]
        try:
            await call.answer()
        except CommandFailedError as error:
            refused.append(error.command)
        await call.answer()
        assert leg.listening == ["brain_stt"]
        await call.hang_up("안녕히 계세요")

    phone = await answer(app)
    call = await phone.ring()
    await ended(call)
    assert refused == ["start_recogniser"]
    assert phone.said(call) == ["안녕히 계세요"]


async def test_giving_up_a_caller_who_has_hung_up_is_no_mistake(answer: Answer) -> None:
    async def app(call: AppCall) -> None:
        await call.answer()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise GivenUpError("not_found") from None

    phone = await answer(app)
    with capture_logs() as logs:
        call = await phone.ring()
        await phone.following.until(lambda: call.leg.listening)
        await call.hang_up()
        await phone.idle()
        await phone.following.until(lambda: phone.call(call).app_ending == "hung_up")
    assert [log["event"] for log in logs if log["log_level"] != "info"] == []


async def test_stopping_lets_apps_end_and_sends_the_rest_on(switch: SimulatedSwitch, answer: Answer) -> None:
    go_on = asyncio.Event()
    quick, slow = "quick", "slow"

    async def app(call: AppCall) -> None:
        await call.answer()
        await go_on.wait()
        if call.caller == slow:
            await asyncio.Event().wait()
        await call.hang_up("안녕히 계세요")

    phone = await answer(app)
    calls = {name: await phone.ring(caller=name) for name in (quick, slow)}
    await phone.following.until(lambda: len(phone.script.calls) == 2)
    phone.room.refuse()
    late = await phone.ring(caller="late")
    closing = asyncio.create_task(phone.room.close(1.0))
    await reached_a_person(phone, late.leg_id)
    go_on.set()
    await ended(calls[quick])
    await reached_a_person(phone, calls[slow].leg_id)
    await closing
    outcomes = [phone.call(call).outcome for call in (calls[quick], calls[slow], late)]
    assert outcomes == ["handed_on", "stopped", "refused"]
    assert phone.said(calls[quick]) == ["안녕히 계세요"]
