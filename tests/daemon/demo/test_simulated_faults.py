"""Each fault does on the wire what it says."""

from __future__ import annotations

import asyncio
import json

import pytest

from daemon.demo.call import SimulatedCall
from daemon.demo.switch import SimulatedSwitch
from tests.daemon.demo.conftest import Connect, Run
from tests.daemon.demo.plain_client import PlainClient
from tests.wire import recordings


async def test_cut_mid_frame(switch: SimulatedSwitch, connect: Connect) -> None:
    cut, whole = await connect(switch.port, "json ALL"), await connect(switch.port, "json ALL")
    switch.cut_mid_frame(switch.clients[0])
    call = await switch.call()
    await cut.eof()
    assert cut.events == []
    assert cut.raw.startswith(b"Content-Length: ")
    assert b"Content-Type: text/event-json\n\n{" in cut.raw
    await whole.event(Unique_ID=call.leg_id, Event_Name="CHANNEL_CREATE")
    assert len(switch.clients) == 1


async def test_cut_everybody_mid_frame_and_let_them_in_again(switch: SimulatedSwitch, connect: Connect) -> None:
    clients = [await connect(switch.port, form) for form in ("json ALL", "plain ALL")]
    switch.cut_mid_frame()
    call = await switch.call()
    for client in clients:
        await client.eof()
        assert client.raw
    again = await connect(switch.port, "json ALL")
    assert await again.ask(f"api uuid_exists {call.leg_id}") == "true"


