"""The link to the gateway, on a real WebSocket: answers by ActionID, faults injected, nobody left waiting."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from websockets.asyncio.client import connect

from daemon.calls.links import LinkState
from daemon.demo.pbx_gateway import SimulatedGateway
from daemon.pbx.contract import PbxError, PbxTimeout, PbxUnavailable, UsageError
from daemon.stores.database import Database
from protocols.dcmiws.actions import core_show_channels, database_del, database_get, database_put, ping
from protocols.dcmiws.answers import Found, database_answer, is_pong
from tests.daemon.pbx.conftest import Room, configured, running

IN_FLIGHT = 1000
ROUNDS = 10 if os.environ.get("PARLEY_PROVE") == "1" else 1


async def test_every_server_is_pinged_and_answers(room: Room, simulated: SimulatedGateway) -> None:
    assert {status.link for status in room.pbx.statuses} == {"pbx:gateway", "pbx:pbx1", "pbx:pbx2"}
    for status in room.pbx.statuses[1:]:
        assert status.round_trip is not None
        assert 0 < status.round_trip < 5
    gateway = room.pbx.gateway.status.now
    assert gateway.last_event_at is not None
    assert gateway.last_event_at > gateway.since, "the gateway is heard whenever a server is"
    asked = [(request.server_id, request.get("Action")) for request in simulated.received]
    assert {(1, "ping"), (2, "ping")} <= set(asked)
    assert simulated.dropped == 0


async def test_many_at_once_each_get_their_own_answer(room: Room) -> None:
    for number in range(200):
        await room.pbx.gateway.ask("pbx1", database_put("f", f"k{number}", str(number)), feature="Test")
    frames = await asyncio.gather(
        *(room.pbx.gateway.ask("pbx1", database_get("f", f"k{number}"), feature="Test") for number in range(200))
    )
    assert [database_answer(frame) for frame in frames] == [Found(str(number)) for number in range(200)]
    assert room.pbx.gateway.in_flight == 0


async def test_old_servers_answer_too(room: Room, simulated: SimulatedGateway) -> None:
    simulated.old(1)
    await room.pbx.gateway.ask("pbx1", database_put("f", "k", "v"), feature="Test")
    frame = await room.pbx.gateway.ask("pbx1", database_get("f", "k"), feature="Test")
    assert database_answer(frame) == Found("v")


async def test_a_list_is_collected_to_its_end(room: Room, simulated: SimulatedGateway) -> None:
    simulated.servers[2].ring_in("01012345678", "", "0212345678", "1010")
    await room.until(lambda: len(simulated.servers[2].channels) == 2)
    listed = await room.pbx.gateway.ask_list("pbx2", core_show_channels(), feature="Test")
    assert len(listed) == 2
    assert await room.pbx.gateway.ask_list("pbx1", core_show_channels(), feature="Test") == []


async def test_the_answers_of_other_clients_are_nobodys(room: Room, simulated: SimulatedGateway) -> None:
    gateway = room.pbx.gateway
    before = gateway.ignored
    async with connect(simulated.url, compression=None) as other:
        await other.send('{"AMIServerID":1,"data":{"Action":"Ping","ActionID":"DIPCAST-C2C"}}')
        await other.send('{"AMIServerID":1,"data":{"Action":"Ping","ActionID":"DIPCAST-a-1-b-c-d-ffffffff.1"}}')
        await other.recv()
        await other.recv()
    await room.until(lambda: gateway.ignored == before + 2)
    assert is_pong(await gateway.ask("pbx1", ping(), feature="Test"))
    assert (gateway.ignored, gateway.late_answers) == (before + 2, 0)


async def test_a_gateway_killed_with_a_thousand_in_flight_fails_each_by_name_and_comes_back(
    room: Room, simulated: SimulatedGateway
) -> None:
    gateway = room.pbx.gateway
    for _ in range(ROUNDS):
        simulated.slow(1, 3600.0)
        asked = [
            asyncio.ensure_future(gateway.ask("pbx1", database_get("f", f"k{number}"), feature="Test"))
            for number in range(IN_FLIGHT)
        ]
        await room.until(lambda: gateway.in_flight >= IN_FLIGHT)
        loop = asyncio.get_running_loop()
        lost_at = loop.time()
        await simulated.stop()
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert loop.time() - lost_at < 1.0, "the bound of the promise, not a measure of speed"
        assert [type(outcome) for outcome in outcomes] == [PbxUnavailable] * IN_FLIGHT
        assert all(isinstance(outcome, PbxUnavailable) and outcome.sent for outcome in outcomes)
        assert gateway.in_flight == 0
        await room.until(lambda: room.state("gateway") == "away")
        assert [room.state(name) for name in ("pbx1", "pbx2")] == ["away", "away"]
        with pytest.raises(PbxUnavailable) as refused:
            await gateway.ask("pbx1", ping(), feature="Test")
        assert not refused.value.sent
        simulated.slow(1, 0.0)
        pings = sum(request.get("Action") == "ping" for request in simulated.received)
        await simulated.start()
        await room.ready()
        assert sum(request.get("Action") == "ping" for request in simulated.received) >= pings + 2


async def test_a_cut_link_is_made_again_and_the_gap_is_told(room: Room, simulated: SimulatedGateway) -> None:
    simulated.cut()
    await room.until(lambda: any(link.link == "pbx:gateway" and link.state == "away" for link in room.links))
    await room.ready()
    gateway = next(status for status in room.pbx.statuses if status.server == "gateway")
    assert gateway.gap is not None
    assert gateway.gap > 0


async def test_a_request_that_nobody_answers_ends_by_its_deadline(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    config = configured(simulated.url, request_timeout=0.2, attempts=3)
    async with running(config, sqlite_database) as room:
        await room.ready()
        await simulated.down(1, cleanly=False)
        before = len(simulated.received)
        with pytest.raises(PbxTimeout):
            await room.pbx.gateway.ask("pbx1", database_get("f", "k"), feature="Test")
        asked = [request.get("Command") for request in simulated.received[before:]]
        assert asked.count("database get f k") == 3, "what may be repeated is"
        with pytest.raises(PbxTimeout):
            await room.pbx.gateway.ask("pbx1", database_del("f", "k"), feature="Test")
        asked = [request.get("Command") for request in simulated.received[before:]]
        assert asked.count("database del f k") == 1, "and nothing else"
        assert room.pbx.gateway.in_flight == 0


async def test_an_answer_that_comes_too_late_is_counted(simulated: SimulatedGateway, sqlite_database: Database) -> None:
    async with running(configured(simulated.url, request_timeout=0.3, attempts=1), sqlite_database) as room:
        await room.ready()
        simulated.slow(2, 3600.0)
        with pytest.raises(PbxTimeout):
            await room.pbx.gateway.ask("pbx2", database_get("f", "k"), feature="Test")
        simulated.slow(2, 0.0)
        await room.until(lambda: room.pbx.gateway.late_answers > 0)


async def test_who_goes_away_leaves_nothing_behind(room: Room, simulated: SimulatedGateway) -> None:
    simulated.slow(1, 3600.0)
    asking = asyncio.ensure_future(room.pbx.gateway.ask("pbx1", ping(), feature="Test"))
    await room.until(lambda: room.pbx.gateway.in_flight > 0)
    asking.cancel()
    await asyncio.wait([asking])
    assert room.pbx.gateway.in_flight == 0


async def test_what_cannot_be_sent_is_refused_before_it_is(room: Room, simulated: SimulatedGateway) -> None:
    before = len(simulated.received)
    with pytest.raises(UsageError, match="Command is too long"):
        await room.pbx.gateway.ask("pbx1", database_put("f", "k", "v" * 2000), feature="Test")
    assert len(simulated.received) == before


async def test_a_burst_of_nine_thousand_delays_no_answer(room: Room, simulated: SimulatedGateway) -> None:
    before = room.pbx.gateway.ignored
    asking = asyncio.ensure_future(room.pbx.gateway.ask("pbx1", ping(), feature="Test"))
    simulated.burst(9000)
    turns = 0
    while not asking.done():
        turns += 1
        await asyncio.sleep(0)
    assert is_pong(asking.result())
    await room.until(lambda: room.pbx.gateway.ignored >= before + 9000)
    assert room.state("gateway") == "ready"
    assert turns > 2, "the loop was not held"


async def test_bytes_that_are_no_text_cost_no_link(room: Room, simulated: SimulatedGateway) -> None:
    await simulated.send_bytes(b'{"type": 4, "server_id": 1, "data": {"Output": "Value: \xc7\xd1\xba\xfb"}}')
    await simulated.send_bytes(b"this is no JSON")
    await room.until(lambda: room.pbx.gateway.damaged == 1 and room.pbx.gateway.unreadable == 1)
    assert is_pong(await room.pbx.gateway.ask("pbx1", ping(), feature="Test"))


async def test_a_refused_handshake_is_shown_as_such(simulated: SimulatedGateway, sqlite_database: Database) -> None:
    simulated.refuse(403)
    async with running(configured(simulated.url), sqlite_database) as room:
        await room.until(lambda: room.state("gateway") == LinkState.REFUSED)
        assert "HTTP 403" in room.pbx.statuses[0].detail
        simulated.refuse(None)
        await room.ready()


async def test_headers_of_the_configuration_go_with_the_handshake(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    from daemon.config import PbxHeaderConfig

    config = configured(simulated.url, header=[PbxHeaderConfig(name="X-Site", value="seoul")])
    async with running(config, sqlite_database) as room:
        await room.ready()
        assert simulated.handshakes[-1].headers["X-Site"] == "seoul"


async def test_stopping_fails_who_waits(simulated: SimulatedGateway, sqlite_database: Database) -> None:
    async with running(configured(simulated.url), sqlite_database) as room:
        await room.ready()
        simulated.slow(1, 3600.0)
        asking = asyncio.ensure_future(room.pbx.gateway.ask("pbx1", ping(), feature="Test"))
        await room.until(lambda: room.pbx.gateway.in_flight > 0)
    with pytest.raises(PbxError):
        await asking


# Servers


async def test_a_server_that_stops_and_starts_is_seen_at_once(room: Room, simulated: SimulatedGateway) -> None:
    await simulated.down(1)
    await room.until(lambda: room.state("pbx1") == "away")
    assert next(status for status in room.pbx.statuses if status.server == "pbx1").detail == "it was shut down"
    assert room.state("pbx2") == "ready"
    simulated.up(1)
    await room.until(lambda: room.state("pbx1") == "ready")


async def test_a_server_that_was_killed_is_found_out_by_its_ping(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    config = configured(simulated.url, ping_interval=0.05, request_timeout=0.2)
    async with running(config, sqlite_database) as room:
        await room.ready()
        await simulated.down(2, cleanly=False)
        await room.until(lambda: (room.state("pbx1"), room.state("pbx2")) == ("ready", "away"))
        simulated.up(2)
        await room.ready()


async def test_a_server_that_answers_slowly_is_seen_before_it_does(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    config = configured(simulated.url, ping_interval=0.05, slow_after=0.1)
    async with running(config, sqlite_database) as room:
        await room.ready()
        simulated.slow(1, 3600.0)
        await room.until(lambda: room.state("pbx1") == "slow")
        simulated.slow(1, 0.0)
        await room.ready()


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[SimulatedGateway]:
    """A gateway that speaks wss; who trusts the authority in ``ca.pem`` can know that it is the one."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    made = SimulatedGateway({1: "pbx1.example.com", 2: "pbx2.example.com"}, tls=tls)
    await made.start()
    yield made
    await made.close()


async def test_wss_is_spoken_with_whom_the_configured_authority_vouches_for(
    secure: SimulatedGateway, sqlite_database: Database, tmp_path: Path
) -> None:
    async with running(configured(secure.url, ca_file=str(tmp_path / "ca.pem")), sqlite_database) as room:
        await room.ready()
        assert is_pong(await room.pbx.gateway.ask("pbx1", ping(), feature="Test"))


async def test_a_gateway_that_nobody_vouches_for_is_refused_and_said_to_be(
    secure: SimulatedGateway, sqlite_database: Database
) -> None:
    async with running(configured(secure.url), sqlite_database) as room:
        await room.until(lambda: room.pbx.gateway.status.now.state is LinkState.REFUSED)
        assert room.pbx.gateway.status.now.detail.startswith("its certificate is not trusted: ")
    assert secure.received == []
