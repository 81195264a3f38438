"""The simulator's events have the header names of the recorded ones, in the same order, event by event."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterable

from daemon.demo.switch import SimulatedSwitch
from tests.daemon.demo.conftest import Connect
from tests.daemon.demo.plain_client import PlainClient, WireFrame, is_event, split
from tests.wire import recordings

PLAYED = "/srv/freeswitch/sounds/hello.wav"
TONE = "tone_stream://%(10000,0,440);loops=-1"
OWN_TO_THE_RECORDED_CALLER = ("variable_sip_h_",)
"""SIP headers that only that caller's phone sent."""

ACKNOWLEDGED = tuple(
    f"variable_sip_{name}"
    for name in ("to_tag", "from_tag", "cseq", "call_id", "full_via", "from_display", "full_from", "full_to")
)
"""Set when the caller's ACK arrives, which races with whatever the program does next: compared once, at the end."""


def likeness(frame: WireFrame) -> str:
    """What makes two events alike: name, application, and the states the channel is in."""
    event = frame.event
    words = ("Event-Name", "Event-Subclass", "Application", "Channel-State", "Channel-Call-State", "Answer-State")
    return " ".join(event.get(word, "") for word in (*words, "API-Command", "Job-Command", "DTMF-Digit")).strip()


def names(frame: WireFrame) -> list[str]:
    found = [name for name, _ in frame.pairs if not name.startswith(OWN_TO_THE_RECORDED_CALLER)]
    raced = sorted(name for name in found if name in ACKNOWLEDGED)
    ended = frame.event["Event-Name"] == "CHANNEL_DESTROY"
    return [name for name in found if name not in ACKNOWLEDGED] + (raced if ended else [])


def of_channel(frames: Iterable[WireFrame], leg_id: str) -> list[WireFrame]:
    """The channel's own events, without what another program fired on it."""
    return [frame for frame in frames if frame.event.get("Unique-ID") == leg_id and "Event-Subclass" not in frame.event]


def differences(ours: list[WireFrame], recorded: list[WireFrame]) -> list[str]:
    """Where two flows differ: a missing or foreign event, or an event with other header names."""
    found = list(
        difflib.unified_diff([likeness(f) for f in recorded], [likeness(f) for f in ours], "recorded", "ours", n=0)
    )
    for our, their in zip(ours, recorded, strict=False):
        if not found and names(our) != names(their):
            changes = difflib.unified_diff(names(their), names(our), likeness(their), "ours", n=0)
            found += [line for line in changes if not line.startswith("@@")]
    return found


def recorded_events(name: str) -> list[WireFrame]:
    return [frame for frame in split(recordings.read(name)) if is_event(frame)]


async def full_call(switch: SimulatedSwitch, client: PlainClient) -> str:
    """What the client of the recordings 01 and 02 did, on one parked call."""
    switch.exchange.dialplan["9664"] = [("answer", ""), ("playback", TONE)]
    call = await switch.call(caller="01012341", did="07000001004", name="홍길동", code="dev-app")
    await call.park()
    leg = call.leg_id
    await client.ask(f"api uuid_answer {leg}")
    execute = f"sendmsg {leg}\ncall-command: execute\nexecute-app-name: playback\nexecute-app-arg: {PLAYED}"
    await client.ask(f"{execute}\nEvent-UUID: 11111111-2222-3333-4444-555555555555")
    await client.event(Event_Name="CHANNEL_EXECUTE_COMPLETE", Application="playback")
    await client.ask(f"api uuid_setvar {leg} memo 안녕 하세요")
    await client.ask(f"api uuid_setvar {leg} multi line1\\nline2")
    await client.ask(f"api uuid_recv_dtmf {leg} 12#@100")
    await client.ask(f"api uuid_broadcast {leg} {PLAYED} aleg")
    await client.seen(lambda: client.names().count("PLAYBACK_START") == 2)
    await client.ask(f"api uuid_break {leg} all")
    await client.seen(lambda: client.names().count("PLAYBACK_STOP") == 2)
    await client.ask(f"bgapi uuid_transfer {leg} 9664 XML public")
    await client.seen(lambda: client.names().count("PLAYBACK_START") == 3)
    await client.ask(f"bgapi uuid_kill {leg} NORMAL_CLEARING\nJob-UUID: my-own-job-1")
    await client.event(Event_Name="CHANNEL_STATE", Channel_State="CS_DESTROY")
    await client.event(Job_UUID="my-own-job-1")
    return leg


