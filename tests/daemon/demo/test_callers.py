"""The demo's callers keep to their scripts, and every call that starts ends."""

from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict

import pytest

from daemon.demo.callers import Callers
from daemon.demo.dialogues import SCRIPTS
from daemon.demo.led_dialogues import LED
from daemon.demo.script import Connect, Consult, Line, Script, Transfer
from daemon.demo.switch import SimulatedSwitch
from protocols.esl.connection import AuthRefused, BrokenEvent, Connection, Ready, UnknownFrame
from protocols.esl.events import EslEvent
from tests.daemon.demo.conftest import Connect as Connecting
from tests.daemon.demo.conftest import Run
from tests.daemon.demo.plain_client import PlainClient

ROUNDS = 20 if os.environ.get("PARLEY_PROVE") else 2
"""How often each script is gone through."""


def finals(client: PlainClient) -> dict[str, list[str]]:
    """What was said for good, by call and in the order it came; a callee's words stand with the caller's leg."""
    found = defaultdict(list)
    for frame in client.events:
        event = frame.event
        if "transcription" not in event.get("Event-Subclass", ""):
            continue
        body = json.loads(event["_body"])
        if body.get("is_final", True):
            text = body.get("text") or (body.get("alternatives") or body["channel"]["alternatives"])[0]["transcript"]
            found[event["Channel-Call-UUID"]].append(text.strip())
    return found


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
async def test_a_script_is_spoken_to_its_end(switch: SimulatedSwitch, connect: Connecting, script: Script) -> None:
    client = await connect(switch.port, "json ALL")
    callers = Callers(switch, scripts=[script], fewest=1, most=1)
    await callers.run(calls=1)
    await switch.flushed()
    await client.ask("noevents")
    assert (callers.started, callers.ended, callers.failed) == (1, 1, 0)
    assert switch.leg_ids() == []

    people = [step.text for step in script.steps if isinstance(step, Line) and step.who != "app"]
    heard = [text for texts in finals(client).values() for text in texts]
    assert sorted(heard) == sorted([*people, *filter(None, [script.late])])
    spoken = [
        f.event["Application-Data"].split("|")[-1] for f in client.events if f.event.get("Application") == "speak"
    ]
    assert spoken[::2] == spoken[1::2] == [s.text for s in script.steps if isinstance(s, Line) and s.who == "app"]
    reached = sum(isinstance(step, Connect | Transfer | Consult) for step in script.steps)
    assert client.names().count("CHANNEL_BRIDGE") == client.names().count("CHANNEL_UNBRIDGE") == reached
    parked = 1 + any(isinstance(step, Consult) for step in script.steps) if script.code else 0
    assert client.names().count("CHANNEL_PARK") == client.names().count("CHANNEL_UNPARK") == parked
    assert ("CHANNEL_ANSWER" in client.names()) is (script.answered or bool(reached))


async def test_whoever_waits_for_a_program_that_is_not_there_gives_up(
    switch: SimulatedSwitch, connect: Connecting
) -> None:
    client = await connect(switch.port, "json CHANNEL_ANSWER CHANNEL_HANGUP")
    callers = Callers(switch, scripts=LED, fewest=1, most=1)
    await callers.run(calls=1)
    await switch.flushed()
    assert callers.failed == 0
    assert (await client.event(Event_Name="CHANNEL_HANGUP"))["Hangup-Cause"] == "ORIGINATOR_CANCEL"
    assert "CHANNEL_ANSWER" not in client.names()


async def test_interims_grow_into_their_final(switch: SimulatedSwitch, connect: Connecting) -> None:
    script = next(script for script in SCRIPTS if script.vendor == "google")
    client = await connect(switch.port, "json CUSTOM google_transcribe::transcription")
    await Callers(switch, scripts=[script], fewest=1, most=1).run(calls=1)
    await switch.flushed()
    await client.ask("noevents")
    standing, interims = "", 0
    for frame in client.events:
        body = json.loads(frame.event["_body"])
        text = body["alternatives"][0]["transcript"]
        assert text.startswith(standing)
        standing = "" if body["is_final"] else text
        interims += not body["is_final"]
    assert standing == ""
    assert interims > 10


