"""A switch followed through whatever happens to it and to the links."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from daemon.calls.call import Disposition
from daemon.calls.events import AppSpoke, DigitPressed, LegAppeared, LegEnded, SpeechRecognised
from daemon.calls.links import LinkState
from daemon.demo.switch import SimulatedSwitch
from daemon.health import Condition
from daemon.switch.event_link import SUBSCRIPTION
from tests.daemon.switch.following import Following

Follow = Callable[..., Following]

PROVE = os.environ.get("PARLEY_PROVE") == "1"


def command_client(switch: SimulatedSwitch) -> Any:
    return next(client for client in switch.clients if not client.subscription.listening)


def event_client(switch: SimulatedSwitch) -> Any:
    return next(client for client in switch.clients if client.subscription.listening)


async def parked(switch: SimulatedSwitch, **values: str) -> Any:
    call = await switch.call(**{"code": "dev-app", **values})
    await call.park()
    return call


# What is there


async def test_a_dialogue_is_followed(switch: SimulatedSwitch, follow: Follow) -> None:
    switch.core.speed = 1000.0
    following = follow(switch.port)
    await following.ready()
    call = await parked(switch, caller="01012345678", did="07000001004", name="홍길동")
    await call.answer()
    await call.speak("무엇을 도와드릴까요?")
    await call.say("금요일이요")
    await following.until(lambda: len(following.said(call.leg_id)) == 2)
    followed = following.call(call.leg_id)
    assert (followed.caller, followed.caller_name, followed.did, followed.code) == (
        "01012345678",
        "홍길동",
        "07000001004",
        "dev-app",
    )
    assert following.said(call.leg_id) == ["무엇을 도와드릴까요?", "금요일이요"]
    await call.hang_up()
    await following.until(lambda: following.state(call.leg_id) == "ended")
    await call.say("늦은 말")
    await following.until(lambda: len(following.said(call.leg_id)) == 3)
    assert following.call(call.leg_id).disposition is Disposition.ANSWERED


async def test_calls_that_are_up_already_appear(switch: SimulatedSwitch, follow: Follow) -> None:
    ringing = await switch.call(caller="01000000001")
    waiting = await parked(switch, caller="01000000002")
    played_to = await parked(switch, caller="01000000003")
    await played_to.answer()
    moved = await parked(switch, caller="01000000004", did="07000001009")
    await moved.answer()
    await moved.transfer("9664")
    one = await switch.call(caller="01000000005", code="dev-app")
    other = await switch.call(caller="01000000006", code="theirs")
    for call in (one, other):
        await call.answer()
        await call.park()
    await one.merge(other)
    held = await switch.call(caller="01000000007")
    await held.answer()
    await held.hold()

    following = follow(switch.port)
    await following.ready()
    assert following.state(ringing.leg_id) == "ringing"
    assert following.state(waiting.leg_id) == "parked"
    assert following.call(waiting.leg_id).code == "dev-app"
    assert following.call(played_to.leg_id).answered_at is not None
    assert (following.call(moved.leg_id).did, following.call(moved.leg_id).callee) == ("07000001009", "9664")
    assert following.state(one.leg_id) == "bridged"
    assert following.call(one.leg_id) is following.call(other.leg_id)
    assert following.call(one.leg_id).code == "dev-app"
    assert following.state(held.leg_id) == "held"
    assert sorted(following.recalled[0]) == sorted(switch.leg_ids())
    assert len(following.of(LegAppeared)) == len(switch.leg_ids())


async def test_a_leg_that_is_played_to_stays_parked(switch: SimulatedSwitch, follow: Follow) -> None:
    """The switch then names ``playback`` as the leg's application, in place of ``park``."""
    following = follow(switch.port)
    await following.ready()
    call = await parked(switch)
    await call.answer()
    playing = asyncio.create_task(call.play("/srv/sounds/very_long.wav", seconds=1000.0))
    await following.until(lambda: following.said(call.leg_id))
    switch.disconnect()
    await following.ready(2)
    assert following.state(call.leg_id) == "parked"
    playing.cancel()


