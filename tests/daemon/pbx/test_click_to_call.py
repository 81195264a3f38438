"""Click-to-call over the WebSocket and by the vendor's REST: every step, every end, once each, within limits."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from daemon.actor import Actor
from daemon.config import ClickToCallConfig
from daemon.demo.pbx_gateway import TENANT_ID, SimulatedGateway
from daemon.demo.pbx_rest import SimulatedVendorRest
from daemon.demo.pbx_server import Phone
from daemon.pbx.contract import (
    CallStep,
    PbxRefused,
    PbxUnavailable,
    PlacedCall,
    TooManyCalls,
    UnknownTenant,
    UsageError,
)
from daemon.stores.click_to_calls import ClickToCallRow, add_click_to_call
from daemon.stores.database import Database
from tests.daemon.pbx.clicking import CALL, FULL, JIN, by_rest, over, steps, stored_over
from tests.daemon.pbx.conftest import Room, configured, running


async def test_by_websocket_every_step_is_seen(room: Room, simulated: SimulatedGateway) -> None:
    placed = await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
    assert (placed.way, placed.tenant, placed.actor) == ("websocket", "main", "jin")
    ended = await over(room, placed)
    assert steps(ended) == FULL
    assert [taken.at for taken in ended.steps] == sorted(taken.at for taken in ended.steps)
    assert ended.notice == ""
    [call] = room.calls
    assert ended.call_id == call.call_id
    request = next(request for request in simulated.received if request.get("Action") == "Originate")
    assert request.get("Async") == "yes"
    assert request.get("Channel") == "Local/1010@T2_cos-all"
    assert request.get("Callerid") == "한빛상담실 <16000001>"
    assert request.all("Variable")[:3] == ["EXEC_AA=yes", "CHANNEL(language)=ko", "CHANNEL(accountcode)=07000005605"]
    assert await stored_over(room, placed) == FULL


async def test_by_rest_it_is_tied_by_our_own_variable(
    simulated: SimulatedGateway, rest: SimulatedVendorRest, sqlite_database: Database
) -> None:
    async with running(by_rest(simulated, rest), sqlite_database) as room:
        await room.ready()
        request = msgspec.structs.replace(CALL, cid_name="다른 이름", variables={"X": "1"})
        placed = await room.pbx.click_to_call.place(request, actor=JIN, key="k")
        assert placed.way == "rest"
        assert steps(await over(room, placed)) == FULL
        [body] = rest.received
        assert {name: body[name] for name in ("caller", "callee", "cos_id", "cid_name", "cid_number")} == {
            "caller": "1010",
            "callee": "07000000801",
            "cos_id": "2",
            "cid_name": "다른 이름",
            "cid_number": "16000001",
        }
        assert body["variables"] == {
            "EXEC_AA": "yes",
            "CHANNEL(language)": "ko",
            "CHANNEL(accountcode)": "07000005605",
            "X": "1",
            "PARLEY_C2C": placed.click_to_call_id,
        }


async def test_the_other_way_is_taken_only_when_nothing_was_sent(
    simulated: SimulatedGateway, rest: SimulatedVendorRest, sqlite_database: Database
) -> None:
    config = by_rest(simulated, rest)
    async with running(config, sqlite_database) as room:
        await room.ready()
        for status in (302, 403):
            rest.status = status
            with pytest.raises(PbxRefused, match=f"HTTP {status}"):
                await room.pbx.click_to_call.place(CALL, actor=JIN, key=f"refused {status}")
        assert not any(request.get("Action") == "Originate" for request in simulated.received)
        await rest.stop()
        placed = await room.pbx.click_to_call.place(CALL, actor=JIN, key="away")
        assert placed.way == "websocket"
        assert steps(await over(room, placed)) == FULL


@pytest.mark.parametrize(
    ("phones", "expected", "detail"),
    [
        ({"1010": Phone(busy=True)}, ["requested", "queued", "caller_unreached"], "the phone is busy"),
        ({"1010": Phone(unreachable=True)}, ["requested", "queued", "caller_unreached"], "could not be called"),
        (
            {"1010": Phone(answers_after=None)},
            ["requested", "queued", "caller_ringing", "caller_unreached"],
            "nobody answered",
        ),
        ({"07000000801": Phone(busy=True)}, [*FULL[:4], "callee_unreached"], "the line is busy"),
        ({"07000000801": Phone(answers_after=None)}, [*FULL[:5], "callee_unreached"], "nobody answered"),
        ({"07000000801": Phone(hangs_up_after=0.5)}, FULL, "Normal Clearing"),
    ],
)
async def test_each_end_says_why(
    room: Room, simulated: SimulatedGateway, phones: dict[str, Phone], expected: list[str], detail: str
) -> None:
    simulated.phones.update(phones)
    ended = await over(room, await room.pbx.click_to_call.place(CALL, actor=JIN, key="k"))
    assert steps(ended) == expected
    assert detail in ended.steps[-1].detail


async def test_a_forwarded_extension_is_said_before_and_seen_after(room: Room, simulated: SimulatedGateway) -> None:
    for database in simulated.database.values():
        database[TENANT_ID, "diversions/1010/CFI/destination"] = "sub-custom-numbers,01012345678,1"
    placed = await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
    assert placed.notice == "1010 forwards to 01012345678: that phone rings first"
    ended = await over(room, placed)
    assert steps(ended)[:3] == ["requested", "queued", "forwarded"]
    assert next(taken.detail for taken in ended.steps if taken.step is CallStep.FORWARDED) == "01012345678"


async def test_what_cannot_be_tied_is_unknown_and_never_a_guess(
    simulated: SimulatedGateway, rest: SimulatedVendorRest, sqlite_database: Database
) -> None:
    async with running(by_rest(simulated, rest, tie_timeout=0.2), sqlite_database) as room:
        await room.ready()
        await simulated.down(1, cleanly=False)
        ended = await over(room, await room.pbx.click_to_call.place(CALL, actor=JIN, key="k"))
        assert steps(ended) == ["requested", "queued", "outcome_unknown"]


async def test_a_link_that_is_lost_under_way_leaves_the_outcome_unknown(
    room: Room, simulated: SimulatedGateway
) -> None:
    simulated.phones["07000000801"] = Phone(hangs_up_after=None)
    placed = await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
    await room.until(lambda: bool(room.calls) and room.calls[0].state == "bridged")
    simulated.cut()
    ended = await over(room, placed)
    assert steps(ended)[-1] == "outcome_unknown"


async def test_with_no_gateway_nothing_is_placed_and_the_key_may_be_used_again(
    room: Room, simulated: SimulatedGateway
) -> None:
    await simulated.stop()
    await room.until(lambda: room.state("gateway") == "away")
    with pytest.raises(PbxUnavailable):
        await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
    await simulated.start()
    await room.ready()
    assert steps(await over(room, await room.pbx.click_to_call.place(CALL, actor=JIN, key="k"))) == FULL


async def test_the_same_key_places_one_call(room: Room, simulated: SimulatedGateway) -> None:
    placed = await asyncio.gather(*(room.pbx.click_to_call.place(CALL, actor=JIN, key="k") for _ in range(5)))
    assert len({one.click_to_call_id for one in placed}) == 1
    await over(room, placed[0])
    again = await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
    assert again.click_to_call_id == placed[0].click_to_call_id
    assert steps(again) == FULL
    assert sum(request.get("Action") == "Originate" for request in simulated.received) == 1
    with pytest.raises(UsageError, match="used for another request"):
        await room.pbx.click_to_call.place(msgspec.structs.replace(CALL, callee="0101"), actor=JIN, key="k")
    other = await room.pbx.click_to_call.place(CALL, actor=Actor("sora", "session"), key="k")
    assert other.click_to_call_id != again.click_to_call_id
    room.now += 86_401
    later = await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
    assert later.click_to_call_id != again.click_to_call_id


async def test_limits_hold_per_person_and_for_all(simulated: SimulatedGateway, sqlite_database: Database) -> None:
    limits = ClickToCallConfig(per_user_per_hour=2, per_hour=3)
    async with running(configured(simulated.url, click_to_call=limits), sqlite_database) as room:
        await room.ready()

        async def place(name: str, key: str) -> PlacedCall:
            return await room.pbx.click_to_call.place(CALL, actor=Actor(name, "session"), key=key)

        await place("jin", "1")
        await place("jin", "2")
        with pytest.raises(TooManyCalls) as refused:
            await place("jin", "3")
        assert 3500 < refused.value.retry_after <= 3600
        await place("sora", "1")
        with pytest.raises(TooManyCalls):
            await place("sora", "2")
        room.now += 3601
        await place("jin", "3")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"caller": "10 10"}, "the caller has a space"),
        ({"callee": "010,1"}, "the callee has a comma"),
        ({"callee": "sip:a@b"}, "a number"),
        ({"callee": ""}, "a number"),
        ({"callee": "0609001234"}, "may not be called"),
        ({"callee": "00331"}, "may not be called"),
        ({"variables": {"PARLEY_C2C": "x"}}, "Parley's own"),
        ({"variables": {"A": "x,y"}}, "comma"),
        ({"cid_name": 'a "b"'}, "quotation mark"),
    ],
)
async def test_what_may_not_be_called_is_refused(
    simulated: SimulatedGateway, sqlite_database: Database, changes: dict[str, Any], said: str
) -> None:
    rules = ClickToCallConfig(allowed=[r"0[1-9]\d*"], refused=[r"060.*"])
    async with running(configured(simulated.url, click_to_call=rules), sqlite_database) as room:
        await room.ready()
        with pytest.raises(UsageError, match=said):
            await room.pbx.click_to_call.place(msgspec.structs.replace(CALL, **changes), actor=JIN, key="k")
        assert not any(request.get("Action") == "Originate" for request in simulated.received)


async def test_an_extension_of_no_tenant_calls_nobody(room: Room) -> None:
    with pytest.raises(UnknownTenant):
        await room.pbx.click_to_call.place(msgspec.structs.replace(CALL, caller="2010"), actor=JIN, key="k")


async def test_what_an_earlier_process_left_open_ends_as_unknown(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    row = ClickToCallRow(
        click_to_call_id="old",
        actor="jin",
        request_key="k",
        request="h",
        tenant="main",
        caller="1010",
        callee="0101",
        created_at=1.0,
    )
    async with sqlite_database.transaction() as connection:
        await add_click_to_call(connection, row)
    async with running(configured(simulated.url), sqlite_database) as room:
        await room.ready()
        before = await room.pbx.click_to_call.progress("old")
        assert before is not None
        assert steps(await over(room, before)) == ["outcome_unknown"]
        assert await room.pbx.click_to_call.progress("never was") is None
