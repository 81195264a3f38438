"""How far a command got, whatever happens to the links."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from daemon.calls.control import Certainty, Outcome
from daemon.calls.events import AppFellSilent, AppSpoke, LegEnded, RecogniserStarted
from daemon.config import RecogniserConfig, SpeechConfig
from daemon.demo.exchange import Destination
from daemon.demo.switch import SimulatedSwitch
from daemon.switch.command_link import CommandLink
from daemon.switch.link import Link, connect
from daemon.transcripts.utterance import Speaker
from protocols.errors import LocalError
from protocols.esl.connection import Connection
from tests.daemon.switch.following import Following
from tests.daemon.switch.script import Conversation, reply, response
from tests.daemon.switch.translation import event

DIAL = {"[0-9]+": "sofia/gateway/trunk/{number}"}

Follow = Callable[..., Following]
Scripted = Callable[..., Any]
T = TypeVar("T")


def answered(text: str, *, ok: bool = True) -> Outcome:
    return Outcome(Certainty.ANSWERED, ok, text)


async def written(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Begin ``work`` and let it run as far as it gets by itself."""
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    return task


async def attached(port: int, *, reply_timeout: float = 10.0, events: bool = True) -> tuple[CommandLink, Link]:
    """A command link over a real socket, told that events arrive."""
    table = CommandLink(reply_timeout=reply_timeout)
    link = Link(
        Connection("ClueCon"), "commands", on_event=lambda _: None, on_answer=table.answered, on_lost=table.lose
    )
    await connect(link, "127.0.0.1", port, within=10.0)
    table.attach(link)
    if events:
        table.events_up()
    return table, link


# Over the simulated switch, through the whole room


