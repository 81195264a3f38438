"""Calls of the PBX: every recorded one once, from its beginning to its end; and what a server's own list corrects."""

from __future__ import annotations

import pytest

from daemon.calls.call import CallState, Disposition
from daemon.calls.registry import Registry
from daemon.demo.pbx_gateway import CONTEXT, SimulatedGateway
from daemon.demo.pbx_server import Phone
from daemon.hub import Hub
from daemon.pbx.calls import ServerCalls
from protocols.dcmiws.actions import Originate, originate
from protocols.dcmiws.glance import glance
from tests.daemon.pbx.conftest import Room
from tests.wire import recordings

CALLING = ["s3_lists.jsonl", "s4_originate.jsonl", "s5_odd.jsonl", "s6b.jsonl", "s12_utf8_cid_mixed.jsonl"]


def follow(name: str) -> tuple[Registry, set[tuple[int, str]]]:
    """The registry after a recording, and every Linkedid that was in it, by server."""
    registry = Registry(Hub(), clock=lambda: 0.0, keep_ended=1e9)
    now = 0.0
    followers = {server_id: ServerCalls(f"pbx{server_id}", registry.apply, lambda: now) for server_id in (1, 2)}
    linked = set()
    for line in recordings.frames(name):
        if line["dir"] != "in" or "raw" not in line:
            continue
        now = line["t"]
        seen, _ = glance(line["raw"].encode())
        if seen.data.event == "Newchannel":
            linked.add((seen.server_id, seen.data.linkedid))
        if seen.data.event and seen.server_id in followers:
            followers[seen.server_id].take(seen.data)
    return registry, linked


@pytest.mark.parametrize("name", CALLING)
def test_every_recorded_call_appears_once_and_ends(name: str) -> None:
    registry, linked = follow(name)
    calls = registry.calls()
    assert {(int(call.server.removeprefix("pbx")), call.other_id) for call in calls} == linked
    assert len(calls) == len(linked) > 0
    assert {call.state for call in calls} == {CallState.ENDED}
    assert all(call.ended_at is not None and call.ended_at >= call.created_at for call in calls)
    assert registry.unknown_legs == 0


def test_a_recorded_click_to_call_is_one_leg_that_was_answered() -> None:
    registry, _ = follow("s4_originate.jsonl")
    call = registry.calls()[0]
    assert (call.caller, call.caller_name, call.callee) == ("16000001", "한빛상담실", "07000000801")
    assert [leg.leg_id for leg in call.legs] == ["ast1-1795199231.4"], "the pipe's second half is no leg"
    assert (call.disposition, call.hangup_cause) == (Disposition.ANSWERED, "NORMAL_CLEARING")
    assert call.answered_at is not None


def test_those_that_did_not_come_about_say_why() -> None:
    registry, _ = follow("s4_originate.jsonl")
    unanswered = {call.legs[0].callee: call.disposition for call in registry.calls() if call.answered_at is None}
    assert unanswered["4081"] is Disposition.NO_ANSWER


async def test_a_call_from_outside_is_one_call_of_two_legs(room: Room, simulated: SimulatedGateway) -> None:
    simulated.phones["01012345678"] = Phone(hangs_up_after=None)
    talking = simulated.servers[1].ring_in("01012345678", "고객", "0212345678", "1010")
    await room.until(lambda: bool(room.calls) and room.calls[0].state == "bridged")
    [call] = room.calls
    assert (call.origin, call.server, call.caller, call.caller_name) == ("asterisk", "pbx1", "01012345678", "고객")
    assert call.did == "0212345678"
    assert [(leg.direction, leg.callee) for leg in call.legs][1] == ("outbound", "1010")
    talking.cancel()
    await simulated.down(1)
    await room.until(lambda: call.state == "ended")


async def test_a_click_to_call_is_one_call_with_both_phones(room: Room, simulated: SimulatedGateway) -> None:
    simulated.phones["07000000801"] = Phone(hangs_up_after=None)
    wanted = Originate(channel=f"Local/1010@{CONTEXT}", context=CONTEXT, exten="07000000801", caller_number="16000001")
    await room.pbx.gateway.originate(
        "pbx1", originate(wanted), outcome_within=30.0, told=lambda outcome: outcome.exception()
    )
    await room.until(lambda: bool(room.calls) and len(room.calls[0].legs) == 3)
    await room.until(lambda: all(leg.peer_id for leg in room.calls[0].legs))
    [call] = room.calls
    assert call.state == "bridged"
    assert sorted(leg.callee for leg in call.legs) == ["07000000801", "07000000801", "1010"]


async def test_what_ended_and_began_while_the_link_was_away_is_found_out(
    room: Room, simulated: SimulatedGateway
) -> None:
    for number in ("01012345678", "01087654321"):
        simulated.phones[number] = Phone(hangs_up_after=None)
    simulated.servers[1].ring_in("01012345678", "", "0212345678", "1010")
    await room.until(lambda: bool(room.calls) and room.calls[0].state == "bridged")
    before = room.calls[0]
    await simulated.stop()
    await room.until(lambda: room.state("gateway") == "away")
    for channel in list(simulated.servers[1].channels.values()):
        simulated.servers[1].hang_up(channel, 16)
    simulated.servers[1].ring_in("01087654321", "", "0212345678", "1011")
    await room.until(lambda: len(simulated.servers[1].channels) == 2)
    assert before.state == "bridged"
    await simulated.start()
    await room.ready()
    await room.until(lambda: len(room.calls) == 2 and room.calls[1].state == "bridged")
    assert (before.state, before.disposition) == ("ended", Disposition.LOST)
    assert room.calls[1].caller == "01087654321"
    assert len(room.calls[1].legs) == 2
    assert any(room.recalled), "stored calls are looked for first"


async def test_a_server_that_was_killed_with_calls_up_comes_back_without_them(
    room: Room, simulated: SimulatedGateway
) -> None:
    simulated.phones["01012345678"] = Phone(hangs_up_after=None)
    simulated.servers[2].ring_in("01012345678", "", "0212345678", "1010")
    await room.until(lambda: bool(room.calls) and room.calls[0].state == "bridged")
    await simulated.down(2, cleanly=False)
    simulated.up(2)
    await room.until(lambda: room.calls[0].state == "ended")
    assert room.calls[0].disposition is Disposition.LOST
