"""What a change of call forwarding is refused for, and what is said where it did not come true everywhere."""

from __future__ import annotations

import asyncio

import pytest

from daemon.actor import Actor
from daemon.demo.pbx_gateway import TENANT_ID, SimulatedGateway
from daemon.pbx.contract import Conflict, PbxError, UsageError
from daemon.stores.database import Database
from daemon.stores.locks import take_lock
from protocols.dcmiws.diversions import DiversionKind
from tests.daemon.pbx.conftest import Room, configured, running

JIN = Actor("jin", "session", "192.0.2.1")
CFI = DiversionKind.IMMEDIATE
DESTINATION = (TENANT_ID, "diversions/1010/CFI/destination")
ENABLE = (TENANT_ID, "diversions/1010/CFI/enable")


async def change(room: Room, extension: str, *, enabled: bool | None = None, destination: str | None = None) -> None:
    await room.pbx.diversions.change(extension, CFI, actor=JIN, version="*", enabled=enabled, destination=destination)


async def test_a_circle_is_refused_also_where_it_is_only_turned_on(room: Room, simulated: SimulatedGateway) -> None:
    await change(room, "1010", enabled=False, destination="1020")
    await change(room, "1020", enabled=True, destination="1010")
    with pytest.raises(UsageError, match="1020 forwards every call to 1010"):
        await change(room, "1010", enabled=True)
    assert {database[ENABLE] for database in simulated.database.values()} == {"no"}


async def test_a_forward_to_itself_is_refused_also_where_it_is_only_turned_on(
    room: Room, simulated: SimulatedGateway
) -> None:
    for database in simulated.database.values():
        database[DESTINATION] = "sub-custom-numbers,1010,1"
        database[ENABLE] = "no"
    with pytest.raises(UsageError, match="the extension itself"):
        await change(room, "1010", enabled=True)
    assert {database[ENABLE] for database in simulated.database.values()} == {"no"}


@pytest.mark.parametrize("destination", ["-", "---"])
async def test_hyphens_alone_are_no_destination_and_remove_none(
    room: Room, simulated: SimulatedGateway, destination: str
) -> None:
    await change(room, "1010", destination="01012345678")
    with pytest.raises(UsageError, match="no number"):
        await change(room, "1010", destination=destination)
    assert simulated.database[1][DESTINATION] == "sub-custom-numbers,01012345678,1"


async def test_a_server_that_did_not_take_it_is_named_beside_those_that_did(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    async with running(configured(simulated.url, request_timeout=1.0, attempts=1), sqlite_database) as room:
        await room.ready()
        await simulated.down(2)
        with pytest.raises(PbxError, match=r"^stored on pbx1; not on pbx2: no answer within 1 s$"):
            await change(room, "1010", enabled=True, destination="01012345678")
        assert simulated.database[1][DESTINATION] == "sub-custom-numbers,01012345678,1"
        assert DESTINATION not in simulated.database[2]


async def test_a_version_cannot_be_computed_from_outside(
    simulated: SimulatedGateway, sqlite_database: Database, room: Room
) -> None:
    async with running(configured(simulated.url), sqlite_database) as other:
        await other.ready()
        one, another = [await each.pbx.diversions.read("1010") for each in (room, other)]
        assert (await room.pbx.diversions.read("1010")).version == one.version
        assert one.version != another.version
        assert one.diversions[0].version != another.diversions[0].version


async def test_a_lock_that_was_lost_meanwhile_ends_the_change(room: Room, simulated: SimulatedGateway) -> None:
    seen = await room.pbx.diversions.read("1010")
    asked = len(simulated.received)
    simulated.slow(1, 3600.0)
    changing = asyncio.ensure_future(
        room.pbx.diversions.change("1010", CFI, actor=JIN, version=seen.version, enabled=False, destination="0101")
    )
    await room.until(lambda: len(simulated.received) > asked)
    room.now += 3600.0  # as long as it may have been stopped for
    async with room.database.transaction() as connection:
        name = "diversions/main/1010"
        assert await take_lock(connection, name, "somebody else", now=room.now, until=room.now + 60.0)
    simulated.slow(1, 0.0)
    with pytest.raises(Conflict, match="somebody else has begun to change it"):
        await changing
    assert simulated.database == {1: {}, 2: {}}