async def test_many_calls_at_high_speed_all_end(switch: SimulatedSwitch, connect: Connecting) -> None:
    """Everything sent is also understood by Parley's own session, event by event."""
    client = await connect(switch.port, "json ALL")
    callers = Callers(switch, seed=7)
    most = 0

    def count(_: object) -> None:
        nonlocal most
        most = max(most, callers.live)

    switch.core.listen(count)
    await callers.run(calls=len(SCRIPTS) * ROUNDS)
    await switch.flushed()
    await client.ask("noevents")
    assert callers.started == callers.ended == len(SCRIPTS) * ROUNDS
    assert callers.failed == 0
    assert switch.leg_ids() == []
    assert 4 <= most <= 7
    for name in ("CHANNEL_CREATE", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"):
        legs = [frame.event["Unique-ID"] for frame in client.events if frame.event["Event-Name"] == name]
        assert len(legs) == len(set(legs)) == switch.core.sessions, name
    started = [frame.event["Application-UUID"] for frame in client.events if "EXECUTE" in frame.event["Event-Name"]]
    assert all(started.count(uuid) == 2 for uuid in started)

    session = Connection("ClueCon")
    notices = session.receive(b"".join(frame.head + b"\n\n" + frame.body for frame in client.frames))
    assert not any(isinstance(notice, BrokenEvent | UnknownFrame | AuthRefused) for notice in notices)
    assert any(isinstance(notice, Ready) for notice in notices)
    decoded = [notice for notice in notices if isinstance(notice, EslEvent)]
    assert [event.name for event in decoded] == client.names()


async def test_the_same_seed_calls_the_same_way(run: Run) -> None:
    async def numbers(seed: int) -> list[tuple[str, str]]:
        switch = await run(SimulatedSwitch(speed=1000.0))
        seen: list[tuple[str, str]] = []
        switch.core.listen(
            lambda event: (
                seen.append((event.text("Caller-Username"), event.text("Caller-Destination-Number")))
                if event.name == "CHANNEL_CREATE" and event.text("Call-Direction") == "inbound"
                else None
            )
        )
        await Callers(switch, scripts=SCRIPTS[:7], seed=seed, fewest=1, most=1).run(calls=7)
        return seen

    first = await numbers(3)
    assert first == await numbers(3)
    assert first != await numbers(4)


async def test_people_call_again_after_a_restart(switch: SimulatedSwitch, connect: Connecting) -> None:
    callers = Callers(switch)
    calling = asyncio.get_running_loop().create_task(callers.run())
    client = await connect(switch.port, "json CHANNEL_CREATE")
    await client.seen(lambda: len(client.events) > 4)
    before = callers.started
    await switch.restart("kill")
    client = await connect(switch.port, "json CHANNEL_HANGUP_COMPLETE")
    await client.seen(lambda: len(client.events) > 4)
    assert callers.started > before
    assert callers.failed == 0
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling


async def test_a_call_that_somebody_else_ends_ends_its_script(switch: SimulatedSwitch, connect: Connecting) -> None:
    client = await connect(switch.port, "json CHANNEL_ANSWER")
    script = next(script for script in SCRIPTS if script.name == "long")
    callers = Callers(switch, scripts=[script], fewest=1, most=1)
    calling = asyncio.get_running_loop().create_task(callers.run(calls=1))
    answered = await client.event(Event_Name="CHANNEL_ANSWER")
    assert await client.ask(f"api uuid_kill {answered['Unique-ID']}") == "+OK\n"
    await calling
    assert (callers.ended, callers.failed) == (1, 0)


def test_there_must_be_room_for_callers() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Callers(SimulatedSwitch(), fewest=5, most=4)
