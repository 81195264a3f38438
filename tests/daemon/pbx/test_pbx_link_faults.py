"""What a gateway may do that nobody expects: nothing of it ends the link's own work, and nobody is left waiting."""

from __future__ import annotations

import asyncio
import socket

import pytest
from websockets.asyncio.server import ServerConnection, serve

from daemon.demo.pbx_gateway import SimulatedGateway
from daemon.pbx.contract import PbxTimeout
from daemon.stores.database import Database
from protocols.dcmiws.actions import database_get, database_put, ping
from protocols.dcmiws.answers import Found, database_answer, is_pong
from tests.daemon.pbx.clicking import CALL, FULL, JIN, over, steps
from tests.daemon.pbx.conftest import Room, configured, running

DEEP = 100_000


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


async def test_values_that_nest_too_deep_cost_no_link(room: Room, simulated: SimulatedGateway) -> None:
    ours = simulated.received[-1].get("ActionID").encode()
    await simulated.send_bytes(b'{"type":3,"server_id":1,"data":{"Event":"Deep","Value":' + nested(DEEP) + b"}}")
    head = b'{"type":4,"server_id":1,"data":{"Response":"Success","ActionID":"%s","Output":' % ours
    depths = range(100, 1200)
    for depth in depths:
        await simulated.send_bytes(head + nested(depth) + b"}}")
    gateway = room.pbx.gateway
    await room.until(lambda: gateway.unreadable + gateway.late_answers == 1 + len(depths))
    assert is_pong(await gateway.ask("pbx1", ping(), feature="Test"))
    assert not any(link.link == "pbx:gateway" and link.state == "away" for link in room.links)


async def test_only_answers_are_taken_for_one(room: Room, simulated: SimulatedGateway) -> None:
    simulated.slow(1, 3600.0)
    asking = asyncio.ensure_future(room.pbx.gateway.ask("pbx1", database_get("f", "k"), feature="Test"))
    await room.until(lambda: any("database get f k" in request.get("Command") for request in simulated.received))
    action_id = simulated.received[-1].get("ActionID")
    received = room.pbx.gateway.received
    said = '"server_id":1,"data":{"Response":"Success","ActionID":"%s","Output":"Value: %s"}}'
    for kind in (0, 1, 2, 9):
        await simulated.send_bytes((f'{{"type":{kind},' + said % (action_id, "no answer")).encode())
    await room.until(lambda: room.pbx.gateway.received >= received + 4)
    assert not asking.done()
    await simulated.send_bytes(('{"type":6,' + said % (action_id, "yes")).encode())
    assert database_answer(await asking) == Found("yes")


@pytest.mark.parametrize("host", ["pbx..example", f"{'a' * 64}.example"])
async def test_an_address_that_is_none_is_said_to_be_away(sqlite_database: Database, host: str) -> None:
    async with running(configured(f"ws://{host}:1/"), sqlite_database) as room:
        await room.until(lambda: room.state("gateway") == "away")
        assert "cannot connect" in room.pbx.statuses[0].detail
        assert room.task is not None
        assert not room.task.done()


async def test_a_gateway_that_reads_no_more_leaves_nobody_waiting(sqlite_database: Database) -> None:
    deaf = asyncio.Event()

    async def never_read(connection: ServerConnection) -> None:
        await deaf.wait()

    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        async with serve(never_read, sock=listener, max_queue=1, ping_interval=None, close_timeout=0.1):
            url = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
            async with running(configured(url, request_timeout=0.5, attempts=1), sqlite_database) as room:
                try:
                    await room.until(lambda: room.state("gateway") == "ready")
                    put = database_put("f", "k", "v" * 900)
                    async with asyncio.timeout(60):
                        outcomes = await asyncio.gather(
                            *(room.pbx.gateway.ask("pbx1", put, feature="Test") for _ in range(8000)),
                            return_exceptions=True,
                        )
                    assert {type(outcome) for outcome in outcomes} == {PbxTimeout}
                    assert room.pbx.gateway.in_flight == 0
                finally:
                    deaf.set()


async def test_a_step_that_the_store_refuses_ends_nothing(room: Room) -> None:
    async with room.database.transaction() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE UPDATE ON click_to_calls BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    placed = await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
    assert steps(await over(room, placed)) == FULL
    assert room.task is not None
    assert not room.task.done()
