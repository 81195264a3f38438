"""A click-to-call ends, by what is heard of it or as unknown: whatever dies, and whoever goes away, meanwhile."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from daemon.config import ClickToCallConfig
from daemon.demo.pbx_gateway import CONTEXT, TENANT_ID, SimulatedGateway
from daemon.demo.pbx_rest import PATH, SimulatedVendorRest
from daemon.demo.pbx_server import Phone
from daemon.demo.pbx_wire import Request
from daemon.pbx.click_to_call_progress import Progress
from daemon.pbx.contract import CallStep, PlacedCall
from daemon.stores.click_to_calls import ClickToCallRow, StepRow
from daemon.stores.database import Database
from protocols.dcmiws.glance import GlanceData
from tests.daemon.pbx.clicking import CALL, FULL, JIN, by_rest, originates, over, steps, until_step
from tests.daemon.pbx.conftest import Room, configured, running

TALKING = Phone(hangs_up_after=None)


async def talking(room: Room, simulated: SimulatedGateway) -> PlacedCall:
    """A call that goes on until somebody ends it."""
    simulated.phones["07000000801"] = TALKING
    placed = await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
    return await until_step(room, placed, "callee_answered")


async def test_a_server_that_was_killed_and_is_back_leaves_it_unknown(room: Room, simulated: SimulatedGateway) -> None:
    placed = await talking(room, simulated)
    await simulated.down(1, cleanly=False)
    simulated.up(1)
    ended = await over(room, placed)
    assert steps(ended)[-1] == "outcome_unknown"
    assert ended.steps[-1].detail == "the server was away or restarted meanwhile"


async def test_a_server_that_is_found_dead_leaves_it_unknown(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    config = configured(simulated.url, ping_interval=0.05, request_timeout=0.2)
    async with running(config, sqlite_database) as room:
        await room.ready()
        placed = await talking(room, simulated)
        await simulated.down(1, cleanly=False)
        assert steps(await over(room, placed))[-1] == "outcome_unknown"


async def test_the_end_that_nobody_saw_is_found_out_by_the_next_list(room: Room, simulated: SimulatedGateway) -> None:
    placed = await talking(room, simulated)
    simulated.servers[1].running = False
    for channel in list(simulated.servers[1].channels.values()):
        simulated.servers[1].hang_up(channel, 16)
    simulated.servers[1].running = True
    server = room.pbx.servers.of(1)
    assert server is not None
    await room.pbx.calls.look_again(server)
    ended = await over(room, placed)
    assert (steps(ended)[-1], ended.steps[-1].detail) == ("outcome_unknown", "it ended while nobody could see how")


async def test_a_phone_of_which_nothing_more_is_told_leaves_it_unknown(sqlite_database: Database) -> None:
    patient = SimulatedGateway({1: "pbx1.example.com", 2: "pbx2.example.com"}, speed=0.001)
    await patient.start()
    patient.phones["1010"] = Phone(answers_after=None)
    config = configured(patient.url, request_timeout=0.5)
    config = msgspec.structs.replace(config, tenant=[msgspec.structs.replace(config.tenant[0], ring_time=0.1)])
    try:
        async with running(config, sqlite_database) as room:
            await room.ready()
            placed = await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
            ended = await over(room, placed)
            assert steps(ended) == ["requested", "queued", "caller_ringing", "outcome_unknown"]
            assert ended.steps[-1].detail == "the outcome of the call was not told in time"
    finally:
        await patient.close()


async def test_a_mistake_of_our_own_leaves_it_unknown(
    simulated: SimulatedGateway, rest: SimulatedVendorRest, sqlite_database: Database
) -> None:
    config = by_rest(simulated, rest)
    no_text = msgspec.structs.replace(config.tenant[0], account_code="\udc80")
    async with running(msgspec.structs.replace(config, tenant=[no_text]), sqlite_database) as room:
        await room.ready()
        with pytest.raises(UnicodeEncodeError):
            await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
        [placed] = await room.pbx.click_to_call.latest(1)
        assert steps(placed) == ["requested", "outcome_unknown"]


async def test_who_asked_may_go_away_while_it_is_placed(room: Room, simulated: SimulatedGateway) -> None:
    simulated.slow(1, 3600.0)
    asked = len(simulated.received)
    asking = asyncio.ensure_future(room.pbx.click_to_call.place(CALL, actor=JIN, key="k"))
    await room.until(lambda: len(simulated.received) > asked)
    assert originates(simulated) == 0, "the caller's diversions are read first"
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled()
    simulated.slow(1, 0.0)
    [placed] = await room.pbx.click_to_call.latest(1)
    assert steps(await over(room, placed)) == FULL


async def test_a_response_that_comes_too_late_ends_nothing(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    async with running(configured(simulated.url, request_timeout=0.2, attempts=1), sqlite_database) as room:
        await room.ready()
        simulated.slow(1, 3600.0)
        placed = await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
        assert steps(placed) == ["requested"]
        simulated.slow(1, 0.0)
        assert steps(await over(room, placed)) == FULL


@asynccontextmanager
async def broken_rest(simulated: SimulatedGateway, *, places: bool) -> AsyncIterator[str]:
    """The vendor's REST behind a proxy that has lost patience with it; whether it placed the call nobody can tell."""

    async def click(request: web.Request) -> web.Response:
        body = await request.json()
        fields = [
            ("Action", "Originate"),
            ("Channel", f"Local/{body['caller']}@{CONTEXT}"),
            ("Context", CONTEXT),
            ("Exten", body["callee"]),
            ("Timeout", "30000"),
            ("Async", "yes"),
            *(("Variable", f"{name}={value}") for name, value in body["variables"].items()),
        ]
        if places:
            simulated.servers[1].take(Request(0, fields))
        return web.Response(status=504)

    app = web.Application()
    app.router.add_post(PATH, click)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
    finally:
        await runner.cleanup()


