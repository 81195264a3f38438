"""Calls of the PBX: every recorded one once, from its beginning to its end; and what a server's own list corrects."""

from __future__ import annotations

import asyncio

import pytest

from daemon.calls.call import CallState, Disposition
from daemon.calls.events import CallEvent, LegAnswered, LegAppeared, LegEnded
from daemon.calls.registry import Registry
from daemon.demo.pbx_gateway import CONTEXT, SimulatedGateway
from daemon.demo.pbx_server import Phone
from daemon.hub import Hub
from daemon.pbx.server_calls import ServerCalls
from daemon.stores.database import Database
from protocols.dcmiws.actions import Originate, originate
from protocols.dcmiws.glance import GlanceData, glance
from tests.daemon.pbx.conftest import Room, configured, running
from tests.wire import recordings

CALLING = ["s3_lists.jsonl", "s4_originate.jsonl", "s5_odd.jsonl", "s6b.jsonl", "s12_utf8_cid_mixed.jsonl"]


def follow(name: str) -> tuple[Registry, set[tuple[int, str]]]:
    """The registry after a recording, and every Linkedid that was in it, by server; no channel is kept in mind."""
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
    assert [follower.remembered for follower in followers.values()] == [0, 0]
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
    assert any(link.link == "pbx:pbx2" and link.detail == "it was restarted" for link in room.links)


async def test_a_list_that_could_not_be_had_is_asked_for_until_it_is(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    simulated.phones["01012345678"] = Phone(hangs_up_after=None)
    async with running(configured(simulated.url, request_timeout=0.2), sqlite_database) as room:
        await room.ready()
        simulated.servers[1].ring_in("01012345678", "", "0212345678", "1010")
        await room.until(lambda: bool(room.calls) and room.calls[0].state == "bridged")
        simulated.servers[1].channels.clear()
        server = room.pbx.servers.of(1)
        assert server is not None
        simulated.slow(1, 3600.0)
        before = lists(simulated)
        looking = asyncio.ensure_future(room.pbx.calls.look_again(server))
        await room.until(lambda: lists(simulated) >= before + 2)
        assert room.calls[0].state == "bridged"
        simulated.slow(1, 0.0)
        await room.until(lambda: room.calls[0].state == "ended")
        await looking
        assert room.calls[0].disposition is Disposition.LOST


async def test_lists_of_one_server_are_asked_for_one_after_the_other(room: Room, simulated: SimulatedGateway) -> None:
    server = room.pbx.servers.of(1)
    assert server is not None
    await room.until(lambda: len(room.recalled) == 2)
    before = lists(simulated)
    await asyncio.gather(*(room.pbx.calls.look_again(server) for _ in range(5)))
    assert lists(simulated) == before + 2, "one, and one more for all who asked meanwhile"


async def test_a_list_that_cannot_be_taken_ends_neither_the_room_nor_a_later_one(
    room: Room, simulated: SimulatedGateway
) -> None:
    await room.until(lambda: len(room.recalled) == 2)
    room.recall_fails = True
    simulated.up(1)
    await room.until(lambda: len(room.recalled) > 2)
    await room.ready()
    room.recall_fails = False
    before = len(room.recalled)
    simulated.up(1)
    await room.until(lambda: len(room.recalled) > before)
    assert room.task is not None
    assert not room.task.done()


def lists(simulated: SimulatedGateway) -> int:
    """How many lists were asked for."""
    return sum(request.get("Action") == "CoreShowChannels" for request in simulated.received)


def newchannel(uniqueid: str, name: str = "PJSIP/1010-1") -> GlanceData:
    return GlanceData(event="Newchannel", channel=name, uniqueid=uniqueid, linkedid="a", channel_state="4")


def newstate(uniqueid: str) -> GlanceData:
    return GlanceData(event="Newstate", channel="PJSIP/1010-1", uniqueid=uniqueid, linkedid="a", channel_state="6")


def test_what_a_list_does_not_have_is_forgotten_unless_it_is_newer() -> None:
    told: list[CallEvent] = []
    calls = ServerCalls("pbx1", told.append, lambda: 1.0)
    calls.take(newchannel("appeared"))
    calls.take(newstate("appeared"))
    calls.take(newchannel("waiting"))
    calls.take(newchannel("half", "Local/1010@ctx-1;2"))
    calls.begin_listing()
    calls.take(newchannel("newer"))
    calls.take_list([], ["appeared"])
    calls.end_listing()
    assert isinstance(told[-1], LegEnded)
    assert calls.remembered == 1
    before = len(told)
    for gone in ("appeared", "waiting"):
        calls.take(newstate(gone))
    assert len(told) == before
    calls.take(newstate("newer"))
    assert [type(event) for event in told[before:]] == [LegAppeared, LegAnswered]


def test_what_comes_and_goes_is_kept_in_mind_only_while_there_is_a_list_to_wait_for() -> None:
    calls = ServerCalls("pbx1", lambda _: None, lambda: 1.0)
    for _ in range(2):
        calls.take(newchannel("a"))
        calls.take(newstate("a"))
        calls.take(GlanceData(event="Hangup", channel="PJSIP/1010-1", uniqueid="a", linkedid="a"))
        assert calls.remembered == 0
        calls.begin_listing()
        calls.end_listing()
