"""Tools: whatever one does, the agent gets a JSON object in time, and nobody else is held up."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.config import ToolConfig
from daemon.plugins import PluginError
from daemon.tools.definition import define
from daemon.tools.room import Tools
from daemon.tools.tool import Outcome
from tests.daemon.tools.conftest import EXAMPLES, Build, tool
from tests.daemon.tools.example_tools import Waiting


async def ask(room: Tools, name: str, **arguments: Any) -> tuple[Outcome, Any]:
    answer = await room.ask(name, json.dumps(arguments, ensure_ascii=False).encode())
    return answer.outcome, json.loads(answer.body)


async def test_a_tool_answers_a_body_and_a_query(build: Build) -> None:
    room = build(tool("order_status"))
    body = {"order": "12", "days": 7, "tags": [], "express": False, "state": "배송 중"}
    assert await ask(room, "order_status", order="12") == (Outcome.ANSWERED, body)
    answer = await room.ask("order_status", [("order", "12"), ("express", "1")])
    assert json.loads(answer.body) == body | {"express": True}


async def test_arguments_that_do_not_fit_are_named_for_the_agent(build: Build) -> None:
    room = build(tool("order_status"))
    outcome, said = await ask(room, "order_status", order="주문", days=3)
    assert outcome is Outcome.BAD_ARGUMENTS
    assert said == {
        "error": "The arguments do not fit.",
        "details": "order: Expected `str` matching regex '^\\\\d{1,8}$'",
    }


async def test_a_tool_that_is_not_there_is_said_with_those_that_are(build: Build) -> None:
    room = build(tool("refuse"), tool("fail"))
    assert await ask(room, "없는 도구") == (
        Outcome.UNKNOWN,
        {"error": "There is no such tool.", "details": "There are: refuse, fail."},
    )
    assert room.unknown == 1


async def test_a_slow_tool_holds_up_no_other_and_its_caller_no_longer_than_the_deadline(
    build: Build, waiting: Waiting
) -> None:
    room = build(tool("wait", at_once=1), tool("cling", deadline=0.02, at_once=1), tool("refuse"))
    slow = [asyncio.create_task(ask(room, "wait")) for _ in range(3)]
    assert (await ask(room, "cling"))[0] is Outcome.LATE
    outcome, said = await ask(room, "cling")
    assert (outcome, said["error"]) == (Outcome.BUSY, "Too many ask for this at once.")
    assert await ask(room, "refuse") == (
        Outcome.REFUSED,
        {"error": "That is not possible.", "details": "오늘은 쉬는 날입니다."},
    )
    assert not any(task.done() for task in slow)
    waiting.may_end.set()
    assert await asyncio.gather(*slow) == [(Outcome.ANSWERED, {"done": True})] * 3


@pytest.mark.parametrize("name", ["fail", "leave", "cancel", "tell_a_list", "tell_an_object_of_python"])
async def test_a_tool_that_fails_is_excused_and_logged_without_what_was_said(build: Build, name: str) -> None:
    room = build(tool(name))
    with capture_logs() as logged:
        outcome, said = await ask(room, name, secret="토끼")
    assert outcome is Outcome.FAILED
    assert said["error"] == "That did not work."
    (line,) = logged
    assert (line["event"], line["tool"]) == ("tool_failed", name)
    assert "토끼" not in str(line)
    assert "01012345678" not in str(line)


async def test_where_a_tool_failed_is_logged(build: Build) -> None:
    with capture_logs() as (logged):
        await ask(build(tool("fail")), "fail")
    assert logged[0]["error"] == "ValueError"
    assert logged[0]["at"].startswith("example_tools.py:")


async def test_a_tool_that_acts_answers_to_post_only_and_gets_its_own_name_and_reach(build: Build) -> None:
    room = build(tool("note", extensions=[r"1\d{3}"]))
    answer = await room.ask("note", [("text", "x")])
    assert answer.outcome is Outcome.POST_ONLY
    outcome, said = await ask(room, "note", text="메모")
    assert outcome is Outcome.ANSWERED
    assert (said["actor"], said["via"], said["text"]) == ("tool:note", "voxai", "메모")


async def test_how_each_ended_is_counted(build: Build) -> None:
    room = build(tool("order_status"))
    await ask(room, "order_status", order="1")
    await ask(room, "order_status", order="1")
    await ask(room, "order_status")
    (counted,) = room.all
    assert {outcome: count for outcome, count in counted.counts.items() if count} == {
        Outcome.ANSWERED: 2,
        Outcome.BAD_ARGUMENTS: 1,
    }


WRONG = [
    (ToolConfig(name="weather"), 'no built-in tool "weather"'),
    (ToolConfig(name="x", use="weather"), 'no built-in tool "weather"'),
    (ToolConfig(name="x", use=f"{EXAMPLES}:nothing"), "has no nothing"),
    (tool("needs_a_float"), "needs price: float, which is not there"),
    (tool("read_diversions"), "needs diversions: Diversions, which is not there"),
    (tool("place_unmarked"), "is not marked as acting"),
    (tool("takes_what_no_json_holds"), "cannot be read from JSON"),
    (tool("refuse", options={"a": 1}), "takes no options"),
]


@pytest.mark.parametrize(("config", "problem"), WRONG)
def test_a_tool_that_cannot_be_used_is_refused_before_it_is(config: ToolConfig, problem: str) -> None:
    with pytest.raises(PluginError) as raised:
        define(config).check(frozenset())
    assert problem in str(raised.value)
    assert raised.value.remedy
