"""The document tells of every route, and what is answered is what it says."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.calls.links import LinkState
from daemon.health import Condition, Part
from tests.web.browser import bearer
from tests.web.client import Reply, ask
from tests.web.house import PASSWORD, House
from tests.web.schema import Schemas
from web.app import build_app
from web.live_frames import NAMESPACE


@pytest.fixture
async def document(house: House) -> dict[str, Any]:
    document: dict[str, Any] = (await ask(await house.serve(), "GET", "/openapi.json")).json
    return document


def routes_of(house: House) -> set[tuple[str, str]]:
    app = build_app(house.sources, frozenset({"public", "private"}), static=house.static)
    return {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }


async def test_every_route_is_in_the_document_and_none_besides(house: House, document: dict[str, Any]) -> None:
    told = {(method, path) for path, operations in document["paths"].items() for method in operations}
    assert told == routes_of(house)


async def test_the_document_is_whole(document: dict[str, Any]) -> None:
    ids: list[str] = []
    for path, operations in document["paths"].items():
        for operation in operations.values():
            ids.append(operation["operationId"])
            assert operation["summary"]
            assert operation["responses"]
            in_path = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
            assert in_path == {part[1:-1] for part in path.split("/") if part.startswith("{")}
    assert len(ids) == len(set(ids))
    schemas = document["components"]["schemas"]
    assert all(reference in schemas for reference in references(document))
    assert set(schemas) == references(document), "schemas that nothing refers to"
    assert NAMESPACE in document["info"]["description"]


def references(value: Any) -> set[str]:
    """The names of the schemas that are referred to."""
    if isinstance(value, dict):
        found = {value["$ref"].rpartition("/")[2]} if "$ref" in value else set()
        return found.union(*(references(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(references(one) for one in value)) if value else set()
    return set()


async def test_real_answers_are_what_the_document_says(house: House, document: dict[str, Any]) -> None:
    server = house.servers[0]
    schemas = Schemas(document["components"]["schemas"])
    house.link(LinkState.READY)
    house.health.add("store", lambda: Part(Condition.OK, "", {"rows": 1.0}))
    call = house.ring()
    house.answer()
    house.say("하나")
    ended = house.ring("leg-b")
    house.hang_up("leg-b")
    await house.store(ended, ["둘"])
    house.now += 1_000
    house.registry.sweep()
    await house.user("min", "admin")
    known = bearer(await house.token())
    answered: list[tuple[str, str, Reply]] = []

    async def see(method: str, template: str, path: str = "", **options: Any) -> None:
        options.setdefault("headers", known)
        answered.append((method, template, await ask(server, method, path or template, **options)))

    transcript = "/api/v1/calls/{call_id}/transcript"
    await see("GET", "/health")
    await see("GET", "/metrics")
    await see("GET", "/api/v1/session")
    await see("POST", "/api/v1/session", json={"username": "min", "password": PASSWORD})
    await see("POST", "/api/v1/session", json={"username": "min", "password": "x"})
    await see("POST", "/api/v1/session", json={"username": ""})
    await see("POST", "/api/v1/session", data=b"x")
    await see("POST", "/api/v1/session", data=b"x", headers={"Content-Type": "application/json"})
    await see("GET", "/api/v1/calls", "/api/v1/calls?limit=1")
    await see("GET", "/api/v1/calls", "/api/v1/calls?state=live")
    await see("GET", "/api/v1/calls", "/api/v1/calls?limit=0")
    await see("GET", "/api/v1/calls", headers={})
    for call_id in (call.call_id, ended.call_id, "none"):
        await see("GET", "/api/v1/calls/{call_id}", f"/api/v1/calls/{call_id}")
        for form in ("json", "csv", "text", "vtt"):
            await see("GET", transcript, f"/api/v1/calls/{call_id}/transcript?format={form}")
    for verb, body in (("transfer", {"extension": "1001"}), ("say", {"text": "네"}), ("hangup", None)):
        for call_id in (call.call_id, ended.call_id, "none"):
            await see("POST", f"/api/v1/calls/{{call_id}}/{verb}", f"/api/v1/calls/{call_id}/{verb}", json=body)
    await see("POST", "/api/v1/calls/{call_id}/say", "/api/v1/calls/none/say", json={})
    await see("GET", "/sign-in", "/sign-in?code=x")
    await see("GET", "/sign-in", f"/sign-in?code={house.accounts.one_time_code('viewer', 'demo')}")
    await see("GET", "/socket.io/", "/socket.io/?EIO=4&transport=websocket")
    await see("GET", "/socket.io/")
    await see("GET", "/")
    await see("GET", "/docs")
    await see("GET", "/openapi.json")
    await see("DELETE", "/api/v1/session")
    for method, template, reply in answered:
        told = document["paths"][template][method.lower()]["responses"]
        assert str(reply.status) in told, f"{method} {template} answers {reply.status}"
        content = told[str(reply.status)].get("content")
        if content is None:
            assert reply.body == b""
            continue
        assert reply.media in content, f"{method} {template} answers {reply.media}"
        if reply.media.endswith("json") and content[reply.media]["schema"] != {"type": "string"}:
            assert schemas.problems(reply.json, content[reply.media]["schema"]) == []
    assert {reply.status for _, _, reply in answered} >= {200, 204, 303, 400, 401, 404, 415, 422, 426}


def test_the_check_itself_finds_what_is_wrong() -> None:
    shape = {
        "type": "object",
        "properties": {"a": {"type": "integer", "minimum": 1}, "b": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        "required": ["a"],
    }
    schemas = Schemas({"Shape": shape})
    wanted = {"type": "array", "items": {"$ref": "#/components/schemas/Shape"}}
    assert schemas.problems([{"a": 1}, {"a": 2, "b": None}], wanted) == []
    assert schemas.problems([{}, {"a": 0}, {"a": True}, {"a": 1, "b": 2}], wanted) == [
        "$[0].a is missing",
        "$[1].a is below 1",
        "$[2].a is no integer",
        "$[3].b fits nothing",
    ]