async def test_events_that_race_a_snapshot_are_told_after_it(switch: SimulatedSwitch, follow: Follow) -> None:
    switch.core.speed = 1000.0
    ends, stays = await parked(switch), await parked(switch)
    following = follow(switch.port)
    await switch.subscribers()
    switch.hold_replies()
    comes = await parked(switch)
    await stays.answer()
    await stays.say("하나")
    await ends.hang_up("NORMAL_CLEARING")
    await stays.transfer("9664")
    await switch.flushed()
    switch.release_replies()
    await following.ready()
    await following.until(lambda: following.state(stays.leg_id) == "bridged")
    assert following.state(comes.leg_id) == "parked"
    assert following.call(stays.leg_id).callee == "9664"
    assert following.said(stays.leg_id) == ["하나"]
    for call in (ends, stays, comes):
        assert len([event for event in following.of(LegAppeared) if event.leg_id == call.leg_id]) <= 1
    assert following.state(ends.leg_id) in ("", "ended")


# Outages


async def test_what_happened_while_we_were_away(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    assert (await following.ready()).gap is None
    ended, stays = await parked(switch), await parked(switch)
    await stays.answer()
    await stays.say("하나")
    await following.until(lambda: following.said(stays.leg_id))
    await switch.refuse()
    switch.disconnect()
    await following.until(lambda: following.became(LinkState.AWAY))
    away = following.became(LinkState.AWAY)[0]
    assert away.last_event_at is not None
    await ended.hang_up()
    began = await parked(switch)
    await switch.admit()
    back = await following.ready(2)
    assert back.gap is not None
    assert back.gap > 0
    assert following.state(began.leg_id) == "parked"
    await following.until(lambda: following.state(ended.leg_id) == "ended")
    assert following.call(ended.leg_id).disposition is Disposition.LOST
    assert [(event.leg_id, event.while_away) for event in following.of(LegEnded)] == [(ended.leg_id, True)]
    await stays.say("둘")
    await following.until(lambda: len(following.said(stays.leg_id)) == 2)
    assert following.said(stays.leg_id) == ["하나", "둘"]
    assert following.switch.status.state is LinkState.READY


@pytest.mark.parametrize("how", ["kill", "term"])
async def test_a_restarted_switch_has_none_of_its_calls(how: Any, switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    calls = [await parked(switch), await parked(switch)]
    await following.until(lambda: all(following.state(call.leg_id) == "parked" for call in calls))
    await switch.restart(how)
    await following.ready(2)
    after = await parked(switch)
    await following.until(lambda: following.state(after.leg_id) == "parked")
    await following.until(lambda: all(following.state(call.leg_id) == "ended" for call in calls))
    ends = {event.leg_id: event for event in following.of(LegEnded)}
    assert set(ends) == {call.leg_id for call in calls}
    if how == "term":
        assert {event.cause for event in ends.values()} == {"SYSTEM_SHUTDOWN"}
        assert "shut down" in following.became(LinkState.AWAY)[0].detail
    else:
        assert all(event.while_away for event in ends.values())
    assert following.state(after.leg_id) == "parked"


async def test_cut_in_the_middle_of_an_event(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    call = await parked(switch)
    await call.answer()
    await call.say("하나")
    await following.until(lambda: following.said(call.leg_id))
    switch.cut_mid_frame(event_client(switch))
    await call.say("잘린 말")
    await following.ready(2)
    assert "within a frame" in following.became(LinkState.AWAY)[0].detail
    await call.say("둘")
    await following.until(lambda: len(following.said(call.leg_id)) == 2)
    assert following.said(call.leg_id) == ["하나", "둘"]
    assert following.state(call.leg_id) == "parked"


@pytest.mark.parametrize(("how", "words"), [("password", "refuses the password"), ("acl", "refuses our address")])
async def test_a_refusal_is_shown_as_one_and_tried_again(
    how: Any, words: str, switch: SimulatedSwitch, follow: Follow
) -> None:
    await switch.refuse(how)
    following = follow(switch.port)
    await following.until(lambda: following.became(LinkState.REFUSED))
    assert words in following.switch.status.detail
    assert following.switch.condition().condition is Condition.DEGRADED
    await switch.admit()
    await following.ready()


async def test_a_wrong_password_is_not_hammered(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port, password="wrong", refused_retry=1000.0)
    await following.until(lambda: following.became(LinkState.REFUSED))
    assert len(following.statuses) == 1


async def test_nobody_there_at_first(unused_tcp_port: int, follow: Follow) -> None:
    following = follow(unused_tcp_port)
    await following.until(lambda: following.became(LinkState.AWAY))
    assert "cannot connect" in following.switch.status.detail
    late = SimulatedSwitch(port=unused_tcp_port)
    await late.start()
    assert (await following.ready()).gap is None
    await late.stop()


@pytest.mark.parametrize("how", ["stall", "half_open"])
async def test_silence_is_an_outage(how: str, follow: Follow) -> None:
    switch = SimulatedSwitch(heartbeat=0.05)
    await switch.start()
    following = follow(switch.port, silence_timeout=0.5, connect_timeout=0.2)
    await following.ready()
    call = await parked(switch)
    await following.until(lambda: following.state(call.leg_id) == "parked")
    getattr(switch, how)()
    await following.until(lambda: following.became(LinkState.AWAY))
    assert "nothing was heard" in following.became(LinkState.AWAY)[0].detail
    await call.hang_up()
    switch.resume()
    await following.ready(2)
    await following.until(lambda: following.state(call.leg_id) == "ended")
    await switch.stop()


async def test_a_quiet_command_link_is_kept_alive(switch: SimulatedSwitch, follow: Follow) -> None:
    """Nobody commands anything, and the switch has no reason to speak on that link: we give it one."""
    beating = SimulatedSwitch(heartbeat=0.05)
    await beating.start()
    following = follow(beating.port, silence_timeout=0.3, reconcile_interval=1000.0)
    await following.ready()
    client = command_client(beating)
    asked = len([status for status in following.statuses if status.state is LinkState.READY])
    # A second's worth of heartbeats: over three times the silence that would end the link.
    await following.until(
        lambda: len([status for status in following.statuses if status.state is LinkState.READY]) >= asked + 20
    )
    assert client in beating.clients
    assert following.switch.status.detail == ""
    await beating.stop()


async def test_a_command_link_that_says_nothing_is_made_anew(follow: Follow) -> None:
    switch = SimulatedSwitch(heartbeat=0.05)
    await switch.start()
    following = follow(switch.port, silence_timeout=0.3)
    await following.ready()
    deaf = command_client(switch)
    switch.half_open(deaf)
    await following.until(lambda: "nothing was heard" in following.switch.status.detail)
    await following.until(lambda: following.switch.status.detail == "")
    assert following.became(LinkState.AWAY) == []
    await switch.stop()


async def test_without_a_command_link_calls_are_still_followed(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    await switch.refuse()
    command_client(switch).abort()
    await following.until(lambda: following.switch.status.detail)
    assert following.switch.status.state is LinkState.READY
    assert following.switch.condition().condition is Condition.DEGRADED
    call = await parked(switch)
    await call.answer()
    await call.say("네")
    await following.until(lambda: following.said(call.leg_id))
    await switch.admit()
    await following.until(lambda: not following.switch.status.detail)
    assert following.switch.condition().condition is Condition.OK
    assert following.became(LinkState.AWAY) == []


async def test_a_switch_that_answers_no_question_does_not_hold_back_speech(
    switch: SimulatedSwitch, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.switch.switch._LONGEST_HOLD", 0.05)
    before = await parked(switch)
    following = follow(switch.port)
    await switch.subscribers()
    switch.hold_replies()
    call = await parked(switch)
    await call.answer()
    await call.say("네")
    await switch.flushed()
    switch.faults.replying.set()
    switch.hold_replies()
    await following.until(lambda: following.said(call.leg_id))
    switch.release_replies()
    await following.until(lambda: following.state(before.leg_id) == "parked")
    assert following.said(call.leg_id) == ["네"]


# The store


@pytest.mark.parametrize("fails", [True, False])
async def test_speech_does_not_wait_for_a_store_that_is_slow_or_broken(
    fails: bool, switch: SimulatedSwitch, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.switch.reconcile._RECALL_TIMEOUT", 0.05)

    async def recall(origin: str, server: str, leg_ids: Sequence[str]) -> None:
        if fails:
            raise OSError("the store is away")
        await asyncio.Event().wait()

    call = await parked(switch)
    following = follow(switch.port, recall=recall)
    await following.ready()
    assert following.state(call.leg_id) == "parked"


async def test_stored_calls_are_found_before_their_legs_appear(switch: SimulatedSwitch, follow: Follow) -> None:
    call = await parked(switch)
    appeared_before: list[int] = []

    async def recall(origin: str, server: str, leg_ids: Sequence[str]) -> None:
        appeared_before.append(len(following.of(LegAppeared)))
        following.registry.adopt({call.leg_id: "stored-call"}, origin, server)

    following = follow(switch.port, recall=recall)
    await following.ready()
    assert appeared_before == [0]
    assert following.call(call.leg_id).call_id == "stored-call"


# What the switch lists and what is true


async def test_a_row_that_the_switch_itself_denies_is_no_call(switch: SimulatedSwitch, follow: Follow) -> None:
    call = await parked(switch)
    ghost = switch.ghost(call)
    following = follow(switch.port, reconcile_interval=0.05)
    await following.ready()
    assert following.state(call.leg_id) == "parked"
    assert following.state(ghost) == ""
    assert ghost in following.recalled[0]


async def test_a_leg_that_is_gone_without_a_word_ends(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port, reconcile_interval=0.05)
    await following.ready()
    gone, stays = await parked(switch), await parked(switch)
    await following.until(lambda: following.state(gone.leg_id) == "parked")
    playing = asyncio.create_task(following.switch.control.play(gone.leg_id, "/srv/long.wav"))
    await following.until(lambda: following.of(AppSpoke))
    switch.ghost(gone)
    switch._apis.ghosts[-1]["uuid"] = gone.leg_id
    del switch.core.channels[gone.leg_id]
    await following.until(lambda: following.state(gone.leg_id) == "ended")
    assert following.call(gone.leg_id).disposition is Disposition.LOST
    assert following.state(stays.leg_id) == "parked"
    assert not (await playing).ok


async def test_a_leg_that_began_without_a_word_appears(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port, reconcile_interval=0.05)
    await following.ready()
    subscription = event_client(switch).subscription
    subscription.clear()
    call = await parked(switch)
    subscription.add([*SUBSCRIPTION.events, "CUSTOM", *SUBSCRIPTION.subclasses])
    await following.until(lambda: following.state(call.leg_id) == "parked")
    assert following.recalled[-1] == [call.leg_id]


async def test_a_hangup_on_its_way_keeps_its_cause(
    switch: SimulatedSwitch, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The switch denies the leg before its hangup has reached us: the hangup is what counts."""
    following = follow(switch.port, reconcile_interval=0.05)
    await following.ready()
    call = await parked(switch)
    await following.until(lambda: following.state(call.leg_id) == "parked")
    client = event_client(switch)
    client.hold(True)
    await call.hang_up("USER_BUSY")
    denied = asyncio.Event()
    switch.core.listen(lambda event: denied.set() if event.text("API-Command") == "uuid_exists" else None)
    await denied.wait()
    client.hold(False)
    await following.until(lambda: following.state(call.leg_id) == "ended")
    assert [(event.cause, event.while_away) for event in following.of(LegEnded)] == [("USER_BUSY", False)]


async def test_both_links_lost_while_channels_are_compared_are_both_made_again(
    switch: SimulatedSwitch, follow: Follow
) -> None:
    following = follow(switch.port, reconcile_interval=0.01)
    await following.ready()
    for round_ in range(2, 6):
        call = await parked(switch)
        await following.until(lambda call=call: following.state(call.leg_id) == "parked")  # type: ignore[misc]
        switch.hold_replies()
        asked = asyncio.Event()
        switch.core.listen(lambda event, asked=asked: asked.set() if event.name == "API" else None)  # type: ignore[misc]
        await asked.wait()
        switch.disconnect()
        switch.release_replies()
        await following.ready(round_)


# Load, doubles, odd things


async def test_a_flood_is_drained_and_nothing_is_lost(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    calls = [await parked(switch, caller=f"0101234{number:04}") for number in range(20)]
    for call in calls:
        await call.answer()
    rounds = 500 if PROVE else 25
    for number in range(rounds):
        for call in calls:
            await call.say(f"{number} 번째", start=float(number), end=number + 0.5)
        await calls[0].dtmf("5" * 100)
        if number % 5 == 0:
            await switch.flushed()
    await following.until(lambda: all(len(following.said(call.leg_id)) == rounds for call in calls))
    for call in calls:
        assert following.said(call.leg_id) == [f"{number} 번째" for number in range(rounds)]
    await following.until(lambda: len(following.of(DigitPressed)) == 100 * rounds)
    assert (await following.switch.control.hang_up(calls[0].leg_id)).ok
    assert following.became(LinkState.AWAY) == []


async def test_doubles_are_dropped(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    call = await parked(switch)
    await call.answer()
    switch.double(3)
    for _ in range(3):
        await call.say("네", start=1.0, end=1.5)
    await call.say("끝")
    await following.until(lambda: "끝" in following.said(call.leg_id))
    assert following.said(call.leg_id) == ["네", "네", "네", "끝"]
    assert following.switch.condition().numbers["doubles"] == 3


async def test_invalid_utf8_and_unreadable_results_cost_themselves_only(
    switch: SimulatedSwitch, follow: Follow, capsys: pytest.CaptureFixture[str]
) -> None:
    following = follow(switch.port)
    await following.ready()
    call = await parked(switch)
    await call.answer()
    switch.fire_invalid_utf8(call)
    secret = "주민등록번호"
    call.leg.fire("CUSTOM", subclass="brain_stt::transcription", body=f"{{{secret}")
    call.leg.fire("CUSTOM", subclass="brain_stt::transcription", body=f'{{"text": ["{secret}"]}}')
    call.leg.fire("CUSTOM", subclass="brain_stt::transcription", body='{"text": "a\udcffb"}')
    await call.say("네")
    await following.until(lambda: "네" in following.said(call.leg_id))
    assert len(following.said(call.leg_id)) == 2
    assert following.switch.condition().numbers["unreadable_results"] == 2
    assert secret not in capsys.readouterr().out


async def test_one_event_that_we_fail_on_costs_no_other(
    switch: SimulatedSwitch, follow: Follow, capsys: pytest.CaptureFixture[str]
) -> None:
    following = follow(switch.port)
    await following.ready()
    call = await parked(switch)
    await call.answer()
    await following.until(lambda: following.state(call.leg_id) == "parked")
    apply = following.transcripts.apply

    def fails_once(event: Any) -> None:
        if isinstance(event, SpeechRecognised) and event.result.text == "비밀":
            raise RuntimeError(event.result.text)
        apply(event)

    following.transcripts.apply = fails_once  # type: ignore[method-assign]
    await call.say("비밀")
    await call.say("네")
    await following.until(lambda: following.said(call.leg_id) == ["네"])
    assert following.switch.condition().numbers["failed_events"] == 1
    assert following.became(LinkState.AWAY) == []
    logged = capsys.readouterr().out
    assert "switch_event_failed" in logged
    assert "비밀" not in logged


async def test_heartbeats_say_when_the_switch_was_last_heard_of(follow: Follow) -> None:
    switch = SimulatedSwitch(heartbeat=0.05)
    await switch.start()
    following = follow(switch.port)
    ready = await following.ready()
    await following.until(lambda: len(following.statuses) >= 5)
    heard = [status.last_event_at for status in following.statuses if status.last_event_at]
    assert heard == sorted(heard)
    assert following.switch.status.since == ready.since
    assert following.switch.status.gap is None

    switch.disconnect()
    await following.until(lambda: following.statuses[-1].gap is not None)
    back = following.statuses[-1]
    await following.until(lambda: following.statuses[-1].last_event_at != back.last_event_at)
    # Who looks only now is told of the gap as well.
    assert (following.switch.status.since, following.switch.status.gap) == (back.since, back.gap)
    await switch.stop()


async def test_a_switch_with_another_clock(follow: Follow) -> None:
    switch = SimulatedSwitch(clock=lambda: time.time() - 86_400.0)
    await switch.start()
    before = await parked(switch)
    following = follow(switch.port)
    await following.ready()
    began = time.time()
    call = await parked(switch)
    await call.answer()
    await following.until(lambda: following.state(call.leg_id) and following.call(call.leg_id).answered_at)
    assert abs(following.call(call.leg_id).created_at - began) < 20.0
    assert abs(following.call(before.leg_id).created_at - began) < 20.0
    # It is the same difference over a reconnect.
    offset = following.switch._translator.legs.clock.offset
    switch.disconnect()
    await following.ready(2)
    assert following.switch._translator.legs.clock.offset == offset
    await switch.stop()


async def test_stopping_closes_both_links(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    assert len(switch.clients) == 2
    pending = asyncio.create_task(following.switch.control.play("leg-1", "/srv/a.wav"))
    await following.stop()
    assert following.switch.status.state is LinkState.STOPPED
    assert not (await pending).ok
    assert (await following.switch.control.hang_up("leg-1")).certainty == "not_sent"
    serving = set(switch._listener._serving)
    if serving:
        await asyncio.wait(serving, timeout=30.0)
    assert switch.clients == []


@pytest.fixture
async def switches() -> AsyncIterator[list[SimulatedSwitch]]:
    started = [SimulatedSwitch(), SimulatedSwitch()]
    for one in started:
        await one.start()
    yield started
    for one in started:
        await one.stop()


async def test_several_switches_are_none_of_each_others_business(
    switches: list[SimulatedSwitch], follow: Follow
) -> None:
    first, second = switches
    one, other = follow(first.port), follow(second.port)
    await one.ready()
    await other.ready()
    call = await parked(second)
    await other.until(lambda: other.state(call.leg_id) == "parked")
    await first.shut_down("kill")
    await one.until(lambda: one.became(LinkState.AWAY))
    assert other.became(LinkState.AWAY) == []
    assert other.state(call.leg_id) == "parked"
