"""The inbox over REST, for admins: found, looked at, worked on again."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from prometheus_client.parser import text_string_to_metric_families

from daemon.config import Config, InboxConfig, SourceConfig
from daemon.inbox.contract import Delivery, PermanentError
from daemon.inbox.handlers import NamedHandler
from daemon.stores.audit import latest_audit
from daemon.stores.deliveries import DeliveryFilter
from daemon.stores.delivery_work import DeliveryState
from protocols.webhooks import github
from tests.web.browser import bearer
from tests.web.client import Reply, ask
from tests.web.house import House
from tests.web.schema import Schemas

SECRET = "example-secret"
DELIVERIES = "/api/v1/inbox/deliveries"


@pytest.fixture
def config() -> Config:
    return Config(inbox=InboxConfig(source=[SourceConfig(name="github", kind="github")]))


@pytest.fixture
def secrets() -> dict[str, str]:
    return {"PARLEY_SOURCE_GITHUB_SECRET": SECRET}


class Desk:
    """An admin at a server with an inbox at work. ``refusing``: its handler says no."""

    def __init__(self, house: House, server: TestServer, admin: dict[str, str]) -> None:
        self.house = house
        self.server = server
        self.admin = admin
        self.refusing = False

    async def handle(self, _: Delivery) -> None:
        if self.refusing:
            raise PermanentError("거절되었습니다")

    async def push(self, number: int, body: bytes = b"{}") -> str:
        headers = github.sign(SECRET, body) | {"X-GitHub-Event": "push", "X-GitHub-Delivery": f"d-{number}"}
        reply = await ask(self.server, "POST", "/webhooks/github", data=body, headers=headers)
        assert reply.status == 202
        return str(reply.json["delivery_id"])

    async def get(self, path: str, **query: Any) -> Reply:
        return await ask(self.server, "GET", path, params=query, headers=self.admin)

    async def post(self, path: str, body: Any = None) -> Reply:
        return await ask(self.server, "POST", path, json=body, headers=self.admin)

    async def worked(self) -> None:
        await self.house.until_none(
            [DeliveryFilter(state=state) for state in (DeliveryState.PENDING, DeliveryState.WORKING)]
        )


@pytest.fixture
async def desk(house: House) -> AsyncIterator[Desk]:
    house.now = time.time()
    async with house.inbox_at_work():
        desk = Desk(house, await house.serve(), bearer(await house.token("admin")))
        house.inbox.handlers.add(NamedHandler(name="own", handle=desk.handle, source="github"))
        yield desk


async def test_it_is_for_admins(desk: Desk) -> None:
    operator = bearer(await desk.house.token("operator"))
    for method, path in (("GET", "/api/v1/inbox"), ("GET", DELIVERIES), ("POST", f"{DELIVERIES}/x/replay")):
        assert (await ask(desk.server, method, path, headers=operator)).status == 403
        assert (await ask(desk.server, method, path)).status == 401


async def test_pages_go_back_to_the_first(desk: Desk) -> None:
    ids = [await desk.push(number) for number in range(7)]
    found: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = (await desk.get(DELIVERIES, **query)).json
        found += [one["delivery_id"] for one in page["deliveries"]]
        if page["before"] is None:
            break
        assert page["looked_back_to"] <= time.time()
        query["before"] = page["before"]
    assert found == ids[::-1]


async def test_a_failed_one_is_found_read_and_replayed(desk: Desk) -> None:
    desk.refusing = True
    delivery_id = await desk.push(1, '{"말":"안녕"}'.encode())
    await desk.push(2)
    await desk.worked()
    page = (await desk.get(DELIVERIES, state="dead", source="github", event="push", text="거절")).json
    assert [one["delivery_id"] for one in page["deliveries"]][1] == delivery_id
    whole = (await desk.get(f"{DELIVERIES}/{delivery_id}")).json
    assert (whole["body"], whole["body_as"]) == ('{"말":"안녕"}', "text")
    assert {"name": "X-GitHub-Event", "value": "push"} in whole["headers"]
    [run] = whole["runs"]
    assert (run["handler"], run["outcome"], run["error"]) == ("own", "refused", "거절되었습니다")
    desk.refusing = False
    assert (await desk.post(f"{DELIVERIES}/{delivery_id}/replay")).status == 200
    await desk.worked()
    whole = (await desk.get(f"{DELIVERIES}/{delivery_id}")).json
    assert (whole["delivery"]["state"], len(whole["runs"])) == ("done", 2)
    # The other one in bulk: counted first.
    assert (await desk.post("/api/v1/inbox/replays", {"state": "dead"})).json == {
        "found": 1,
        "replayed": 0,
        "at_least": False,
    }
    wish = {"state": "dead", "dry_run": False, "per_second": 100}
    assert (await desk.post("/api/v1/inbox/replays", wish)).json == {
        "found": 1,
        "replayed": 1,
        "at_least": False,
    }
    await desk.worked()
    assert (await desk.get(DELIVERIES, state="dead")).json["deliveries"] == []
    async with desk.house.database.read() as connection:
        audit = await latest_audit(connection, 2)
    assert [row.action for row in audit] == ["deliveries_replayed", "delivery_replayed"]
    assert audit[0].actor == "token-admin"


async def test_what_cannot_be_done_is_said(desk: Desk) -> None:
    delivery_id = await desk.push(1)
    await desk.worked()
    assert (await desk.post(f"{DELIVERIES}/{delivery_id}/cancel")).status == 409
    for path in (f"{DELIVERIES}/none", f"{DELIVERIES}/{delivery_id}x"):
        assert (await desk.get(path)).status == 404
        assert (await desk.post(f"{path}/replay")).status == 404
    reply = await desk.get(DELIVERIES, body="안녕")
    assert (reply.status, "a week" in reply.json["detail"]) == (422, True)
    assert (await desk.get(DELIVERIES, body="안녕", since=0, until=604_800)).status == 200
    assert (await desk.get(DELIVERIES, state="odd")).status == 422
    assert (await desk.get(DELIVERIES, limit=0)).status == 422


@pytest.mark.parametrize("moment", ["nan", "inf", "-inf", "-1", "1e300", "253402300800"])
async def test_what_is_no_moment_is_refused(desk: Desk, moment: str) -> None:
    for name in ("since", "until"):
        reply = await desk.get(DELIVERIES, **{name: moment})
        assert (reply.status, f"$.{name}" in reply.json["detail"]) == (422, True)
    headers = desk.admin | {"Content-Type": "application/json"}
    for written in ("-1", "1e300", "253402300800"):
        wish = f'{{"since":{written}}}'.encode()
        assert (await ask(desk.server, "POST", "/api/v1/inbox/replays", data=wish, headers=headers)).status == 422


async def test_what_is_no_text_is_base64(desk: Desk) -> None:
    delivery_id = await desk.push(1, b"\xff\x00")
    whole = (await desk.get(f"{DELIVERIES}/{delivery_id}")).json
    assert (whole["body"], whole["body_as"]) == ("/wA=", "base64")


async def test_what_stands_is_told_and_measured(desk: Desk) -> None:
    desk.refusing = True
    await desk.push(1)
    await ask(desk.server, "POST", "/webhooks/github", data=b"{}")
    await desk.worked()
    await desk.house.inbox.count()
    desk.house.inbox.counts.lost_own(0.0)
    overview = (await desk.get("/api/v1/inbox")).json
    [provider, own] = overview["sources"]
    assert (provider["source"], own["source"]) == ("github", "parley")
    assert (provider["accepted"], provider["dead"], provider["refused"]) == (1, 1, {"missing_signature": 1})
    assert (overview["attempts"], overview["died"], overview["problem"]) == (1, 1, "")
    text = (await ask(desk.server, "GET", "/metrics")).text
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["parley_inbox_accepted_total", "github"] == 1
    assert samples["parley_inbox_attempts_total", "github"] == 1
    assert samples["parley_inbox_died_total", "github"] == 1
    assert samples["parley_inbox_refused_total", "github", "missing_signature"] == 1
    assert samples["parley_inbox_deliveries", "dead", "github"] == 1
    assert samples["parley_inbox_oldest_pending_seconds", "github"] == 0
    assert samples["parley_inbox_own_events_lost_total",] == 1


async def test_answers_are_what_the_document_says(desk: Desk) -> None:
    delivery_id = await desk.push(1)
    await desk.worked()
    document = (await ask(desk.server, "GET", "/openapi.json")).json
    schemas = Schemas(document["components"]["schemas"])
    for template, reply in (
        ("/api/v1/inbox", await desk.get("/api/v1/inbox")),
        (DELIVERIES, await desk.get(DELIVERIES)),
        (f"{DELIVERIES}/{{delivery_id}}", await desk.get(f"{DELIVERIES}/{delivery_id}")),
        (f"{DELIVERIES}/{{delivery_id}}", await desk.get(f"{DELIVERIES}/none")),
    ):
        content = document["paths"][template]["get"]["responses"][str(reply.status)]["content"]
        assert schemas.problems(reply.json, content[reply.media]["schema"]) == []
