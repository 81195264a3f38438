"""The PBX over REST: what it answers, to whom, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from prometheus_client.parser import text_string_to_metric_families

from daemon.calls.numbers import mask_number
from daemon.demo.pbx_gateway import TENANT_ID, SimulatedGateway
from daemon.pbx.contract import CallStep, Diversion, PlacedCall, ServerDiversion, StepTaken
from protocols.dcmiws.diversions import DiversionKind
from tests.daemon.pbx.conftest import Room, configured, running
from tests.web.browser import bearer
from tests.web.client import Reply, ask
from tests.web.house import House
from web.pbx_views import click_to_call_payload, diversion_payload
from web.views import View

KIND = "/api/v1/diversions/1010/IMMEDIATE"
ALL = "/api/v1/diversions/1010"
CALL = {"caller": "1010", "callee": "07000000801"}


@pytest.fixture
async def simulated() -> AsyncIterator[SimulatedGateway]:
    made = SimulatedGateway({1: "pbx1.example.com", 2: "pbx2.example.com"}, speed=50.0)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def room(house: House, simulated: SimulatedGateway) -> AsyncIterator[Room]:
    async with running(configured(simulated.url), house.database) as made:
        await made.ready()
        house.sources.pbx = made.pbx
        yield made


class Api:
    def __init__(self, server: TestServer, operator: str, viewer: str) -> None:
        self._server = server
        self._headers = {"operator": bearer(operator), "viewer": bearer(viewer)}

    async def ask(self, method: str, path: str, *, role: str = "operator", **options: Any) -> Reply:
        headers = self._headers[role] | options.pop("headers", {})
        return await ask(self._server, method, path, headers=headers, **options)

    async def put(self, path: str, body: dict[str, Any], version: str | None = "*", **options: Any) -> Reply:
        headers = {} if version is None else {"If-Match": version}
        return await self.ask("PUT", path, json=body, headers=headers, **options)


@pytest.fixture
async def api(house: House, room: Room) -> Api:
    return Api(await house.serve(), await house.token("operator"), await house.token("viewer"))


async def test_servers_are_listed_with_their_state(api: Api) -> None:
    reply = await api.ask("GET", "/api/v1/pbx/servers", role="viewer")
    assert reply.status == 200
    assert reply.json["gateway"]["state"] == "ready"
    assert [(one["name"], one["server_id"], one["state"], one["tenants"]) for one in reply.json["servers"]] == [
        ("pbx1", 1, "ready", ["main"]),
        ("pbx2", 2, "ready", ["main"]),
    ]
    assert all(one["round_trip"] > 0 for one in reply.json["servers"])
    assert reply.json["tenants"] == ["main"]


async def test_without_a_pbx_everything_is_404(house: House) -> None:
    server, token = await house.serve(), bearer(await house.token("operator"))
    for path in ("/api/v1/pbx/servers", ALL, KIND, "/api/v1/click-to-call", "/api/v1/click-to-call/x"):
        reply = await ask(server, "GET", path, headers=token)
        assert (reply.status, reply.json["title"]) == (404, "No PBX")


async def test_a_diversion_is_set_and_read_back(api: Api, simulated: SimulatedGateway) -> None:
    read = await api.ask("GET", KIND)
    assert (read.json["tenant"], read.json["extension"], read.json["kind"]) == ("main", "1010", "IMMEDIATE")
    assert (read.json["enabled"], read.json["in_effect"]) == (True, False)
    changed = await api.put(KIND, {"enabled": True, "destination": "01012345678"}, read.headers["ETag"])
    assert changed.status == 200
    assert (changed.json["in_effect"], changed.json["destination"]) == (True, "01012345678")
    assert changed.headers["ETag"] == f'"{changed.json["version"]}"' != read.headers["ETag"]
    assert (await api.ask("GET", ALL)).json["diversions"][0]["summary"] == "forwards to 01012345678"
    cleared = await api.ask("DELETE", KIND, headers={"If-Match": changed.headers["ETag"]})
    assert (cleared.status, cleared.json["destination"]) == (200, "")
    assert simulated.database == {1: {}, 2: {}}


async def test_a_change_must_name_what_was_seen(api: Api) -> None:
    read = await api.ask("GET", KIND)
    assert (await api.put(KIND, {"enabled": False}, None)).status == 428
    assert (await api.put(KIND, {"enabled": False}, read.headers["ETag"])).status == 200
    stale = await api.put(KIND, {"enabled": True}, read.headers["ETag"])
    assert (stale.status, stale.json["title"]) == (412, "Changed meanwhile")
    assert (await api.ask("DELETE", ALL)).status == 428
    quoted = await api.put(KIND, {"enabled": True}, '"*"')
    assert quoted.status == 412, "an asterisk in quotes is a version like any other, and of nothing"
    assert (await api.put(KIND, {"enabled": True}, "*")).status == 200


async def test_what_one_server_says_is_no_version_to_change(api: Api) -> None:
    for path in (ALL, KIND):
        assert "ETag" in (await api.ask("GET", path)).headers
        assert "ETag" not in (await api.ask("GET", f"{path}?server=pbx1")).headers


async def test_several_at_once(api: Api) -> None:
    whole = await api.ask("GET", ALL)
    body = {"diversions": {"BUSY": {"destination": "0101"}, "NO_ANSWER": {"destination": "0102", "enabled": False}}}
    changed = await api.put(ALL, body, whole.headers["ETag"])
    assert changed.status == 200, changed.text
    by_kind = {one["kind"]: one for one in changed.json["diversions"]}
    assert [by_kind[kind]["in_effect"] for kind in ("IMMEDIATE", "BUSY", "NO_ANSWER")] == [False, True, False]
    cleared = await api.ask("DELETE", ALL, headers={"If-Match": changed.headers["ETag"]})
    assert not any(one["destination"] for one in cleared.json["diversions"])


async def test_viewers_read_masked_and_change_nothing(api: Api) -> None:
    await api.put(KIND, {"destination": "01012345678"})
    seen = await api.ask("GET", KIND, role="viewer")
    assert (seen.json["destination"], seen.json["servers"][0]["destination"]) == ("010****5678", "010****5678")
    assert "01012345678" not in seen.text
    assert (await api.put(KIND, {"enabled": False}, role="viewer")).status == 403
    assert (await api.ask("DELETE", KIND, role="viewer", headers={"If-Match": "*"})).status == 403
    assert (await api.ask("POST", "/api/v1/click-to-call", role="viewer", json=CALL)).status == 403


def texts(payload: Any, but: tuple[str, ...] = ("version", "click_to_call_id", "call_id", "extension")) -> list[str]:
    """Every text of a payload, but those that are no number of anybody or that the reader asked for."""
    if isinstance(payload, dict):
        return [text for name, value in payload.items() if name not in but for text in texts(value)]
    if isinstance(payload, list):
        return [text for value in payload for text in texts(value)]
    return [payload] if isinstance(payload, str) else []


HIDDEN = [("1020", ["1020"]), ("010-1234-5678", ["1234", "010-"]), ("ext-group,600,1", ["600", "group"])]


@pytest.mark.parametrize(("destination", "hidden"), HIDDEN)
async def test_viewers_see_of_no_number_more_than_its_masked_digits(
    api: Api, simulated: SimulatedGateway, destination: str, hidden: list[str]
) -> None:
    key = (TENANT_ID, "diversions/1010/CFI/destination")
    for stored in simulated.database.values():
        stored[key] = destination
    simulated.database[2][TENANT_ID, "diversions/1010/CFI/enable"] = "no"
    for path in (ALL, KIND):
        seen = await api.ask("GET", path, role="viewer")
        assert seen.status == 200
        assert not [text for text in texts(seen.json) for part in hidden if part in text]
    assert (await api.ask("GET", KIND, role="viewer")).json["summary"] == f"forwards to {mask_number(destination)}"
    assert (await api.ask("POST", "/api/v1/click-to-call", json=CALL)).status == 202
    seen = await api.ask("GET", "/api/v1/click-to-call", role="viewer")
    [placed] = seen.json["click_to_calls"]
    assert placed["notice"] == f"****10 forwards to {mask_number(destination)}: that phone rings first"
    assert placed["forwards"] == [{"kind": "IMMEDIATE", "destination": mask_number(destination)}]
    assert not [text for text in texts(seen.json) for part in [*hidden, "1010", "07000000801"] if part in text]


def test_the_steps_of_a_call_are_masked_too() -> None:
    steps = [
        StepTaken(CallStep.FORWARDED, 1.0, "1020"),
        StepTaken(CallStep.CALLER_UNREACHED, 2.0, "PJSIP/01012345678 is busy"),
    ]
    placed = PlacedCall(
        click_to_call_id="c",
        tenant="main",
        caller="1010",
        callee="01087654321",
        actor="jin",
        way="websocket",
        forwards=[],
        forwards_unread=True,
        created_at=1.0,
        ended_at=2.0,
        call_id="",
        steps=steps,
    )
    seen = click_to_call_payload(placed, View.MASKED)
    assert [taken.detail for taken in seen.steps] == ["****20", "PJSIP/010****5678 is busy"]
    assert seen.notice == "whether ****10 is forwarded could not be read"
    assert [taken.detail for taken in click_to_call_payload(placed, View.FULL).steps] == [one.detail for one in steps]


def test_what_a_server_says_is_masked_too() -> None:
    stored = ServerDiversion(server="pbx1", error="No such command 'database get main 01012345678'")
    diversion = Diversion(
        kind=DiversionKind.BUSY,
        enabled=False,
        destination="1020",
        in_effect=False,
        agreed=False,
        summary="disabled; enabled, it would forward to 1020",
        version="v",
        servers=[stored],
    )
    seen = diversion_payload(diversion, View.MASKED)
    assert seen.servers[0].error == "No such command 'database get main 010****5678'"
    assert seen.summary == "disabled; enabled, it would forward to ****20"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (KIND, {"destination": "010 1"}, 422),
        (KIND, {"destination": "1010"}, 422),
        (KIND, {"destinatoin": "0101"}, 422),
        ("/api/v1/diversions/9999/IMMEDIATE", {"enabled": False}, 404),
        (f"{KIND}?tenant=other", {"enabled": False}, 404),
        ("/api/v1/diversions/1010/SOMETIMES", {"enabled": False}, 404),
        (f"{KIND}?server=pbx1", {"enabled": False}, 422),
    ],
)
async def test_what_cannot_be_is_refused_with_a_reason(api: Api, path: str, body: dict[str, Any], status: int) -> None:
    reply = await api.put(path, body)
    assert reply.status == status, reply.text
    assert reply.media == "application/problem+json"


async def test_a_gateway_that_is_away_is_503(api: Api, room: Room, simulated: SimulatedGateway) -> None:
    await simulated.stop()
    await room.until(lambda: room.state("gateway") == "away")
    for reply in (await api.ask("GET", KIND), await api.ask("POST", "/api/v1/click-to-call", json=CALL)):
        assert (reply.status, reply.json["title"], reply.headers["Retry-After"]) == (503, "The PBX is away", "5")
    assert (await api.ask("GET", "/api/v1/pbx/servers")).json["gateway"]["state"] == "away"


async def test_no_answer_holds_the_tenants_id(api: Api, simulated: SimulatedGateway) -> None:
    simulated.servers[1].database[TENANT_ID, "diversions/1010/CFI/enable"] = "no"
    await api.put(KIND, {"destination": "0101"})
    replies = [await api.ask("GET", path) for path in (ALL, KIND, "/api/v1/pbx/servers", "/openapi.json")]
    replies.append(await api.ask("POST", "/api/v1/click-to-call", json=CALL))
    assert not any(TENANT_ID in reply.text for reply in replies)


async def test_a_click_to_call_is_placed_once_and_followed(api: Api, simulated: SimulatedGateway) -> None:
    headers = {"Idempotency-Key": "k"}
    placed = await api.ask("POST", "/api/v1/click-to-call", json=CALL, headers=headers)
    assert placed.status == 202
    again = await api.ask("POST", "/api/v1/click-to-call", json=CALL, headers=headers)
    assert again.json["click_to_call_id"] == placed.json["click_to_call_id"]
    path = placed.headers["Location"]
    async with asyncio.timeout(30):
        while (told := await api.ask("GET", path)).json["ended_at"] is None:  # noqa: ASYNC110 - a page polls it too
            await asyncio.sleep(0.01)
    assert told.json["state"] == "ended"
    assert [step["step"] for step in told.json["steps"]][:2] == ["requested", "queued"]
    listed = await api.ask("GET", "/api/v1/click-to-call", role="viewer")
    assert [(one["callee"], one["caller"]) for one in listed.json["click_to_calls"]] == [("070****0801", "****10")]
    assert sum(request.get("Action") == "Originate" for request in simulated.received) == 1
    assert (await api.ask("GET", "/api/v1/click-to-call/none")).status == 404
    other = await api.ask("POST", "/api/v1/click-to-call", json=CALL | {"callee": "0101"}, headers=headers)
    assert other.status == 422


async def test_the_link_is_measured(api: Api, house: House, room: Room, simulated: SimulatedGateway) -> None:
    house.health.add("pbx:gateway", room.pbx.gateway.condition)
    for server in room.pbx.servers.all:
        house.health.add(server.status.now.link, server.status.part)
    await simulated.send_bytes(
        b'{"type":3,"server_id":1,"server_name":"pbx1","data":{"Event":"DTMFBegin","Digit":"\xff"}}'
    )
    await room.until(lambda: room.pbx.gateway.damaged == 1)
    reply = await api.ask("GET", "/metrics")
    assert reply.status == 200
    found = {
        (sample.name, sample.labels.get("name", "")): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }
    assert found["parley_pbx_frames_damaged", "gateway"] == 1
    assert found["parley_pbx_frames_received", "gateway"] >= found["parley_pbx_frames_ignored", "gateway"] >= 1
    assert found["parley_pbx_late_answers", "gateway"] == 0
    assert found["parley_pbx_requests_answered", "gateway"] >= 2
    assert 0 < found["parley_pbx_round_trip_seconds", "pbx1"] < 5
