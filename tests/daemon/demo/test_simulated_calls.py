"""Calls driven from Python and by commands: what happens, in FreeSWITCH's order."""

from __future__ import annotations

import asyncio
import json

import pytest

from daemon.demo.exchange import Destination
from daemon.demo.switch import SimulatedSwitch
from tests.daemon.demo.conftest import Connect, Run
from tests.daemon.demo.plain_client import PlainClient

PARKED = ["CHANNEL_STATE", "CHANNEL_STATE", "CHANNEL_CREATE", "CHANNEL_CALLSTATE", "CHANNEL_STATE", "CHANNEL_STATE"]
PARKED += ["CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_EXECUTE", "CHANNEL_PARK"]
ANSWERED = ["CODEC", "CODEC", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_CALLSTATE", "CHANNEL_ANSWER", "CHANNEL_CALLSTATE"]
ENDED = ["CHANNEL_STATE", "CHANNEL_CALLSTATE", "CHANNEL_STATE", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"]
ENDED += ["CHANNEL_STATE"]


def of_leg(client: PlainClient, leg_id: str) -> list[dict[str, str]]:
    return [frame.event for frame in client.events if frame.event.get("Unique-ID") == leg_id]


async def test_a_caller_who_gives_up_while_parked(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json ALL")
    call = await switch.call(caller="01012345678", did="07000001004", name="홍길동", code="dev-app")
    await call.park()
    await call.hang_up("ORIGINATOR_CANCEL")
    await client.event(Channel_State="CS_DESTROY")
    assert client.names() == [*PARKED, "CHANNEL_HANGUP", "CHANNEL_UNPARK", "CHANNEL_EXECUTE_COMPLETE", *ENDED]
    codes = [event.get("code", "") for event in of_leg(client, call.leg_id)]
    assert codes == [""] * 7 + ["dev-app"] * (len(codes) - 7)
    complete = await client.event(Event_Name="CHANNEL_HANGUP_COMPLETE")
    assert complete["Hangup-Cause"] == complete["variable_hangup_cause"] == "ORIGINATOR_CANCEL"
    assert complete["variable_sip_hangup_disposition"] == "recv_cancel"
    assert complete["Caller-Channel-Answered-Time"] == "0"


async def test_a_bridge_and_what_follows_its_end(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json ALL")
    call = await switch.call(caller="01012345678", did="07000001004", code="dev-app")
    await call.park()
    await call.answer()
    assert await call.bridge("0212345678", rings=1.0)
    await call.listen(side="callee")
    await call.say("네, 말씀하세요", side="callee")
    callee = call.side("callee").uuid
    await call.hang_up(side="callee")
    await call.ended()
    await client.event(Unique_ID=call.leg_id, Channel_State="CS_DESTROY")

    theirs = of_leg(client, callee)
    names = [event["Event-Name"] for event in theirs]
    assert names[:7] == [
        *("CHANNEL_OUTGOING", "CHANNEL_STATE", "CHANNEL_CREATE", "CHANNEL_ORIGINATE"),
        *("CHANNEL_STATE", "CHANNEL_STATE", "CHANNEL_CALLSTATE"),
    ]
    assert names[-9:] == ["CUSTOM", "CHANNEL_HANGUP", "MEDIA_BUG_STOP", *ENDED]
    calls = {event["Channel-Call-UUID"] for event in theirs[1 : names.index("CHANNEL_HANGUP_COMPLETE") - 1]}
    assert (theirs[0]["Channel-Call-UUID"], calls) == (callee, {call.leg_id})
    complete = theirs[names.index("CHANNEL_HANGUP_COMPLETE")]
    assert complete["Channel-Call-UUID"] == callee
    assert complete["Other-Leg-Unique-ID"] == call.leg_id

    bridge, unbridge = [await client.event(Event_Name=name) for name in ("CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE")]
    for event in (bridge, unbridge):
        assert event["Unique-ID"] == event["Bridge-A-Unique-ID"] == call.leg_id
        assert event["Other-Leg-Unique-ID"] == event["Bridge-B-Unique-ID"] == callee
    ours = [event["Event-Name"] for event in of_leg(client, call.leg_id)]
    assert ours[-9:] == ["CHANNEL_UNBRIDGE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP", *ENDED]
    assert switch.leg_ids() == []


async def test_both_codes_stand_in_events_with_an_other_leg(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json CHANNEL_BRIDGE")
    call = await switch.call(code="dev-app")
    await call.park()
    await call.bridge("1001", rings=0.1)
    await client.event(Event_Name="CHANNEL_BRIDGE")
    assert [value for name, value in client.events[0].pairs if name == "code"] == ["dev-app", "dev-app"]


async def test_a_number_that_is_busy_ends_the_call(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json CHANNEL_HANGUP_COMPLETE")
    switch.exchange.destinations["1002"] = Destination(rings=0.1, answers=False, cause="USER_BUSY")
    call = await switch.call(code="dev-app")
    await call.park()
    await call.transfer("1002")
    await call.ended()
    await client.seen(lambda: len(client.events) == 2)
    assert {frame.event["Hangup-Cause"] for frame in client.events} == {"USER_BUSY"}


async def test_a_caller_who_hangs_up_while_it_rings(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json CHANNEL_PROGRESS CHANNEL_HANGUP")
    call = await switch.call()
    ringing = asyncio.get_running_loop().create_task(call.bridge("1003", rings=3600.0))
    await client.event(Event_Name="CHANNEL_PROGRESS")
    await call.hang_up("ORIGINATOR_CANCEL")
    assert await ringing is False
    await client.seen(lambda: client.names().count("CHANNEL_HANGUP") == 2)
    assert {event.event["Hangup-Cause"] for event in client.events[1:]} == {"ORIGINATOR_CANCEL"}
    assert switch.leg_ids() == []


async def test_a_blind_transfer_changes_the_destination_from_the_unpark_on(
    switch: SimulatedSwitch, connect: Connect
) -> None:
    client = await connect(switch.port, "json ALL")
    call = await switch.call(did="07000001004", code="dev-app")
    await call.park()
    await call.answer()
    await call.transfer("9664")
    unpark = await client.event(Event_Name="CHANNEL_UNPARK")
    assert unpark["Caller-Destination-Number"] == "9664"
    assert unpark["Caller-RDNIS"] == unpark["variable_sip_to_user"] == "07000001004"
    assert unpark["code"] == "dev-app"
    row = json.loads(await client.ask("api show channels as json"))["rows"][0]
    assert (row["dest"], row["initial_dest"]) == ("9664", "07000001004")


async def test_two_calls_are_merged(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json ALL")
    older, younger = [await switch.call(caller=f"0101234000{n}", code="dev-app") for n in (1, 2)]
    for call in (older, younger):
        await call.park()
        await call.answer()
    assert (await client.ask(f"api uuid_bridge {older.leg_id} {younger.leg_id}")) == f"+OK {younger.leg_id}\n"
    bridge = await client.event(Event_Name="CHANNEL_BRIDGE")
    assert bridge["Bridge-B-Unique-ID"] == younger.leg_id
    assert client.names().count("CHANNEL_UNPARK") == 2
    await younger.hang_up()
    await older.ended()
    assert switch.leg_ids() == []


async def test_merging_takes_a_caller_from_the_agent(switch: SimulatedSwitch, connect: Connect) -> None:
    call, other = await switch.call(), await switch.call(caller="01012340002")
    await call.bridge("1001", rings=0.1)
    agent = call.side("callee")
    await other.park()
    await other.answer()
    await call.merge(other)
    assert not agent.alive
    assert call.side("callee") is other.leg
    assert sorted(switch.leg_ids()) == sorted([call.leg_id, other.leg_id])


async def test_hold_is_told_and_counted(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json CHANNEL_CALLSTATE CHANNEL_HOLD CHANNEL_UNHOLD")
    call = await switch.call()
    await call.answer()
    assert await client.ask(f"api uuid_hold {call.leg_id}") == "+OK Success\n"
    await client.event(Event_Name="CHANNEL_HOLD", Channel_Call_State="HELD")
    await client.ask(f"api uuid_hold off {call.leg_id}")
    unheld = await client.event(Event_Name="CHANNEL_UNHOLD", Channel_Call_State="ACTIVE")
    assert int(unheld["Caller-Channel-Hold-Accum"]) > 0


async def test_prompts_queue_behind_each_other_and_bring_their_ids_back(
    switch: SimulatedSwitch, connect: Connect
) -> None:
    client = await connect(switch.port, "json CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE")
    call = await switch.call()
    await call.answer()
    for number, (app, data) in enumerate([("playback", "/one.wav"), ("speak", "tts|ko|안녕하세요")]):
        text = f"call-command: execute\nexecute-app-name: {app}\nexecute-app-arg: {data}\nEvent-UUID: id-{number}"
        assert await client.ask(f"sendmsg {call.leg_id}\n{text}") == "+OK"
    await client.seen(lambda: len(client.events) == 4)
    found = [(e.event["Event-Name"], e.event["Application-UUID"], e.event["Application-Data"]) for e in client.events]
    assert found == [
        ("CHANNEL_EXECUTE", "id-0", "/one.wav"),
        ("CHANNEL_EXECUTE_COMPLETE", "id-0", "/one.wav"),
        ("CHANNEL_EXECUTE", "id-1", "tts|ko|안녕하세요"),
        ("CHANNEL_EXECUTE_COMPLETE", "id-1", "tts|ko|안녕하세요"),
    ]


async def test_a_hangup_completes_the_prompt_that_runs_and_forgets_the_rest(
    switch: SimulatedSwitch, connect: Connect
) -> None:
    client = await connect(switch.port, "json ALL")
    call = await switch.call()
    await call.answer()
    prompts = [asyncio.get_running_loop().create_task(call.play(f"/{n}.wav", seconds=3600.0)) for n in range(2)]
    await client.event(Event_Name="PLAYBACK_START")
    await client.ask(f"sendmsg {call.leg_id}\ncall-command: hangup\nhangup-cause: USER_BUSY")
    await asyncio.gather(*prompts)
    await client.event(Channel_State="CS_DESTROY")
    last = client.names()[-9:]
    assert last == ["CHANNEL_HANGUP", "PLAYBACK_STOP", "CHANNEL_EXECUTE_COMPLETE", *ENDED]
    assert client.names().count("PLAYBACK_START") == 1


async def test_a_break_reaches_the_prompt_before_it_and_no_later_one(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json PLAYBACK_STOP")
    call = await switch.call()
    await call.answer()
    execute = f"sendmsg {call.leg_id}\ncall-command: execute\nexecute-app-name: playback\nexecute-app-arg:"
    client.write(f"{execute} tone_stream://%(10000,0,440)\n\napi uuid_break {call.leg_id}\n\n")
    await client.event(Event_Name="PLAYBACK_STOP", Playback_Status="break")
    client.write(f"{execute} silence_stream://10\n\n")
    await client.event(Event_Name="PLAYBACK_STOP", Playback_Status="done")
    assert call.alive


async def test_an_unknown_application_ends_the_call(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json CHANNEL_HANGUP CHANNEL_EXECUTE")
    call = await switch.call()
    assert await client.ask(f"sendmsg {call.leg_id}\ncall-command: execute\nexecute-app-name: nonsense") == "+OK"
    hangup = await client.event(Event_Name="CHANNEL_HANGUP")
    assert hangup["Hangup-Cause"] == "DESTINATION_OUT_OF_ORDER"
    assert "CHANNEL_EXECUTE" not in client.names()


async def test_speech_of_every_vendor_and_after_the_end(switch: SimulatedSwitch, connect: Connect) -> None:
    vendors = ["brain_stt", "google", "deepgram", "azure", "aws", "nuance", "ibm"]
    subclasses = [f"{v}_transcribe::transcription" if v != "brain_stt" else "brain_stt::transcription" for v in vendors]
    client = await connect(switch.port, f"json MEDIA_BUG_START MEDIA_BUG_STOP CUSTOM {' '.join(subclasses)}")
    call = await switch.call()
    await call.answer()
    for vendor, subclass in zip(vendors, subclasses, strict=True):
        await call.listen(vendor=vendor)
        if vendor != "brain_stt":
            await call.say("금요일에", start=1.0, end=1.5, interim=True, vendor=vendor)
        await call.say("금요일에 왔어요", start=1.0, end=2.0, vendor=vendor)
        await call.stop_listening(vendor=vendor)
        final = await client.event(Event_Subclass=subclass)
        await client.event(Event_Name="MEDIA_BUG_STOP", Media_Bug_Function=vendor)
        bodies = [json.loads(f.event["_body"]) for f in client.events if f.event.get("Event-Subclass") == subclass]
        assert len(bodies) == (1 if vendor == "brain_stt" else 2)
        assert "금요일에 왔어요" in final["_body"]
    with pytest.raises(ValueError, match="finals only"):
        await call.say("아직", interim=True)
    await call.hang_up()
    await call.say("끊은 뒤에")
    late = await client.event(Answer_State="hangup", Event_Subclass="brain_stt::transcription")
    assert late["Unique-ID"] == call.leg_id


async def test_a_run_with_given_clock_and_ids_repeats_itself(connect: Connect, run: Run) -> None:
    async def bodies() -> list[bytes]:
        ids = iter(f"00000000-0000-4000-8000-{n:012x}" for n in range(10_000))
        ticks = iter(1_795_199_377.0 + n / 50 for n in range(10_000))
        switch = await run(SimulatedSwitch(clock=lambda: next(ticks), new_id=lambda: next(ids), speed=1e6))
        client = await connect(switch.port, "json ALL")
        call = await switch.call(code="dev-app")
        await call.park()
        await call.answer()
        await call.speak("안녕하세요")
        await call.hang_up()
        await client.event(Channel_State="CS_DESTROY")
        return [frame.body for frame in client.events]

    assert await bodies() == await bodies()


async def test_any_event_can_be_fired(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json DETECTED_SPEECH CUSTOM my::own")
    switch.fire({"Event-Name": "CUSTOM", "Event-Subclass": "my::own", "Unique-ID": "x", "Event-Sequence": "7"}, "말")
    switch.fire([("Event-Name", "DETECTED_SPEECH"), ("Speech-Type", "begin-speaking"), ("a", "1"), ("a", "2")])
    await client.seen(lambda: len(client.events) == 2)
    first, second = (frame.pairs for frame in client.events)
    assert {("Event-Sequence", "7"), ("Core-UUID", switch.core_uuid), ("_body", "말")} <= set(first)
    assert second[-3:] == [("Speech-Type", "begin-speaking"), ("a", "1"), ("a", "2")]