async def test_disconnect_leaves_calls_alone(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json ALL")
    call = await switch.call()
    switch.disconnect()
    await client.eof()
    assert switch.leg_ids() == [call.leg_id]
    assert await (await connect(switch.port)).ask(f"api uuid_exists {call.leg_id}") == "true"


async def test_the_port_is_refused(switch: SimulatedSwitch, connect: Connect) -> None:
    standing = await connect(switch.port, "json ALL")
    await switch.refuse()
    with pytest.raises(ConnectionRefusedError):
        await PlainClient.connect(switch.port)
    assert await standing.ask("api echo still here") == "still here"
    await switch.admit()
    assert await (await connect(switch.port)).ask("api echo in again") == "in again"


async def test_the_password_is_refused(switch: SimulatedSwitch, connect: Connect) -> None:
    await switch.refuse("password")
    client = await PlainClient.connect(switch.port)
    assert await client.ask("auth ClueCon") == "-ERR invalid"
    await client.eof()
    await client.close()
    await switch.admit()
    await connect(switch.port)


async def test_the_address_is_refused(switch: SimulatedSwitch, connect: Connect) -> None:
    await switch.refuse("acl")
    client = await PlainClient.connect(switch.port)
    await client.eof()
    ours = b"".join(frame.head + b"\n\n" + frame.body for frame in client.frames)
    assert ours == recordings.read("07d_acl_rude_rejection.esl")
    await client.close()
    await switch.admit()
    await connect(switch.port)


async def test_stall_says_nothing_and_keeps_everything(switch: SimulatedSwitch, connect: Connect, run: Run) -> None:
    client = await connect(switch.port, "json CHANNEL_CREATE HEARTBEAT")
    switch.stall()
    call = await switch.call()
    client.write("api echo late\n\n")
    newcomer = await PlainClient.connect(switch.port)
    elsewhere = await run(SimulatedSwitch())  # a conversation there: the loop has had every chance to send here
    await (await connect(elsewhere.port)).ask("api status")
    assert client.events == newcomer.frames == []
    assert not client.ended
    switch.resume()
    await client.event(Event_Name="CHANNEL_CREATE", Unique_ID=call.leg_id)
    await client.seen(lambda: client.replies[-1] == "late")
    await newcomer.seen(lambda: newcomer.kinds() == ["auth/request"])
    await newcomer.close()


async def test_half_open_loses_what_was_fired(switch: SimulatedSwitch, connect: Connect) -> None:
    forgotten, other = await connect(switch.port, "json ALL"), await connect(switch.port, "json ALL")
    switch.half_open(switch.clients[0])
    await switch.call()
    forgotten.write("api echo anybody\n\n")
    await other.event(Event_Name="CHANNEL_CREATE")
    await other.ask("api echo x")
    assert forgotten.events == []
    assert not forgotten.ended


@pytest.mark.parametrize("how", ["term", "kill"])
async def test_restart_ends_all_under_another_core_uuid(switch: SimulatedSwitch, connect: Connect, how: str) -> None:
    client = await connect(switch.port, "json ALL")
    call = await switch.call(code="dev-app")
    await call.park()
    await client.event(Event_Name="CHANNEL_PARK")
    port, core_uuid = switch.port, switch.core_uuid
    await switch.restart("term" if how == "term" else "kill")
    await client.eof()
    if how == "term":
        notice = client.kinds().index("text/disconnect-notice")
        assert client.frames[notice].body == b"The system is being shut down.\n"
        assert "text/event-json" in client.kinds()[notice + 1 :]
        hangup = await client.event(Event_Name="CHANNEL_HANGUP")
        assert hangup["Hangup-Cause"] == "SYSTEM_SHUTDOWN"
    else:
        assert "text/disconnect-notice" not in client.kinds()
        assert "CHANNEL_HANGUP" not in client.names()
    assert switch.port == port
    assert switch.core_uuid != core_uuid
    again = await connect(port, "json ALL")
    assert await again.ask("api show channels as json") == '{"row_count": 0}\n'
    switch.core.heartbeat(20.0)
    assert (await again.event(Event_Name="HEARTBEAT"))["Core-UUID"] == switch.core_uuid


async def test_nobody_answers_between_shut_down_and_start(switch: SimulatedSwitch, connect: Connect) -> None:
    await switch.shut_down("kill")
    assert not switch.running.is_set()
    with pytest.raises(ConnectionRefusedError):
        await PlainClient.connect(switch.port)
    await switch.start()
    await connect(switch.port)


async def test_flood_arrives_whole_and_in_order(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json CUSTOM demo::flood")
    switch.flood(2000)
    await client.seen(lambda: len(client.events) == 2000)
    assert [json.loads(frame.body)["Flood-Number"] for frame in client.events] == [str(n) for n in range(2000)]


async def test_flood_of_a_call_has_the_whole_call_in_it(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "plain CALL_UPDATE")
    call = await switch.call(name="홍길동")
    switch.flood(10, call)
    await client.seen(lambda: len(client.events) == 10)
    assert all(frame.event["variable_sip_from_display"] == "홍길동" for frame in client.events)


async def test_double_sends_one_sequence_twice(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json CUSTOM brain_stt::transcription")
    call = await switch.call()
    switch.double()
    await call.say("두 번")
    await call.say("한 번")
    await client.seen(lambda: len(client.events) == 3)
    first, second, third = (frame.event["Event-Sequence"] for frame in client.events)
    assert first == second != third
    assert client.events[0] == client.events[1]


async def test_invalid_utf8_is_raw_in_json_and_quoted_in_plain(switch: SimulatedSwitch, connect: Connect) -> None:
    in_json, in_plain = await connect(switch.port, "json ALL"), await connect(switch.port, "plain ALL")
    call = await switch.call()
    switch.fire_invalid_utf8(call)
    for client in (in_json, in_plain):
        await client.event(Event_Name="CALL_UPDATE")
    assert b'"X-Invalid":"a\xff\xfeb"' in in_json.events[-1].body
    assert b"X-Invalid: a%FF%FEb\n" in in_plain.events[-1].body
    with pytest.raises(UnicodeDecodeError):
        in_json.events[-1].body.decode()


async def test_ghosts_are_listed_and_do_not_exist(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port)
    call = await switch.call()
    ghosts = [switch.ghost(call), switch.ghost()]
    listed = json.loads(await client.ask("api show channels as json"))
    assert [row["uuid"] for row in listed["rows"]] == [call.leg_id, *ghosts]
    assert [await client.ask(f"api uuid_exists {uuid}") for uuid in (call.leg_id, *ghosts)] == [
        "true",
        "false",
        "false",
    ]
    assert await client.ask(f"api uuid_dump {ghosts[0]} json") == "-ERR No such channel!\n"


async def test_replies_wait_and_keep_their_order(switch: SimulatedSwitch, connect: Connect) -> None:
    slow, other = await connect(switch.port, "json CHANNEL_CREATE"), await connect(switch.port)
    answered = len(slow.replies)
    switch.hold_replies()
    slow.write("noevents\n\napi echo 1\n\nbgapi echo 2\nJob-UUID: two\n\n")
    other.write("api echo other\n\n")
    await switch.call()
    await slow.event(Event_Name="CHANNEL_CREATE")
    assert len(slow.replies) == answered
    switch.release_replies()
    await slow.seen(lambda: len(slow.replies) == answered + 3)
    assert slow.replies[answered:] == ["+OK no longer listening for events", "1", "+OK Job-UUID: two"]
    await other.seen(lambda: other.replies[-1] == "other")
    switch.delay_replies(0.01)
    assert await other.ask("api echo late") == "late"


async def flood_until_frozen(switch: SimulatedSwitch, call: SimulatedCall) -> None:
    while switch.thawed:
        switch.flood(50, call)
        await asyncio.sleep(0)


async def test_a_subscriber_that_stops_reading_freezes_everybody_until_it_goes(connect: Connect, run: Run) -> None:
    switch = await run(SimulatedSwitch(queue_limit=50, heartbeat=3600.0))
    reader, writer = await asyncio.open_connection("127.0.0.1", switch.port, limit=1024)
    writer.write(b"auth ClueCon\n\nevent plain ALL\n\n")
    await switch.subscribers(1)
    other = await connect(switch.port, "json CUSTOM demo::flood")
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    call = await switch.call()
    await flood_until_frozen(switch, call)
    switch.flood(1)
    other.write("api echo frozen\n\n")
    elsewhere = await run(SimulatedSwitch())
    await (await connect(elsewhere.port)).ask("api status")
    assert other.events == []
    assert "frozen" not in other.replies
    writer.transport.abort()
    await other.event(Event_Subclass="demo::flood")
    await other.seen(lambda: other.replies[-1] == "frozen")


async def test_a_subscriber_that_is_gone_blocks_nobody(switch: SimulatedSwitch, connect: Connect) -> None:
    gone, other = await connect(switch.port, "json ALL"), await connect(switch.port, "json ALL")
    gone.writer.transport.abort()
    call = await switch.call()
    await call.hang_up()
    await other.event(Event_Name="CHANNEL_DESTROY")
    await other.ask("api status")
    assert len(switch.clients) == 1


async def test_an_application_that_ends_silently(switch: SimulatedSwitch, connect: Connect) -> None:
    client = await connect(switch.port, "json CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE")
    call = await switch.call()
    switch.end_silently()
    await call.speak("안녕하세요")
    await call.speak("여보세요")
    await client.event(Event_Name="CHANNEL_EXECUTE_COMPLETE")
    assert client.names() == ["CHANNEL_EXECUTE", "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE"]
    assert client.events[-1].event["Application-UUID"] == client.events[-2].event["Application-UUID"]
