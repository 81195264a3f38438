"""The tool ``call_history``, on both engines."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from daemon.config import ToolConfig
from daemon.stores.calls import CallRow, save_calls
from daemon.stores.database import Database
from daemon.tools.room import Tools
from daemon.tools.tool import Outcome
from tests.daemon.tools.conftest import Build


def row(call_id: str, caller: str, created_at: float, **changes: Any) -> CallRow:
    fields: dict[str, Any] = {
        "call_id": call_id,
        "origin": "freeswitch",
        "server": "main",
        "other_id": call_id,
        "state": "ended",
        "caller": caller,
        "caller_name": "",
        "callee": "1010",
        "did": "07000001004",
        "code": "",
        "app": "",
        "created_at": created_at,
        "answered_at": created_at + 5,
        "ended_at": created_at + 65.4,
        "disposition": "answered",
    }
    return CallRow(**(fields | changes))


@pytest.fixture
async def room(build: Build, database: Database) -> Tools:
    rows = [
        row("a", "01012345678", 1_700_000_000.0),
        row("b", "+821012345678", 1_700_000_100.0, answered_at=None, disposition="missed"),
        row("c", "01087654321", 1_700_000_200.0),
        row("d", "01012345678", 1_700_000_300.0, sensitive=True),
        row("e", "1020", 1_700_000_400.0, ended_at=None, disposition=None, state="live"),
    ]
    async with database.transaction() as connection:
        await save_calls(connection, rows)
    return build(ToolConfig(name="call_history"), ToolConfig(name="past", use="call_history"))


async def ask(room: Tools, **arguments: Any) -> Any:
    answer = await room.ask("call_history", json.dumps(arguments).encode())
    assert answer.outcome is Outcome.ANSWERED, answer.body
    return json.loads(answer.body)


async def test_the_calls_of_one_caller_however_the_number_is_written(room: Tools) -> None:
    for number in ("010-1234-5678", "+821012345678"):
        said = await ask(room, number=number)
        assert said["count"] == 2, "and none that is withheld"
        newest, oldest = said["calls"]
        assert (newest["caller"], newest["answered"], newest["talked_for"]) == ("+821012345678", False, 0)
        assert (oldest["caller"], oldest["called"]) == ("01012345678", "070****1004")
        assert (oldest["answered"], oldest["talked_for"], oldest["state"]) == (True, 60, "answered")
        assert datetime.fromisoformat(oldest["started"]).timestamp() == 1_700_000_000.0


async def test_the_newest_calls_of_all_show_no_whole_number(room: Tools) -> None:
    said = await ask(room, limit=3)
    assert [call["caller"] for call in said["calls"]] == ["****20", "010****4321", "821****5678"]
    assert said["calls"][0]["state"] == "live"
    assert (await ask(room, number="01099999999")) == {"count": 0, "calls": []}


async def test_what_is_no_number_is_said(room: Tools) -> None:
    answer = await room.ask("call_history", '{"number": "홍길동"}'.encode())
    assert answer.outcome is Outcome.REFUSED
    assert json.loads(answer.body)["details"].startswith("A phone number has 2 to 20 digits")


async def test_it_may_have_another_name(room: Tools) -> None:
    answer = await room.ask("past", [("limit", "1")])
    assert json.loads(answer.body)["count"] == 1
