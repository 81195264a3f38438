"""Call forwarding on two servers, each with its own database: read, set, read back, and never half unseen."""

from __future__ import annotations

import asyncio

import pytest

from daemon.actor import Actor
from daemon.demo.pbx_gateway import TENANT_ID, SimulatedGateway
from daemon.pbx.contract import Conflict, Diversion, PbxUnavailable, UnknownTenant, UsageError
from daemon.stores.audit import latest_audit
from daemon.stores.database import Database, DatabaseAwayError
from protocols.dcmiws.diversions import DiversionKind
from tests.daemon.pbx.conftest import Room, configured, running

JIN = Actor("jin", "session", "192.0.2.1")
CFI = DiversionKind.IMMEDIATE
DESTINATION = (TENANT_ID, "diversions/1010/CFI/destination")
ENABLE = (TENANT_ID, "diversions/1010/CFI/enable")


async def kind(room: Room, which: DiversionKind = CFI) -> Diversion:
    read = await room.pbx.diversions.read("1010")
    return next(one for one in read.diversions if one.kind is which)


async def test_absent_entries_are_the_documented_defaults(room: Room) -> None:
    read = await room.pbx.diversions.read("1010")
    assert (read.tenant, read.extension) == ("main", "1010")
    assert [one.kind for one in read.diversions] == list(DiversionKind)
    for one in read.diversions:
        assert (one.enabled, one.destination, one.in_effect, one.agreed) == (True, "", False, True)
        assert one.summary == "enabled, but without a destination: not in effect"
        assert [stored.server for stored in one.servers] == ["pbx1", "pbx2"]


async def test_a_change_goes_to_every_server_in_the_safe_order_and_is_read_back(
    room: Room, simulated: SimulatedGateway
) -> None:
    before = await kind(room)
    sent = len(simulated.received)
    after = await room.pbx.diversions.change(
        "1010", CFI, actor=JIN, version=before.version, enabled=True, destination="010-1234-5678"
    )
    changed = after.diversions[0]
    assert (changed.in_effect, changed.destination, changed.agreed) == (True, "01012345678", True)
    assert changed.summary == "forwards to 01012345678"
    assert changed.version != before.version
    for server_id in (1, 2):
        assert simulated.database[server_id] == {DESTINATION: "sub-custom-numbers,01012345678,1", ENABLE: "yes"}
        puts = [
            request.get("Command").split()[3:]
            for request in simulated.received[sent:]
            if request.server_id == server_id and " put " in request.get("Command")
        ]
        assert puts == [
            ["diversions/1010/CFI/destination", "sub-custom-numbers,01012345678,1"],
            ["diversions/1010/CFI/enable", "yes"],
        ], "turned on last, when the destination is the new one"


async def test_turning_off_comes_first(room: Room, simulated: SimulatedGateway) -> None:
    sent = len(simulated.received)
    await room.pbx.diversions.change("1010", CFI, actor=JIN, version="*", enabled=False, destination="01012345678")
    puts = [
        request.get("Command").split()[3] for request in simulated.received[sent:] if " put " in request.get("Command")
    ]
    assert puts[0].endswith("/enable")
    assert (await kind(room)).summary == "disabled; enabled, it would forward to 01012345678"


async def test_what_is_not_named_stays(room: Room) -> None:
    await room.pbx.diversions.change("1010", CFI, actor=JIN, version="*", enabled=True, destination="01012345678")
    await room.pbx.diversions.change("1010", CFI, actor=JIN, version="*", enabled=False)
    one = await kind(room)
    assert (one.enabled, one.destination, one.in_effect) == (False, "01012345678", False)
    await room.pbx.diversions.change("1010", CFI, actor=JIN, version="*", destination="")
    assert (await kind(room)).destination == ""


async def test_clearing_leaves_nothing_stored(room: Room, simulated: SimulatedGateway) -> None:
    for which in DiversionKind:
        await room.pbx.diversions.change("1010", which, actor=JIN, version="*", enabled=False, destination="0101")
    await room.pbx.diversions.clear("1010", CFI, actor=JIN, version="*")
    assert not any("CFI" in key for _, key in simulated.database[1])
    assert len(simulated.database[1]) == 6
    cleared = await room.pbx.diversions.clear("1010", None, actor=JIN, version="*")
    assert simulated.database == {1: {}, 2: {}}
    assert all(one.enabled and not one.destination for one in cleared.diversions)


async def test_somebody_elses_change_is_not_overwritten_unseen(room: Room, simulated: SimulatedGateway) -> None:
    seen = await kind(room)
    simulated.database[1][ENABLE] = "no"
    with pytest.raises(Conflict):
        await room.pbx.diversions.change("1010", CFI, actor=JIN, version=seen.version, destination="01012345678")
    assert DESTINATION not in simulated.database[1]
    assert not (await kind(room)).agreed


