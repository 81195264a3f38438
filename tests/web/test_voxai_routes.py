"""What a voice agent asks over HTTP: admitted as its source alone, and answered with what it can speak about."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from prometheus_client.parser import text_string_to_metric_families

from daemon.config import Config, InboundConfig, InboxConfig, SourceConfig, ToolConfig
from daemon.inbox.sources import Source
from daemon.secrets import Secrets
from daemon.stores.contacts import ContactRow, save_contacts
from daemon.stores.database import Database
from daemon.tools.room import Tools
from tests.daemon.tools.conftest import tool
from tests.daemon.tools.example_tools import Waiting
from tests.web.browser import bearer
from tests.web.client import Reply, ask
from tests.web.house import House
from tests.web.schema import Schemas

SECRET = bearer("example-secret")


@pytest.fixture
def config() -> Config:
    inbound = InboundConfig(dynamic_variables={"name": "고객"}, metadata={"queue": "general"})
    tools = [ToolConfig(name="call_history"), tool("order_status"), tool("note"), tool("fail")]
    source = SourceConfig(name="voxai", kind="voxai", check="bearer")
    return Config(tool=tools, inbound=inbound, inbox=InboxConfig(source=[source]))


@pytest.fixture
def secrets() -> dict[str, str]:
    return {"PARLEY_SOURCE_VOXAI_SECRET": "example-secret"}


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


@pytest.fixture
async def server(house: House, waiting: Waiting) -> TestServer:
    """A house with tools, where one of them waits."""
    supplies: dict[type, object] = {Database: house.database, Waiting: waiting}
    tools = [*house.config.tool, tool("wait")]
    house.sources.tools = house.tools = Tools(tools, house.config.inbound, supplies)
    return await house.serve()


async def post(server: TestServer, path: str, body: Any, **options: Any) -> Reply:
    options.setdefault("headers", SECRET)
    return await ask(server, "POST", f"/api/v1{path}", data=json.dumps(body, ensure_ascii=False).encode(), **options)


async def test_the_tools_are_listed_as_they_are_entered_there(server: TestServer) -> None:
    reply = await ask(server, "GET", "/api/v1/tools", headers=SECRET)
    assert reply.status == 200
    by_name = {one["name"]: one for one in reply.json["tools"]}
    assert list(by_name) == ["call_history", "order_status", "note", "fail", "wait"]
    assert by_name["order_status"]["description"].endswith("주문이 어디까지 왔는지 알려 줍니다.")
    assert by_name["order_status"]["methods"] == ["GET", "POST"]
    assert by_name["note"]["methods"] == ["POST"]
    assert by_name["note"]["parameters"] == {
        "type": "object",
        "properties": {"text": {"type": "string"}},
        "required": ["text"],
    }
    assert set(by_name["call_history"]["parameters"]["properties"]) == {"number", "limit"}


async def test_what_is_answered_is_what_the_document_says(server: TestServer) -> None:
    document = (await ask(server, "GET", "/openapi.json")).json
    schemas = Schemas(document["components"]["schemas"])
    named = "/api/v1/tools/{tool_name}"
    for template, method, reply in (
        ("/api/v1/tools", "get", await ask(server, "GET", "/api/v1/tools", headers=SECRET)),
        ("/api/v1/tools", "get", await ask(server, "GET", "/api/v1/tools")),
        ("/api/v1/inbound", "post", await post(server, "/inbound", {})),
        (named, "get", await ask(server, "GET", "/api/v1/tools/note", headers=SECRET)),
        (named, "post", await post(server, "/tools/note", {"text": ""}, headers={})),
    ):
        operation = document["paths"][template][method]
        assert "Lets in its source alone" in operation["description"]
        assert "security" not in operation
        content = operation["responses"][str(reply.status)]["content"]
        assert schemas.problems(reply.json, content[reply.media]["schema"]) == []


async def test_a_tool_is_asked_by_post_and_by_get(server: TestServer) -> None:
    reply = await post(server, "/tools/order_status", {"order": "12"})
    assert (reply.status, reply.media, reply.json["state"]) == (200, "application/json", "배송 중")
    reply = await ask(server, "GET", "/api/v1/tools/order_status?order=12&days=3&tags=하나", headers=SECRET)
    assert (reply.status, reply.json["days"], reply.json["tags"]) == (200, 3, ["하나"])


async def test_what_goes_wrong_is_200_in_words(server: TestServer) -> None:
    for path, body, error in (
        ("/tools/nothing", {}, "There is no such tool."),
        ("/tools/order_status", {"order": "열두 번"}, "The arguments do not fit."),
        ("/tools/order_status", ["목록"], "The arguments do not fit."),
        ("/tools/fail", {}, "That did not work."),
    ):
        reply = await post(server, path, body)
        assert reply.status == 200
        assert set(reply.json) == {"error", "details"}
        assert reply.json["error"] == error


async def test_a_tool_that_acts_is_not_asked_by_get(server: TestServer) -> None:
    reply = await ask(server, "GET", "/api/v1/tools/note?text=x", headers=SECRET)
    assert (reply.status, reply.media, reply.headers["Allow"]) == (405, "application/json", "POST")
    assert reply.json["details"] == "Ask it by POST."
    assert (await ask(server, "HEAD", "/api/v1/tools/order_status?order=1", headers=SECRET)).status == 405
    assert (await post(server, "/tools/note", {"text": "메모"})).json["actor"] == "tool:note"


async def test_a_slow_tool_holds_up_nobody(server: TestServer, waiting: Waiting) -> None:
    slow = [asyncio.create_task(post(server, "/tools/wait", {})) for _ in range(20)]
    async with asyncio.timeout(30):
        while waiting.begun < 10:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
    assert (await post(server, "/tools/order_status", {"order": "1"})).status == 200
    assert (await post(server, "/inbound", {"from_number": "1"})).status == 200
    assert not any(task.done() for task in slow)
    waiting.may_end.set()
    assert {reply.json["done"] for reply in await asyncio.gather(*slow)} == {True}


async def test_only_the_source_is_let_in_and_no_session(server: TestServer, house: House) -> None:
    admin = bearer(await house.token("admin"))
    for method, path in (
        ("GET", "/api/v1/tools"),
        ("GET", "/api/v1/tools/order_status?order=1"),
        ("POST", "/api/v1/tools/order_status"),
        ("POST", "/api/v1/inbound"),
    ):
        for headers in ({}, admin, bearer("wrong")):
            reply = await ask(server, method, path, headers=headers)
            assert (reply.status, reply.media) == (401, "application/problem+json")


async def test_without_a_configured_source_nobody_is_let_in(house: House) -> None:
    house.inbox.sources.clear()
    reply = await post(await house.serve(), "/inbound", {})
    assert (reply.status, reply.json["title"]) == (404, "Unknown source")


async def test_they_are_served_where_providers_call(house: House) -> None:
    public = await house.serve(frozenset({"public"}))
    assert (await post(public, "/inbound", {})).status == 200
    private = await house.serve(frozenset({"private"}))
    assert (await post(private, "/inbound", {})).status == 404


SHAPES: list[Any] = [
    {"event": "call_inbound", "call_inbound": {"from_number": "+82 10-1234-5678", "to_number": "07000001004"}},
    {"from_number": "01012345678", "to_number": "07000001004", "more": 1},
    {"call_inbound": {"from_number": 821012345678, "to_number": 7000001004}},
]


@pytest.mark.parametrize("body", SHAPES)
async def test_a_caller_is_known_in_both_shapes(server: TestServer, house: House, body: Any) -> None:
    contact = ContactRow(number="01012345678", name="홍길동", variables={"grade": "우수"}, metadata={"crm": 7})
    async with house.database.transaction() as connection:
        await save_contacts(connection, [contact])
    reply = await post(server, "/inbound", body)
    assert (reply.status, reply.media) == (200, "application/json")
    assert reply.json == {
        "call_inbound": {
            "dynamic_variables": {"name": "홍길동", "grade": "우수"},
            "metadata": {"queue": "general", "crm": 7},
        }
    }


@pytest.mark.parametrize("body", [{}, [], None, {"from_number": 3}, {"call_inbound": []}, "글", {"from_number": "글"}])
async def test_a_caller_is_never_left_waiting_for_a_default(server: TestServer, body: Any) -> None:
    reply = await post(server, "/inbound", body)
    default = {"dynamic_variables": {"name": "고객"}, "metadata": {"queue": "general"}}
    assert (reply.status, reply.json) == (200, {"call_inbound": default})


async def test_a_caller_past_the_rate_is_answered_with_the_default_and_a_tool_is_not(house: House) -> None:
    house.inbox.sources["voxai"] = Source(
        SourceConfig(name="voxai", kind="voxai", check="bearer", per_second=0.1), Secrets(house.secrets)
    )
    server = await house.serve()
    contact = ContactRow(number="01012345678", name="홍길동")
    async with house.database.transaction() as connection:
        await save_contacts(connection, [contact])
    replies = [await post(server, "/inbound", {"from_number": "01012345678"}) for _ in range(3)]
    names = [reply.json["call_inbound"]["dynamic_variables"]["name"] for reply in replies]
    assert names == ["홍길동", "고객", "고객"]
    assert house.inbox.counts.by_source()["voxai"].refused["too_fast"] == 2
    assert (await post(server, "/tools/order_status", {"order": "1"})).status == 429
    assert (await post(server, "/inbound", {}, headers=bearer("wrong"))).status == 401


async def test_what_proves_who_asks_is_no_argument(house: House) -> None:
    house.inbox.sources["voxai"] = Source(
        SourceConfig(name="voxai", kind="voxai", check="url-token"), Secrets(house.secrets)
    )
    tools = [tool("take_token")]
    house.sources.tools = house.tools = Tools(tools, house.config.inbound, {Database: house.database})
    server = await house.serve()
    reply = await ask(server, "GET", "/api/v1/tools/take_token?token=example-secret&order=1")
    assert (reply.status, reply.json) == (200, {"order": "1", "token": ""})


async def test_tools_are_counted_by_their_configured_names_alone(server: TestServer) -> None:
    await post(server, "/tools/order_status", {"order": "1"})
    await post(server, "/tools/order_status", {"order": "x"})
    for stranger in ("a", "b", "c"):
        await post(server, f"/tools/{stranger}", {})
    await post(server, "/inbound", {})
    scraped = (await ask(server, "GET", "/metrics")).text
    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(scraped)
        for sample in family.samples
        if sample.name in ("parley_tool_calls_total", "parley_inbound_lookups_total") and sample.value
    }
    assert found == {
        ("parley_tool_calls_total", ("outcome", "answered"), ("tool", "order_status")): 1,
        ("parley_tool_calls_total", ("outcome", "bad_arguments"), ("tool", "order_status")): 1,
        ("parley_tool_calls_total", ("outcome", "unknown"), ("tool", "")): 3,
        ("parley_inbound_lookups_total", ("outcome", "answered")): 1,
    }
