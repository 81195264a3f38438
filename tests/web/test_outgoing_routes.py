"""Calls that Parley places, over REST: what is answered, to whom, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from daemon.callapps.contract import AppCall
from daemon.demo.exchange import Destination
from daemon.demo.switch import SimulatedSwitch
from daemon.stores.audit import latest_audit
from tests.daemon.callapps.dialler import NUMBER, Dialler
from tests.web.browser import bearer
from tests.web.client import Reply, ask
from tests.web.house import House

CALLS = "/api/v1/calls"
OUTGOING = "/api/v1/outgoing-calls"
WISH = {"to": NUMBER, "app": "order", "variables": {"name": "홍길동"}}


async def reminding(call: AppCall) -> None:
    await call.answer()
    await call.hang_up(f"{call.variables['name']}님, 내일 예약이 있습니다")


@pytest.fixture
async def switch() -> AsyncIterator[SimulatedSwitch]:
    simulated = SimulatedSwitch(speed=30.0)
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest.fixture
async def dialler(house: House, switch: SimulatedSwitch) -> AsyncIterator[Dialler]:
    made = Dialler(switch, reminding, house.database, per_user_per_hour=3)
    await made.start()
    house.sources.outgoing = made.outgoing
    yield made
    await made.stop()


class Api:
    def __init__(self, server: TestServer, operator: str, viewer: str) -> None:
        self._server = server
        self._headers = {"operator": bearer(operator), "viewer": bearer(viewer)}

    async def ask(self, method: str, path: str, *, role: str = "operator", **options: Any) -> Reply:
        headers = self._headers[role] | options.pop("headers", {})
        return await ask(self._server, method, path, headers=headers, **options)

    async def over(self, path: str) -> Reply:
        """What came of it in the end."""
        async with asyncio.timeout(30):
            while (told := await self.ask("GET", path)).json["ended_at"] is None:  # noqa: ASYNC110 - a page polls too
                await asyncio.sleep(0.01)
        return told


@pytest.fixture
async def api(house: House, dialler: Dialler) -> Api:
    return Api(await house.serve(), await house.token("operator"), await house.token("viewer"))


async def test_a_call_is_placed_once_and_followed(api: Api, dialler: Dialler, house: House) -> None:
    headers = {"Idempotency-Key": "k"}
    placed = await api.ask("POST", CALLS, json=WISH, headers=headers)
    assert placed.status == 202, placed.text
    assert placed.json["state"] in ("ringing", "answered")
    assert placed.headers["Location"] == f"{OUTGOING}/{placed.json['call_id']}"
    again = await api.ask("POST", CALLS, json=WISH, headers=headers)
    assert again.json["call_id"] == placed.json["call_id"]
    over = await api.over(placed.headers["Location"])
    assert (over.json["state"], over.json["cause"], over.json["number"]) == ("ended", "NORMAL_CLEARING", NUMBER)
    assert over.json["answered_at"] <= over.json["ended_at"] or over.json["ended_at"] == dialler.now
    assert len(dialler.script.calls) == 1
    assert dialler.live(await dialler.outgoing.get(placed.json["call_id"])).app == "order"  # type: ignore[arg-type]
    listed = await api.ask("GET", f"{OUTGOING}?limit=1", role="viewer")
    assert [one["number"] for one in listed.json["outgoing_calls"]] == ["010****5678"]
    assert NUMBER not in listed.text
    assert "홍길동" not in over.text + listed.text
    async with house.database.read() as connection:
        audit = [row for row in await latest_audit(connection, 10) if row.action == "call_placing"]
    assert [(row.actor, row.via, row.subject) for row in audit] == [("token-operator", "token", NUMBER)]


@pytest.mark.parametrize("cause", ["USER_BUSY", "NO_ANSWER"])
async def test_what_came_of_it_is_told(api: Api, switch: SimulatedSwitch, cause: str) -> None:
    switch.exchange.destinations[NUMBER] = Destination(answers=False, cause=cause)
    placed = await api.ask("POST", CALLS, json=WISH)
    over = await api.over(placed.headers["Location"])
    assert over.json["state"] == {"USER_BUSY": "busy", "NO_ANSWER": "no_answer"}[cause]
    assert over.json["answered_at"] is None


async def test_viewers_place_nothing(api: Api, dialler: Dialler) -> None:
    assert (await api.ask("POST", CALLS, role="viewer", json=WISH)).status == 403
    assert dialler.legs() == []


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"to": "112"}, "Not possible"),
        ({"to": "01012345678&park()"}, "Not possible"),
        ({"app": "other"}, "Not possible"),
        ({"to": ""}, "Not understood"),
        ({"to": 1}, "Not understood"),
        ({"variables": {"a": 1}}, "Not understood"),
        ({"variables": {str(number): "" for number in range(51)}}, "Not understood"),
        ({"variables": {"a": "x" * 1001}}, "Not understood"),
        ({"caller": "0212345678"}, "Not understood"),
    ],
)
async def test_what_cannot_be_is_refused_with_a_reason(api: Api, changes: dict[str, Any], title: str) -> None:
    reply = await api.ask("POST", CALLS, json=WISH | changes)
    assert (reply.status, reply.json["title"]) == (422, title)
    assert reply.media == "application/problem+json"
    assert "112" not in reply.json["detail"]


async def test_limits_say_when_to_come_again(api: Api, dialler: Dialler) -> None:
    for _ in range(3):
        assert (await api.ask("POST", CALLS, json=WISH)).status == 202
    many = await api.ask("POST", CALLS, json=WISH)
    assert (many.status, many.headers["Retry-After"]) == (429, "3600")
    dialler.now += 9 * 3600.0
    closed = await api.ask("POST", CALLS, json=WISH)
    assert (closed.status, closed.json["title"], closed.headers["Retry-After"]) == (409, "Not at this time", "43200")
    assert closed.json["detail"].startswith("People are called mon, tue, wed, thu, fri from 09:00 to 20:00")


async def test_a_switch_that_is_away_is_503(api: Api, dialler: Dialler, switch: SimulatedSwitch) -> None:
    await switch.refuse()
    switch.disconnect()
    await dialler.following.until(lambda: dialler.following.statuses[-1].state == "away")
    reply = await api.ask("POST", CALLS, json=WISH)
    assert (reply.status, reply.json["title"], reply.headers["Retry-After"]) == (503, "The switch is away", "5")
    await switch.admit()
    await dialler.following.ready(2)


async def test_off_says_what_to_do(house: House, switch: SimulatedSwitch) -> None:
    made = Dialler(switch, reminding, house.database, allowed=[])
    await made.start()
    house.sources.outgoing = made.outgoing
    api = Api(await house.serve(), await house.token("operator"), await house.token("viewer"))
    reply = await api.ask("POST", CALLS, json=WISH)
    assert (reply.status, reply.json["title"]) == (404, "No calls are placed")
    assert "[callapps.outgoing]" in reply.json["detail"]
    assert (await api.ask("GET", OUTGOING)).json == {"outgoing_calls": []}
    assert (await api.ask("GET", f"{OUTGOING}/none")).status == 404
    await made.stop()


async def test_without_a_switch_there_is_nothing(house: House) -> None:
    api = Api(await house.serve(), await house.token("operator"), await house.token("viewer"))
    assert (await api.ask("POST", CALLS, json=WISH)).status == 404
    for path in (OUTGOING, f"{OUTGOING}/x"):
        assert (await api.ask("GET", path)).status == 404