async def test_a_rest_that_fails_behind_its_proxy_may_have_placed_it(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    async with broken_rest(simulated, places=True) as url:
        config = configured(simulated.url, click_to_call=ClickToCallConfig(rest_url=url))
        async with running(config, sqlite_database) as room:
            await room.ready()
            placed = await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
            assert steps(await over(room, placed)) == FULL
            assert originates(simulated) == 0


async def test_a_rest_that_failed_and_of_which_nothing_is_heard_says_why(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    async with broken_rest(simulated, places=False) as url:
        config = configured(simulated.url, click_to_call=ClickToCallConfig(rest_url=url, tie_timeout=0.2))
        async with running(config, sqlite_database) as room:
            await room.ready()
            ended = await over(room, await room.pbx.click_to_call.place(CALL, actor=JIN, key="k"))
            assert steps(ended) == ["requested", "outcome_unknown"]
            assert "HTTP 504" in ended.steps[-1].detail
            assert originates(simulated) == 0


async def test_a_rest_that_cannot_be_connected_to_in_time_lets_the_websocket_have_it(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        rules = ClickToCallConfig(rest_url=f"http://127.0.0.1:{full.getsockname()[1]}{PATH}", rest_timeout=0.4)
        async with running(configured(simulated.url, click_to_call=rules), sqlite_database) as room:
            await room.ready()
            placed = await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
            assert placed.way == "websocket"
        for each in waiting:
            each.close()


async def test_authorities_that_cannot_be_read_let_the_websocket_have_it(
    simulated: SimulatedGateway, rest: SimulatedVendorRest, sqlite_database: Database, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "none.pem"):
        config = by_rest(simulated, rest, rest_ca_file=str(tmp_path / name))
        async with running(config, sqlite_database) as room:
            await room.ready()
            placed = await room.pbx.click_to_call.place(CALL, actor=JIN, key=name)
            assert placed.way == "websocket"


# What is said before


async def test_every_diversion_in_effect_is_told(room: Room, simulated: SimulatedGateway) -> None:
    for database in simulated.database.values():
        database[TENANT_ID, "diversions/1010/CFB/destination"] = "sub-custom-numbers,01011111111,1"
        database[TENANT_ID, "diversions/1010/CFN/destination"] = "sub-custom-numbers,01022222222,1"
    placed = await room.pbx.click_to_call.place(CALL, actor=JIN, key="several")
    assert placed.notice == "1010 forwards to 01011111111 on busy; 1010 forwards to 01022222222 on no answer"
    for database in simulated.database.values():
        database[TENANT_ID, "diversions/1010/CFI/destination"] = "sub-custom-numbers,01033333333,1"
    placed = await room.pbx.click_to_call.place(CALL, actor=JIN, key="immediate")
    assert placed.notice == "1010 forwards to 01033333333: that phone rings first"
    assert not placed.forwards_unread


async def test_one_live_server_is_asked_for_the_diversions(room: Room, simulated: SimulatedGateway) -> None:
    simulated.database[2][TENANT_ID, "diversions/1010/CFB/destination"] = "sub-custom-numbers,01011111111,1"
    await simulated.down(1)
    await room.until(lambda: room.state("pbx1") == "away")
    asked = len(simulated.received)
    placed = await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
    assert placed.notice == "1010 forwards to 01011111111 on busy"
    assert {request.server_id for request in simulated.received[asked:]} == {2}


async def test_diversions_that_cannot_be_read_in_time_are_said_to_be(room: Room, simulated: SimulatedGateway) -> None:
    simulated.slow(1, 3600.0)
    placing = asyncio.ensure_future(room.pbx.click_to_call.place(CALL, actor=JIN, key="k"))
    await room.until(lambda: originates(simulated) == 1)
    simulated.slow(1, 0.0)
    placed = await placing
    assert (placed.forwards, placed.forwards_unread) == ([], True)
    assert placed.notice == "whether 1010 is forwarded could not be read"
    assert steps(await over(room, placed)) == FULL


# Two phones


class Call:
    """A click-to-call that has been queued, and the events of its channels."""

    def __init__(self) -> None:
        row = ClickToCallRow(
            click_to_call_id="c",
            actor="jin",
            request_key="k",
            request="h",
            tenant="main",
            caller="1010",
            callee="0101",
            created_at=1.0,
            steps=[StepRow(CallStep.QUEUED, 1.0)],
        )
        self.progress = Progress(row, diverted="sub-custom-numbers", clock=lambda: 2.0, changed=lambda _: None)
        self.progress.tie(1, "first")
        self.state("first", "6")
        for phone in ("desk", "mobile"):
            self.progress.take(GlanceData(event="DialBegin", uniqueid="first", linkedid="first", dest_uniqueid=phone))

    def state(self, channel: str, state: str) -> None:
        self.progress.take(GlanceData(event="Newstate", uniqueid=channel, linkedid="first", channel_state=state))

    def dialled(self, status: str) -> None:
        self.progress.take(GlanceData(event="DialEnd", uniqueid="first", linkedid="first", dial_status=status))

    def hang_up(self) -> None:
        self.progress.take(GlanceData(event="Hangup", uniqueid="first", linkedid="first", cause="16"))

    @property
    def steps(self) -> list[str]:
        return [str(taken.step) for taken in self.progress.steps[2:]]


@pytest.mark.parametrize("rings", ["desk", "mobile"])
@pytest.mark.parametrize("answers", ["desk", "mobile"])
def test_of_two_phones_any_may_ring_and_any_may_answer(rings: str, answers: str) -> None:
    call = Call()
    call.state(rings, "5")
    call.state(answers, "6")
    call.dialled("BUSY")
    call.hang_up()
    assert call.steps == ["callee_ringing", "callee_answered", "ended"]


def test_of_two_phones_none_answered() -> None:
    call = Call()
    call.state("desk", "5")
    call.dialled("BUSY")
    call.dialled("NOANSWER")
    call.hang_up()
    assert call.steps == ["callee_ringing", "callee_unreached"]
