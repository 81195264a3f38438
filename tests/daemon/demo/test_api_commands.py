"""Api commands that act on channels, and those that tell of them."""

from __future__ import annotations

import json

from daemon.demo.exchange import Destination
from daemon.demo.switch import SimulatedSwitch
from tests.daemon.demo.conftest import Connect


async def test_transcription_is_started_by_command(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json MEDIA_BUG_START MEDIA_BUG_STOP")
    call = await switch.call()
    assert await client.ask(f"api uuid_google_transcribe {call.leg_id} start ko-KR interim") == "+OK Success\n"
    assert await client.ask(f"api uuid_google_transcribe {call.leg_id} stop") == "+OK Success\n"
    await client.seen(lambda: client.names() == ["MEDIA_BUG_START", "MEDIA_BUG_STOP"])


async def test_originate_parks_what_answers(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json ALL")
    wanted = "0e3023b8-c64f-4fa2-b886-94bb52b6ab91"
    given = f"origination_uuid={wanted},origination_caller_id_number=0700000,origination_caller_id_name='김, 대표'"
    assert await client.ask(f"api originate {{{given}}}sofia/gateway/pbx/01012345678 &park()") == f"+OK {wanted}\n"
    parked = await client.event(Event_Name="CHANNEL_PARK", Unique_ID=wanted)
    old = (await client.event(Event_Name="CHANNEL_UUID"))["Old-Unique-ID"]
    assert client.names().index("CHANNEL_UUID") < client.names().index("CHANNEL_CREATE")
    assert [f for f in client.events if old in f.event.values()] == client.events[:1]
    assert parked["Call-Direction"] == "outbound"
    assert parked["Caller-Destination-Number"] == "01012345678"
    assert parked["Caller-Caller-ID-Name"] == "김, 대표"
    assert await client.ask(f"api uuid_kill {wanted}") == "+OK\n"
    switch.exchange.destinations["01000000000"] = Destination(answers=False, cause="NO_ANSWER", rings=0.1)
    assert await client.ask("api originate sofia/gateway/pbx/01000000000 &park()") == "-ERR NO_ANSWER\n"
    switch.exchange.destinations["01000000001"] = Destination(rings=3600.0)
    slow = "{originate_timeout=1}sofia/gateway/pbx/01000000001"
    assert await client.ask(f"api originate {slow} &park()") == "-ERR NO_ANSWER\n"
    assert switch.leg_ids() == []


async def test_a_placed_leg_has_its_variables_from_its_first_event_on(
    switch: SimulatedSwitch, connect: Connect
) -> None:
    switch.exchange.destinations["01000000000"] = Destination(machine=True)
    client = await connect(switch.port, "json ALL")
    given = "{origination_uuid=leg-1,parley_app=order}{execute_on_answer=amd}"
    assert await client.ask(f"api originate {given}sofia/gateway/pbx/01000000000 &park()") == "+OK leg-1\n"
    created = await client.event(Event_Name="CHANNEL_CREATE", Unique_ID="leg-1")
    assert created["variable_parley_app"] == "order"
    parked = await client.event(Event_Name="CHANNEL_PARK", Unique_ID="leg-1")
    assert parked["variable_amd_result"] == "MACHINE"
    assert await client.ask("api originate {origination_uuid=leg-1}user/1001 &park()") == (
        "-ERR DESTINATION_OUT_OF_ORDER\n"
    )


async def test_variables_dumps_and_lists_agree(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port)
    call = await switch.call(name='이 "따옴표"', code="dev-app")
    await call.park()
    leg = call.leg_id
    assert await client.ask(f"api uuid_setvar {leg} memo 여러 말\\n둘째 줄") == "+OK\n"
    assert await client.ask(f"api uuid_getvar {leg} memo") == "여러 말\n둘째 줄"
    assert await client.ask(f"api uuid_getvar {leg} nothing") == "_undef_"
    in_json = json.loads(await client.ask(f"api uuid_dump {leg} json"))
    assert in_json["Event-Name"] == "CHANNEL_DATA"
    assert in_json["variable_memo"] == "여러 말\n둘째 줄"
    assert in_json["variable_DP_MATCH"] == ["07000001004", "07000001004"]
    plain = await client.ask(f"api uuid_dump {leg}")
    assert "variable_memo: %EC%97%AC" in plain
    assert [line.split(":")[0] for line in plain.strip().split("\n")] == list(in_json)
    row = json.loads(await client.ask("api show channels as json"))["rows"][0]
    assert (row["uuid"], row["cid_name"], row["application"]) == (leg, '이 "따옴표"', "park")
    assert row["created_epoch"] == str(int(in_json["Caller-Channel-Created-Time"]) // 1_000_000)
    assert (await client.ask("api show channels")).count("\n") == 4
    assert "&quot;" in await client.ask("api show channels as xml")
    assert await client.ask("api show calls count") == "\n1 total.\n"


async def test_recording_and_hanging_everybody_up(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json RECORD_START RECORD_STOP CHANNEL_HANGUP")
    call = await switch.call()
    assert await client.ask(f"api uuid_record {call.leg_id} start /tmp/a.wav") == "+OK\n"
    assert await client.ask(f"api uuid_record {call.leg_id} stop /tmp/b.wav") == "-ERR Cannot record session!\n"
    assert await client.ask(f"api uuid_record {call.leg_id} stop /tmp/a.wav") == "+OK\n"
    assert (await client.ask("api hupall")).startswith("+OK")
    hangup = await client.event(Event_Name="CHANNEL_HANGUP")
    assert hangup["Hangup-Cause"] == "MANAGER_REQUEST"
    assert client.names() == ["RECORD_START", "RECORD_STOP", "CHANNEL_HANGUP"]
