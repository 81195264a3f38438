"""Every recorded command gets the reply of the real switch, in the same frame."""

from __future__ import annotations

import re

from daemon.demo.switch import SimulatedSwitch
from tests.daemon.demo.conftest import Connect, Run
from tests.daemon.demo.plain_client import PlainClient
from tests.wire import recordings

NOT_SIMULATED = ("api sofia", "api eval", "api strftime", "api global_getvar\n", "api hostname")
"""Their output is about the recorded machine, or they are not there."""
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def shape(text: str) -> str:
    """A reply without what differs from run to run: ids, counts of anything, plurals."""
    return re.sub(r"[\d.]+", "N", UUID.sub("UUID", text)).replace("seconds", "second")


async def test_each_of_the_recorded_commands(switch: SimulatedSwitch) -> None:
    client = await PlainClient.connect(switch.port)
    compared = 0
    for pair in recordings.pairs()[:-2]:
        before = len(client.replies)
        client.writer.write(pair.command)
        await client.seen(lambda count=before: len(client.replies) > count)  # type: ignore[misc]
        answered = [frame for frame in client.frames if frame.kind in ("command/reply", "api/response")][before]
        if pair.command.decode().startswith(NOT_SIMULATED):
            continue
        assert shape(answered.head.decode()) == shape(pair.headers.decode()), pair.command
        assert shape(answered.body.decode())[:150] == shape(pair.body.decode())[:150], pair.command
        compared += 1
    assert compared > 65
    await client.ask("exit now please")
    await client.eof()
    assert client.frames[-1].head.decode() == recordings.pairs()[-1].headers.decode()
    assert client.frames[-1].body == recordings.pairs()[-1].body
    await client.close()


async def test_before_and_after_the_sign_in(switch: SimulatedSwitch) -> None:
    client = await PlainClient.connect(switch.port)
    for sent in recordings.sent("04b_no_auth_commands.esl"):
        await client.ask(sent.data.decode().strip())
    await client.eof()
    ours = b"".join(frame.head + b"\n\n" + frame.body for frame in client.frames)
    assert ours == recordings.read("04b_no_auth_commands.esl")
    await client.close()


async def test_a_wrong_password(switch: SimulatedSwitch) -> None:
    client = await PlainClient.connect(switch.port)
    await client.ask("auth Wrong")
    await client.eof()
    ours = b"".join(frame.head + b"\n\n" + frame.body for frame in client.frames)
    assert ours == recordings.read("04a_auth_fail.esl")
    await client.close()


async def test_no_password_in_time(run: Run) -> None:
    switch = await run(SimulatedSwitch(auth_timeout=0.0))
    client = await PlainClient.connect(switch.port)
    await client.eof()
    ours = b"".join(frame.head + b"\n\n" + frame.body for frame in client.frames)
    assert ours == recordings.read("04i_auth_timeout.esl")
    await client.close()


async def test_blank_lines_and_pipelined_commands(switch: SimulatedSwitch) -> None:
    client = await PlainClient.connect(switch.port)
    sent = recordings.sent("04e_framing.esl")
    for early in sent[:3]:
        client.writer.write(early.data)
    await client.seen(lambda: len(client.replies) == 3)
    assert client.replies[0] == "+OK accepted"
    assert client.replies[1].startswith("UP ")
    assert client.replies[2] == "-ERR not listening for events"
    client.writer.write(sent[3].data)
    await client.seen(lambda: len(client.replies) == 8)
    one, job, added, three, deleted = client.replies[3:]
    assert (one, three) == ("1", "3")
    assert job.startswith("+OK Job-UUID: ")
    assert (added, deleted) == ("+OK filter added. [a]=[b]", "+OK filter deleted. [all][]")
    await client.close()