async def test_of_two_at_once_who_saw_the_same_one_wins(room: Room) -> None:
    seen = await kind(room)
    outcomes = await asyncio.gather(
        *(
            room.pbx.diversions.change("1010", CFI, actor=JIN, version=seen.version, enabled=True, destination=number)
            for number in ("01011111111", "01022222222", "01033333333")
        ),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Conflict", "ExtensionDiversions"]
    assert (await kind(room)).agreed


async def test_servers_that_disagree_are_shown_as_such(room: Room, simulated: SimulatedGateway) -> None:
    simulated.database[2][DESTINATION] = "sub-custom-numbers,01099999999,1"
    one = await kind(room)
    assert not one.agreed
    assert [(stored.server, stored.destination) for stored in one.servers] == [("pbx1", ""), ("pbx2", "01099999999")]
    narrowed = await room.pbx.diversions.read("1010", server="pbx2")
    assert narrowed.diversions[0].in_effect
    with pytest.raises(UsageError, match="no server 'pbx9'"):
        await room.pbx.diversions.read("1010", server="pbx9")


@pytest.mark.parametrize(
    ("stored", "destination"),
    [
        ("01012345678", "01012345678"),
        ("sub-other,01012345678,1", "sub-other,01012345678,1"),
        ("sip:a@b", "sip:a@b"),
    ],
)
async def test_other_programs_values_stand_as_they_are(
    room: Room, simulated: SimulatedGateway, stored: str, destination: str
) -> None:
    for database in simulated.database.values():
        database[DESTINATION] = stored
    one = await kind(room)
    assert (one.destination, one.in_effect) == (destination, True)


@pytest.mark.parametrize("destination", ["010 1234", "010,1", '010"', "010\n", "010\\", "abc", "+"])
async def test_a_destination_that_is_no_number_is_refused_before_the_wire(
    room: Room, simulated: SimulatedGateway, destination: str
) -> None:
    sent = len(simulated.received)
    with pytest.raises(UsageError, match="destination"):
        await room.pbx.diversions.change("1010", CFI, actor=JIN, version="*", destination=destination)
    assert len(simulated.received) == sent


async def test_a_destination_that_leads_back_is_refused(room: Room, simulated: SimulatedGateway) -> None:
    with pytest.raises(UsageError, match="the extension itself"):
        await room.pbx.diversions.change("1010", CFI, actor=JIN, version="*", destination="1010")
    await room.pbx.diversions.change("1012", CFI, actor=JIN, version="*", enabled=True, destination="1010")
    await room.pbx.diversions.change("1011", CFI, actor=JIN, version="*", enabled=True, destination="1012")
    with pytest.raises(UsageError, match="round for ever"):
        await room.pbx.diversions.change("1010", CFI, actor=JIN, version="*", enabled=True, destination="1011")
    assert DESTINATION not in simulated.database[1]
    await room.pbx.diversions.change("1012", CFI, actor=JIN, version="*", enabled=False)
    await room.pbx.diversions.change("1010", CFI, actor=JIN, version="*", enabled=True, destination="1011")


@pytest.mark.parametrize("extension", ["2010", "10", ""])
async def test_an_extension_of_nobody_is_refused(room: Room, extension: str) -> None:
    with pytest.raises((UnknownTenant, UsageError)):
        await room.pbx.diversions.read(extension)
    with pytest.raises(UnknownTenant):
        await room.pbx.diversions.read("1010", tenant="other")


@pytest.mark.parametrize("extension", ["10 10", "10/10", "10,10", '10"', "1" * 41])
async def test_an_extension_that_could_mean_more_is_refused(room: Room, extension: str) -> None:
    with pytest.raises(UsageError):
        await room.pbx.diversions.read(extension)


async def test_a_server_that_is_down_hides_nothing_of_the_other(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    async with running(configured(simulated.url, request_timeout=1.0, attempts=1), sqlite_database) as room:
        await room.ready()
        await simulated.down(2)
        simulated.database[1][DESTINATION] = "sub-custom-numbers,01012345678,1"
        one = await kind(room)
        assert (one.in_effect, one.agreed) == (True, False)
        assert one.servers[1].error


async def test_with_no_gateway_it_fails_by_name(room: Room, simulated: SimulatedGateway) -> None:
    await simulated.stop()
    await room.until(lambda: room.state("gateway") == "away")
    with pytest.raises(PbxUnavailable):
        await room.pbx.diversions.read("1010")


async def test_each_change_leaves_a_trail_without_the_tenants_id(room: Room) -> None:
    await room.pbx.diversions.change("1010", CFI, actor=JIN, version="*", enabled=True, destination="01012345678")
    async with room.database.read() as connection:
        changed, changing = await latest_audit(connection, 2)
    assert [changing.action, changed.action] == ["diversion_changing", "diversion_changed"]
    for row in (changing, changed):
        assert (row.actor, row.via, row.address, row.subject) == ("jin", "session", "192.0.2.1", "main/1010")
        assert TENANT_ID not in str(row)
    assert changing.detail["IMMEDIATE@pbx1"] == "on"
    assert changing.detail["wanted IMMEDIATE"] == "on 01012345678"
    assert changed.detail["IMMEDIATE@pbx2"] == "on 01012345678"


async def test_nothing_is_changed_that_cannot_be_audited(room: Room, simulated: SimulatedGateway) -> None:
    async with room.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE audit RENAME TO gone")
    with pytest.raises(DatabaseAwayError):
        await room.pbx.diversions.change("1010", CFI, actor=JIN, version="*", enabled=False)
    assert simulated.database == {1: {}, 2: {}}
    async with room.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE gone RENAME TO audit")
    await room.pbx.diversions.change("1010", CFI, actor=JIN, version="*", enabled=False)