async def test_a_whole_call_in_json(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json ALL")
    leg = await full_call(switch, client)
    recorded = recorded_events("02_json_full_call.esl")
    found = differences(of_channel(client.events, leg), of_channel(recorded, recorded[0].event["Unique-ID"]))
    assert not found, "\n".join(found)


async def test_a_whole_call_in_plain(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "plain ALL")
    leg = await full_call(switch, client)
    recorded = recorded_events("01_plain_full_call.esl")
    found = differences(of_channel(client.events, leg), of_channel(recorded, recorded[0].event["Unique-ID"]))
    assert not found, "\n".join(found)


async def test_a_parked_caller_hangs_up(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "plain ALL")
    call = await switch.call(caller="01012341", did="07000001003", name="홍길동", code="qa-app")
    await call.park()
    await client.ask(f"api uuid_answer {call.leg_id}")
    await call.hang_up()
    await client.event(Event_Name="CHANNEL_STATE", Channel_State="CS_DESTROY")
    recorded = recorded_events("04l_caller_hangs_up.esl")
    found = differences(of_channel(client.events, call.leg_id), of_channel(recorded, recorded[0].event["Unique-ID"]))
    assert not found, "\n".join(found)


async def test_the_callers_leg_of_a_bridge(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "plain ALL")
    bridge = ("bridge", "sofia/external/9197@127.0.0.1")
    switch.exchange.dialplan["7001"] = [("set_profile_var", "code=dev-app"), ("answer", ""), bridge]
    call = await switch.call(caller="01012341", did="07000001004", name="홍길동", code="dev-app")
    await call.park()
    await client.ask(f"bgapi uuid_transfer {call.leg_id} 7001 XML public")
    await client.event(Event_Name="CALL_UPDATE")
    await client.ask(f"bgapi uuid_kill {call.leg_id}")
    await client.event(Event_Name="CHANNEL_STATE", Channel_State="CS_DESTROY", Unique_ID=call.leg_id)
    recorded = recorded_events("04k_bridge_code.esl")
    found = differences(of_channel(client.events, call.leg_id), of_channel(recorded, recorded[0].event["Unique-ID"]))
    assert not found, "\n".join(found)


async def test_events_of_no_channel(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json ALL")
    await client.ask("bgapi create_uuid now")
    await client.event(Event_Name="BACKGROUND_JOB")
    switch.core.heartbeat(20.0)
    await client.event(Event_Name="RE_SCHEDULE")
    recorded = {frame.event["Event-Name"]: names(frame) for frame in recorded_events("02_json_full_call.esl")}
    ours = {frame.event["Event-Name"]: names(frame) for frame in client.events}
    assert set(ours) == {"API", "BACKGROUND_JOB", "HEARTBEAT", "RE_SCHEDULE"}
    for name, headers in ours.items():
        assert headers == recorded[name], name


async def test_what_was_said(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json PLAYBACK_START CUSTOM brain_stt::transcription")
    call = await switch.call(name="홍길동", code="dev-app")
    await call.park()
    await call.answer()
    playing = asyncio.get_running_loop().create_task(call.play(PLAYED, seconds=3600.0))
    await client.event(Event_Name="PLAYBACK_START")
    await call.say("금요일", start=5.14, end=6.56)
    said = await client.event(Event_Subclass="brain_stt::transcription")
    recorded = next(f for f in recorded_events("02_json_full_call.esl") if "transcription" in likeness(f))
    assert said["_body"] == recorded.event["_body"] == '{"text":"\\n금요일","start":41120,"end":52480}'
    own = [name for name in names(client.events[-1]) if name not in ("transcription-vendor", "media-bugname")]
    assert own == names(recorded)
    await call.hang_up()
    await playing
