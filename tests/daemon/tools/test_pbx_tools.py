"""The tools that touch the PBX, on a simulated gateway: within their reach, under the limits and audit of people."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from daemon.actor import Actor
from daemon.config import ClickToCallConfig, InboundConfig, ToolConfig
from daemon.demo.pbx_gateway import SimulatedGateway
from daemon.pbx.contract import ClickToCall, ClickToCallRequest, Diversions
from daemon.stores.audit import latest_audit
from daemon.stores.click_to_calls import count_click_to_calls
from daemon.stores.database import Database
from daemon.tools.contract import Reach
from daemon.tools.guards import GuardedClickToCall
from daemon.tools.room import Tools
from daemon.tools.tool import Outcome
from protocols.dcmiws.diversions import DiversionKind
from tests.daemon.pbx.conftest import Room, configured, running
from tests.daemon.tools.conftest import tool
from tests.services.databases import SqliteDatabases

REACH: dict[str, Any] = {"extensions": [r"10\d\d"], "numbers": [r"010\d{8}", "07000000801"]}


class Acting:
    """The tools beside a PBX that works."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.now = 1_700_000_000.0
        tools = [
            ToolConfig(name="set_diversion", **REACH),
            ToolConfig(name="click_to_call", **REACH),
            tool("read_diversions", **REACH),
            tool("impersonate", **REACH),
        ]
        supplies: dict[type, object] = {
            Database: room.database,
            Diversions: room.pbx.diversions,
            ClickToCall: room.pbx.click_to_call,
        }
        self.tools = Tools(tools, InboundConfig(), supplies, clock=lambda: self.now)

    async def ask(self, name: str, **arguments: Any) -> tuple[Outcome, Any]:
        answer = await self.tools.ask(name, json.dumps(arguments).encode())
        return answer.outcome, json.loads(answer.body)

    async def stored(self, extension: str = "1010") -> str:
        read = await self.room.pbx.diversions.read(extension)
        return next(one.destination for one in read.diversions if one.kind is DiversionKind.IMMEDIATE)

    async def placed(self) -> int:
        async with self.room.database.read() as connection:
            return await count_click_to_calls(connection)


@pytest.fixture
async def acting(store_url: str) -> AsyncIterator[Acting]:
    gateway = SimulatedGateway({1: "pbx1.example.com", 2: "pbx2.example.com"}, speed=50.0)
    await gateway.start()
    database = Database.of(store_url)
    limits = ClickToCallConfig(ways=["websocket"], per_user_per_hour=2)
    async with running(configured(gateway.url, click_to_call=limits), database) as room:
        await room.ready()
        made = Acting(room)
        yield made
        await made.tools.close()
    await database.close()
    await gateway.close()


@pytest.fixture
def store_url(sqlite_databases: SqliteDatabases) -> str:
    return sqlite_databases.make()


DIVERT = {"extension": "1010", "kind": "IMMEDIATE", "number": "+82 10-1234-5678"}


async def test_a_diversion_is_set_and_stopped_and_told(acting: Acting) -> None:
    outcome, said = await acting.ask("set_diversion", **DIVERT)
    assert (outcome, said) == (
        Outcome.ANSWERED,
        {
            "extension": "1010",
            "kind": "IMMEDIATE",
            "in_effect": True,
            "on_every_server": True,
            "summary": "forwards to 01012345678",
        },
    )
    assert await acting.stored() == "01012345678"
    outcome, said = await acting.ask("set_diversion", extension="1010", kind="IMMEDIATE", enabled=False)
    assert outcome is Outcome.ANSWERED
    assert (said["in_effect"], said["summary"]) == (False, "disabled; enabled, it would forward to 010****5678")
    async with acting.room.database.read() as connection:
        audit = await latest_audit(connection, 10)
    assert {(row.actor, row.via, row.subject) for row in audit} == {("tool:set_diversion", "voxai", "main/1010")}


OUT_OF_REACH = [
    (DIVERT | {"extension": "1110"}, "That extension may not be touched from here."),
    (DIVERT | {"number": "0212345678"}, "That number may not be used from here."),
    (DIVERT | {"number": ""}, "Name the number to forward to."),
    (DIVERT | {"number": "홍길동"}, "A phone number has 2 to 20 digits, with a + in front at most."),
]


@pytest.mark.parametrize(("arguments", "said"), OUT_OF_REACH)
async def test_what_is_out_of_reach_is_refused_in_words(acting: Acting, arguments: Any, said: str) -> None:
    assert await acting.ask("set_diversion", **arguments) == (
        Outcome.REFUSED,
        {"error": "That is not possible.", "details": said},
    )
    assert await acting.stored() == ""


async def test_a_call_is_placed_once_however_often_it_is_asked_for(acting: Acting) -> None:
    wanted = {"extension": "1010", "number": "070-0000-0801", "call_id": "vox-1"}
    first = await acting.ask("click_to_call", **wanted)
    assert first[0] is Outcome.ANSWERED
    assert first[1]["placed"] is True
    acting.now += 30
    assert (await acting.ask("click_to_call", **wanted))[0] is Outcome.ANSWERED
    assert await acting.placed() == 1
    acting.now += 60
    assert (await acting.ask("click_to_call", **wanted))[0] is Outcome.ANSWERED
    assert await acting.placed() == 2
    outcome, said = await acting.ask("click_to_call", **wanted | {"call_id": "vox-2"})
    assert outcome is Outcome.REFUSED, "the limit of one person is the limit of a tool"
    assert "hour" in said["details"]


async def test_a_call_out_of_reach_is_not_placed(acting: Acting) -> None:
    for wanted in ({"extension": "1110", "number": "07000000801"}, {"extension": "1010", "number": "0212345678"}):
        outcome, said = await acting.ask("click_to_call", **wanted)
        assert outcome is Outcome.REFUSED
        assert said["details"].endswith("from here.")
    assert await acting.placed() == 0


async def test_a_tool_that_does_not_say_that_it_acts_only_reads(acting: Acting) -> None:
    outcome, said = await acting.ask("read_diversions", extension="1010")
    assert (outcome, said["details"]) == (Outcome.REFUSED, "This tool only reads.")
    outcome, said = await acting.ask("read_diversions", extension="1110")
    assert (outcome, said["details"]) == (Outcome.REFUSED, "That extension may not be touched from here.")


async def test_a_tool_acts_under_its_own_name_whatever_it_says(acting: Acting) -> None:
    assert (await acting.ask("impersonate", extension="1010"))[0] is Outcome.ANSWERED
    async with acting.room.database.read() as connection:
        audit = await latest_audit(connection, 10)
    assert {row.actor for row in audit} == {"tool:impersonate"}


async def test_a_tool_follows_its_own_calls_and_nobody_else_s(acting: Acting) -> None:
    real = acting.room.pbx.click_to_call
    request = ClickToCallRequest(caller="1010", callee="07000000801")
    of_a_person = await real.place(request, actor=Actor("jin", "session"), key="a")
    guarded = GuardedClickToCall(
        real, Reach(REACH["extensions"], REACH["numbers"]), Actor("tool:x", "voxai"), acting=True
    )
    own = await guarded.place(request, actor=Actor("jin", "session"), key="b")
    assert own.actor == "tool:x"
    assert await guarded.progress(own.click_to_call_id) is not None
    assert await guarded.progress(of_a_person.click_to_call_id) is None
    assert await guarded.progress("none") is None