async def test_half_a_command_withholds_events(switch: SimulatedSwitch, connect: Connect) -> None:
    client, other = await connect(switch.port, "plain CUSTOM t::withheld"), await connect(switch.port)
    client.write("api st")
    await other.ask("nolog")  # answered in a later turn of the loop: the half command has been read
    for number in range(3):
        await other.ask(f"sendevent CUSTOM\nEvent-Subclass: t::withheld\nN: {number}")
    assert client.events == []
    client.write("atus\n\n")
    await client.seen(lambda: len(client.events) == 3)
    assert [frame.kind for frame in client.frames[-4:]] == ["api/response", *["text/event-plain"] * 3]
    assert [event.event["N"] for event in client.events] == ["0", "1", "2"]


async def test_an_api_blocks_its_connection_and_bgapi_does_not(switch: SimulatedSwitch, connect: Connect) -> None:
    client, other = await connect(switch.port, "plain CUSTOM t::blocked BACKGROUND_JOB"), await connect(switch.port)
    client.write("api msleep 30000\n\n")
    await other.ask("nolog")
    await other.ask("sendevent CUSTOM\nEvent-Subclass: t::blocked\nN: 1")
    await client.seen(lambda: len(client.events) == 1)
    assert [frame.kind for frame in client.frames[-2:]] == ["api/response", "text/event-plain"]
    await client.ask("event plain BACKGROUND_JOB")
    job = (await client.ask("bgapi msleep 30000")).removeprefix("+OK Job-UUID: ")
    await other.ask("sendevent CUSTOM\nEvent-Subclass: t::blocked\nN: 2")
    await client.seen(lambda: "BACKGROUND_JOB" in client.names())
    assert [frame.event.get("N") or frame.event["Job-UUID"] for frame in client.events] == ["1", "2", job]


async def test_everybody_sees_every_job(switch: SimulatedSwitch, connect: Connect) -> None:
    asking, watching = await connect(switch.port), await connect(switch.port, "json BACKGROUND_JOB")
    assert await asking.ask("bgapi nosuchapi x\nJob-UUID: my-own") == "+OK Job-UUID: my-own"
    event = await watching.event(Job_UUID="my-own")
    assert event["_body"] == "-ERR nosuchapi Command not found!\n"
    assert (event["Job-Command"], event["Job-Command-Arg"]) == ("nosuchapi", "x")


async def test_filters_as_recorded(switch: SimulatedSwitch, connect: Connect) -> None:
    client, other = await connect(switch.port, "plain ALL"), await connect(switch.port)

    async def heard() -> list[str]:
        """What comes of one event of each kind: a CUSTOM of u1, one of u2, and an API event."""
        before = len(client.events)
        for name in ("1", "2"):
            await other.ask(f"sendevent CUSTOM\nEvent-Subclass: a::{name}\nU: u{name}")
        await other.ask("api echo x")
        await client.ask("nolog")
        return [frame.event.get("U", frame.event["Event-Name"]) for frame in client.events[before:]]

    assert await heard() == ["u1", "u2", "API"]
    await client.ask("filter U u1")
    assert await heard() == ["u1"]
    await client.ask("filter U u2")
    assert await heard() == ["u1", "u2"]
    await client.ask("filter delete all")
    await client.ask("filter U /^u[12]$/")
    assert await heard() == ["u1", "u2"]
    await client.ask("filter delete all")
    await client.ask("filter Event-Name CUSTOM")
    await client.ask("filter U -u2")
    assert await heard() == ["u1"]
    await client.ask("filter delete all")
    await client.ask("nixevent API")
    assert await heard() == []
    await client.ask("event plain CUSTOM a::2")
    assert await heard() == ["u2"]
    await client.ask("event plain CUSTOM a::1 API")
    assert await heard() == ["u1", "u2"]
    await client.ask("event json CHANNEL_CREATE")
    assert await heard() == ["u1", "u2"]
    assert client.events[-1].kind == "text/event-json"
    await client.ask("noevents")
    assert await heard() == []
    await client.ask("event plain CUSTOM")
    assert await heard() == []