async def test_acting_on_a_leg(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    control = following.switch.control
    call = await switch.call(code="dev-app")
    await call.park()
    leg = call.leg_id
    assert await control.answer(leg) == answered("_none_")
    assert (await control.hold(leg, True)).ok
    assert (await control.hold(leg, False)).ok
    assert (await control.send_dtmf(leg, "12#")).ok
    assert (await control.transfer(leg, "9664")).ok
    assert await control.hang_up(leg) == answered("+OK")
    assert await control.hang_up(leg) == answered("the leg is gone")
    refused = await control.answer(leg)
    assert refused.certainty is Certainty.ANSWERED
    assert not refused.ok
    assert "invalid session id" in refused.text


async def test_speaking_returns_when_it_has_been_said(switch: SimulatedSwitch, follow: Follow) -> None:
    switch.core.speed = 1000.0
    following = follow(switch.port, speak_engine="tts", speak_voice="ko")
    await following.ready()
    call = await switch.call()
    await call.answer()
    await call.park()
    control = following.switch.control
    assert (await control.speak(call.leg_id, "안녕하세요|반갑습니다")).ok
    assert (await control.play(call.leg_id, "/srv/sounds/hello.wav")).ok
    assert (await control.record(call.leg_id, "/srv/recordings/a.wav")).ok
    await following.until(lambda: len(following.said(call.leg_id)) == 2)
    assert following.said(call.leg_id) == ["안녕하세요|반갑습니다", "hello.wav"]


async def test_stopping_ends_what_is_played(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    call = await switch.call()
    await call.answer()
    await call.park()
    playing = asyncio.create_task(following.switch.control.play(call.leg_id, "/srv/sounds/very_long.wav"))
    await following.until(lambda: following.of(AppSpoke))
    assert (await following.switch.control.stop(call.leg_id)).ok
    assert (await playing).certainty is Certainty.ANSWERED


async def test_a_leg_that_hangs_up_ends_what_runs_on_it(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    call = await switch.call()
    await call.answer()
    await call.park()
    playing = asyncio.create_task(following.switch.control.play(call.leg_id, "/srv/sounds/very_long.wav"))
    await following.until(lambda: following.of(AppSpoke))
    await call.hang_up("USER_BUSY")
    assert await playing == answered("the leg ended (USER_BUSY)", ok=False)


async def test_what_parley_says_is_open_until_it_is_over(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    call = await switch.call()
    await call.park()
    leg = call.leg_id
    words = "${bridge(sofia)} 무엇을 도와드릴까요"
    speaking = asyncio.create_task(following.switch.control.speak(leg, words))
    await following.until(lambda: following.state(leg) and following.transcripts.interims(following.call(leg).call_id))
    (saying,) = following.transcripts.interims(following.call(leg).call_id)
    assert (saying.text, saying.speaker, saying.final) == (words, Speaker.APP, False)
    assert following.said(leg) == []
    await following.switch.control.stop(leg)
    await speaking
    await following.until(lambda: following.said(leg))
    (said,) = following.transcripts.finals(following.call(leg).call_id)
    assert (said.utterance_id, said.said_at) == (saying.utterance_id, saying.said_at)
    assert said.text.endswith("도와드릴까요]")
    assert following.of(AppFellSilent)[0].broken_off
    assert (await following.switch.control.play(leg, "silence_stream://1")).ok
    assert (await following.switch.control.play(leg, "/srv/sounds/hello.wav", words="안녕하세요")).ok
    await call.speak("다른 프로그램", seconds=0.0)
    await following.until(lambda: len(following.said(leg)) == 3)
    assert following.said(leg)[1:] == ["안녕하세요", "다른 프로그램"]
    assert following.transcripts.interims(following.call(leg).call_id) == []


async def test_what_is_said_when_the_leg_ends_was_broken_off(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    call = await switch.call()
    await call.park()
    speaking = asyncio.create_task(following.switch.control.speak(call.leg_id, "무엇을 도와드릴까요"))
    await following.until(lambda: following.of(AppSpoke))
    await call.hang_up()
    await speaking
    await following.until(lambda: following.said(call.leg_id))
    assert following.said(call.leg_id)[0].endswith("도와드릴까요]")


async def test_a_leg_that_the_switch_denies_ends(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    call = await switch.call(code="dev-app")
    await call.park()
    control = following.switch.control
    assert (await control.exists(call.leg_id)).ok
    await following.until(lambda: following.state(call.leg_id) == "parked")
    switch.core.channels.pop(call.leg_id)
    assert await control.exists(call.leg_id) == answered("the leg is gone", ok=False)
    await following.until(lambda: following.state(call.leg_id) == "ended")
    assert following.of(LegEnded)[0].while_away


async def test_a_mark_stays_on_the_leg_for_a_later_process(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    call, other = await switch.call(), await switch.call()
    control = following.switch.control
    for leg in (call.leg_id, other.leg_id):
        assert (await control.mark(leg, "order-app")).ok
    assert (await control.mark(other.leg_id, "")).ok
    later = follow(switch.port)
    await later.ready()
    marks = [later.registry.find("freeswitch", "main", leg) for leg in (call.leg_id, other.leg_id)]
    assert [found[1].mark for found in marks if found] == ["order-app", ""]
    with pytest.raises(LocalError):
        await control.mark(call.leg_id, "${order}")


async def test_a_recogniser_is_started_as_configured(switch: SimulatedSwitch, follow: Follow) -> None:
    detect = RecogniserConfig(vendor="own", start="app set listening={leg_id}", stop="app unset listening")
    following = follow(switch.port, speech=SpeechConfig(recogniser=[RecogniserConfig(), detect]))
    await following.ready()
    call = await switch.call()
    await call.park()
    control, leg = following.switch.control, call.leg_id
    assert (await control.start_recogniser(leg, "brain_stt")).ok
    await following.until(lambda: following.of(RecogniserStarted))
    assert (await control.stop_recogniser(leg, "brain_stt")).ok
    assert call.leg.listening == []
    assert (await control.start_recogniser(leg, "own")).ok
    assert call.leg.variables["listening"] == leg
    assert (await control.stop_recogniser(leg, "own")).ok
    assert "listening" not in call.leg.variables
    assert (await control.start_recogniser(leg, "unknown")).certainty is Certainty.NOT_SENT


async def test_bridging_two_legs(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    one, other = await switch.call(), await switch.call(caller="01087654321")
    for call in (one, other):
        await call.answer()
        await call.park()
    assert (await following.switch.control.bridge(one.leg_id, other.leg_id)).ok
    await following.until(lambda: following.state(one.leg_id) == "bridged")
    assert following.call(one.leg_id) is following.call(other.leg_id)
    unknown = await following.switch.control.bridge(one.leg_id, "no-such-leg")
    assert (unknown.certainty, unknown.ok) == (Certainty.ANSWERED, False)


async def test_placing_a_call(switch: SimulatedSwitch, follow: Follow) -> None:
    switch.core.speed = 100.0
    following = follow(switch.port, dial=DIAL)
    await following.ready()
    leg_id = str(uuid4())
    placed = await following.switch.control.originate(
        "07000001004", leg_id=leg_id, caller="0212345678", ring_time=20.0, mark="order.placed.here"
    )
    assert placed.ok, placed
    assert following.events[0].leg_id == leg_id
    await following.until(lambda: following.state(leg_id) == "parked")
    (leg,) = following.call(leg_id).legs
    assert (leg.caller, leg.callee, leg.mark) == ("0212345678", "07000001004", "order.placed.here")
    assert switch.core.channels[leg_id].variables["originate_timeout"] == "20"


async def test_a_call_that_cannot_be_placed(switch: SimulatedSwitch, follow: Follow) -> None:
    switch.core.speed = 100.0
    switch.exchange.destinations["0212345678"] = Destination(answers=False, cause="USER_BUSY")
    following = follow(switch.port, dial={"1.*": "nosuch/{number}", **DIAL})
    await following.ready()
    for number, cause in (("1001", "CHAN_NOT_IMPLEMENTED"), ("0212345678", "USER_BUSY")):
        failed = await following.switch.control.originate(number, leg_id=str(uuid4()), caller="", ring_time=5.0)
        assert failed == Outcome(Certainty.ANSWERED, False, cause)


async def test_only_what_is_configured_is_dialled(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port, dial={"1[0-9]{3}": "user/{number}"})
    await following.ready()
    control = following.switch.control
    assert control.dials("1001")
    assert not control.dials("10010")
    with pytest.raises(LocalError):
        await control.originate("10010", leg_id=str(uuid4()), caller="", ring_time=1.0)


async def test_without_a_link_nothing_is_sent(unused_tcp_port: int, follow: Follow) -> None:
    control = follow(unused_tcp_port, dial=DIAL).switch.control
    for outcome in (await control.answer("leg-1"), await control.hang_up("leg-1"), await control.stop("leg-1")):
        assert (outcome.certainty, outcome.ok) == (Certainty.NOT_SENT, False)
    placing = control.originate("01012345678", leg_id="leg-1", caller="", ring_time=1.0)
    assert (await placing).certainty is Certainty.NOT_SENT


async def test_a_lost_reply_is_unknown(switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    call = await switch.call()
    switch.hold_replies()
    killing = await written(following.switch.control.hang_up(call.leg_id))
    await following.until(lambda: following.state(call.leg_id) == "ended")
    switch.disconnect()
    assert await killing == Outcome(Certainty.UNKNOWN, False, "the link was lost before the reply")
    switch.release_replies()
    await following.ready(2)
    assert len(following.of(LegEnded)) == 1


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\0b", "\n"])
async def test_a_line_break_is_refused_before_a_byte_is_written(
    bad: str, switch: SimulatedSwitch, follow: Follow
) -> None:
    following = follow(switch.port, speak_engine="tts", dial=DIAL)
    await following.ready()
    control = following.switch.control
    attempts: list[Coroutine[Any, Any, Outcome]] = [
        control.answer(bad),
        control.play("leg-1", f"/srv/{bad}.wav"),
        control.speak("leg-1", f"one{bad}two"),
        control.stop(bad),
        control.record("leg-1", f"/srv/{bad}.wav"),
        control.send_dtmf("leg-1", f"1{bad}"),
        control.originate(f"1{bad}", leg_id="leg-1", caller="", ring_time=1.0),
        control.originate("1", leg_id="leg-1", caller=f"1{bad}", ring_time=1.0),
        control.originate("1", leg_id=f"1{bad}", caller="", ring_time=1.0),
        control.originate("1", leg_id="leg-1", caller="", ring_time=1.0, mark=f"a{bad}"),
        control.hold(bad, True),
        control.bridge("leg-1", bad),
        control.transfer("leg-1", bad),
        control.hang_up("leg-1", f"NORMAL{bad}"),
    ]
    for attempt in attempts:
        with pytest.raises(LocalError):
            await attempt
    # Had a byte of them been written, this would not be answered as itself.
    assert await control.hang_up("no-such-leg") == answered("the leg is gone")


@pytest.mark.parametrize("text", ["${system(reboot)}", "a ${b} c"])
async def test_words_are_not_expanded_by_the_switch(text: str, switch: SimulatedSwitch, follow: Follow) -> None:
    switch.core.speed = 1000.0
    following = follow(switch.port, speak_engine="tts")
    await following.ready()
    call = await switch.call()
    await call.answer()
    await call.park()
    assert (await following.switch.control.speak(call.leg_id, text)).ok
    assert call.leg.last_app == ("speak", f"tts||{text.replace('${', '$ {')}")
    assert following.said(call.leg_id) == [text]
    with pytest.raises(LocalError):
        await following.switch.control.play(call.leg_id, f"/srv/{text}.wav")


@pytest.mark.parametrize("option", ["-both", "-bleg", "-"])
async def test_a_destination_is_no_option(option: str, switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port)
    await following.ready()
    with pytest.raises(LocalError):
        await following.switch.control.transfer("leg-1", option)


@pytest.mark.parametrize("value", ["1 2", "9664 XML other", "{a=b}1", "user/1,user/2", "1|2", "", "-both 1"])
async def test_arguments_stay_one_argument(value: str, switch: SimulatedSwitch, follow: Follow) -> None:
    following = follow(switch.port, dial={"(?s).*": "user/{number}"})
    await following.ready()
    with pytest.raises(LocalError):
        await following.switch.control.transfer("leg-1", value)
    with pytest.raises(LocalError):
        await following.switch.control.originate(value, leg_id="leg-1", caller="", ring_time=1.0)
    for fields in ({"caller": value or ","}, {"caller": "", "mark": value or "}"}):
        with pytest.raises(LocalError):
            await following.switch.control.originate("1", leg_id="leg-1", ring_time=1.0, **fields)
    with pytest.raises(LocalError):
        await following.switch.control.originate("1", leg_id=value, caller="", ring_time=1.0)
    with pytest.raises(LocalError):
        await following.switch.control.send_dtmf("leg-1", value + "x")


# Over a script that replies as it likes


async def test_a_late_reply_is_not_taken_for_the_next_commands(scripted: Scripted) -> None:
    late = asyncio.Event()

    async def script(client: Conversation) -> None:
        await client.sign_in()
        assert await client.command() == "api first"
        assert await client.command() == "api second"
        await client.send(response("the first, late") + response("the second"))
        late.set()
        await client.gone()

    table, link = await attached((await scripted(script)).port, reply_timeout=0.02)
    first = await table.api("first")
    assert first == Outcome(Certainty.UNKNOWN, False, "no reply within 0.02 s")
    table._reply_timeout = 10.0
    assert await table.api("second") == answered("the second")
    link.drop("enough")


async def test_a_cancelled_wait_leaves_the_order_whole(scripted: Scripted) -> None:
    go_on = asyncio.Event()

    async def script(client: Conversation) -> None:
        await client.sign_in()
        await client.command()
        await go_on.wait()
        await client.command()
        await client.send(response("one") + response("two"))
        await client.gone()

    table, link = await attached((await scripted(script)).port)
    one = await written(table.api("one"))
    one.cancel()
    await asyncio.wait({one})
    go_on.set()
    assert await table.api("two") == answered("two")
    link.drop("enough")


async def test_replies_come_in_the_order_of_pipelined_commands(scripted: Scripted) -> None:
    async def script(client: Conversation) -> None:
        await client.sign_in()
        for _ in range(100):
            await client.send(response((await client.command()).removeprefix("api ")))
        await client.gone()

    table, link = await attached((await scripted(script)).port)
    names = [f"n{number}" for number in range(100)]
    assert [one.text for one in await asyncio.gather(*(table.api(name) for name in names))] == names
    link.drop("enough")


async def test_what_waits_when_the_link_breaks_is_unknown(scripted: Scripted) -> None:
    async def script(client: Conversation) -> None:
        await client.sign_in()
        await client.command()
        await client.command()
        await client.command()

    table, _ = await attached((await scripted(script)).port)
    waiting = [table.api("one"), table.job("two", "", within=10.0), table.execute("leg-1", "three")]
    for outcome in await asyncio.gather(*waiting):
        assert outcome == Outcome(Certainty.UNKNOWN, False, "the link was lost before the reply")
    assert (await table.api("four")).certainty is Certainty.NOT_SENT
    assert not table._executions
    assert not table._executions_of
    assert not table._jobs


class Deaf:
    """Answers ``+OK`` to everything and keeps what it was told."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.heard = asyncio.Event()

    async def __call__(self, client: Conversation) -> None:
        await client.sign_in()
        while command := await client.command():
            self.commands.append(command)
            await client.send(reply("+OK"))
            self.heard.set()

    async def last(self, header: str) -> str:
        """The value of a header of the last command."""
        await self.heard.wait()
        self.heard.clear()
        return next(
            line.partition(": ")[2] for line in self.commands[-1].splitlines() if line.startswith(f"{header}: ")
        )


async def test_a_job_is_found_by_our_own_id(scripted: Scripted) -> None:
    deaf = Deaf()
    table, link = await attached((await scripted(deaf)).port)
    job = asyncio.create_task(table.job("originate", "user/1000 &park()", within=10.0))
    job_uuid = await deaf.last("Job-UUID")
    table.job_done(event("BACKGROUND_JOB", job_uuid="somebody-elses", body="+OK theirs\n"))
    table.job_done(event("BACKGROUND_JOB", job_uuid=job_uuid, body="-ERR USER_BUSY\n"))
    assert await job == answered("-ERR USER_BUSY", ok=False)
    # Twice is no more than once.
    table.job_done(event("BACKGROUND_JOB", job_uuid=job_uuid, body="+OK\n"))
    link.drop("enough")


async def test_a_job_that_never_ends_is_unknown(scripted: Scripted) -> None:
    table, link = await attached((await scripted(Deaf())).port)
    assert await table.job("originate", "x", within=0.02) == Outcome(
        Certainty.UNKNOWN, False, "the job did not end in time"
    )
    link.drop("enough")


@pytest.mark.parametrize(
    ("response_text", "ok"), [("FILE PLAYED", True), ("_none_", True), ("FILE NOT FOUND", False), ("-ERR no", False)]
)
async def test_an_application_is_found_by_our_own_id(scripted: Scripted, response_text: str, ok: bool) -> None:
    deaf = Deaf()
    table, link = await attached((await scripted(deaf)).port)
    run = asyncio.create_task(table.execute("leg-1", "playback", "/srv/hello.wav"))
    event_uuid = await deaf.last("Event-UUID")
    table.application_done(event("CHANNEL_EXECUTE_COMPLETE", application_uuid="the dialplan's"))
    table.leg_ended("leg-2")
    table.application_done(
        event("CHANNEL_EXECUTE_COMPLETE", application_uuid=event_uuid, application_response=response_text)
    )
    assert await run == answered(response_text, ok=ok)
    link.drop("enough")


async def test_an_application_that_ends_before_its_reply_has_ended(scripted: Scripted) -> None:
    """Events and replies come over two connections: either may be first."""
    sent: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def script(client: Conversation) -> None:
        await client.sign_in()
        sent.set_result((await client.command()).rpartition("Event-UUID: ")[2])
        await client.gone()

    table, link = await attached((await scripted(script)).port)
    run = asyncio.create_task(table.execute("leg-1", "answer"))
    table.application_done(event("CHANNEL_EXECUTE_COMPLETE", application_uuid=await sent))
    link.drop("lost before the reply")
    assert await run == answered("")


async def test_events_that_are_lost_leave_the_end_unknown(scripted: Scripted) -> None:
    deaf = Deaf()
    table, link = await attached((await scripted(deaf)).port)
    run = asyncio.create_task(table.execute("leg-1", "playback", "/srv/hello.wav"))
    await deaf.last("Event-UUID")
    table.events_lost()
    assert (await run).certainty is Certainty.UNKNOWN
    # And what could not be seen to end is not begun.
    assert (await table.execute("leg-1", "answer")).certainty is Certainty.NOT_SENT
    assert (await table.job("status", "", within=1.0)).certainty is Certainty.NOT_SENT
    assert len(deaf.commands) == 1
    link.drop("enough")


async def test_a_new_link_knows_nothing_of_the_old_ones_commands(scripted: Scripted) -> None:
    """Every link counts its commands from one."""

    async def cut(client: Conversation) -> None:
        await client.sign_in()
        await client.command()

    table, old = await attached((await scripted(cut)).port)
    one = asyncio.create_task(table.api("one"))
    await old.closed
    assert (await one).certainty is Certainty.UNKNOWN
    table.detach()
    deaf = Deaf()
    link = Link(
        Connection("ClueCon"), "commands", on_event=lambda _: None, on_answer=table.answered, on_lost=table.lose
    )
    await connect(link, "127.0.0.1", (await scripted(deaf)).port, within=10.0)
    table.attach(link)
    assert await table.api("two") == answered("+OK")
    # What became of the first is unknown, so it was not sent again.
    assert deaf.commands == ["api two"]
    link.drop("enough")
