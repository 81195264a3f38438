"""Calls and transcripts over REST."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from daemon.calls.call import AppState
from daemon.calls.events import Direction
from tests.web.browser import bearer
from tests.web.client import Reply, ask
from tests.web.house import CALLEE, CALLER, House


class Api:
    """Asks as an operator and as a viewer."""

    def __init__(self, server: TestServer, operator: str, viewer: str) -> None:
        self._server = server
        self._operator = bearer(operator)
        self._viewer = bearer(viewer)

    async def get(self, path: str, **headers: str) -> Reply:
        return await ask(self._server, "GET", path, headers=self._operator | headers)

    async def seen(self, path: str) -> Reply:
        """As a viewer."""
        return await ask(self._server, "GET", path, headers=self._viewer)

    async def call_ids(self, query: str) -> list[str]:
        reply = await self.get(f"/api/v1/calls?{query}")
        assert reply.status == 200, reply.text
        return [call["call_id"] for call in reply.json["calls"]]


@pytest.fixture
def store_url(database_url: str) -> str:
    """Both engines in turn."""
    return database_url


@pytest.fixture
async def api(house: House) -> Api:
    return Api(await house.serve(), await house.token("operator"), await house.token("viewer"))


async def stored(house: House, leg_id: str, *texts: str, **changes: Any) -> str:
    """A call that ended and left memory."""
    call = house.ring(leg_id, **changes)
    house.answer(leg_id)
    house.hang_up(leg_id)
    await house.store(call, texts)
    house.now += 1_000
    house.registry.sweep()
    return call.call_id


async def test_a_live_call_is_served_from_memory(house: House, api: Api) -> None:
    call = house.ring()
    house.answer()
    reply = await api.get(f"/api/v1/calls/{call.call_id}")
    assert reply.status == 200
    assert (reply.json["state"], reply.json["caller"], reply.json["disposition"]) == ("active", CALLER, None)
    assert reply.json["merged_into"] is None
    assert await api.call_ids("state=live") == [call.call_id]


async def test_an_ended_call_is_served_from_the_store(house: House, api: Api) -> None:
    call_id = await stored(house, "leg-a")
    assert house.registry.get(call_id) is None
    reply = await api.get(f"/api/v1/calls/{call_id}")
    assert (reply.json["state"], reply.json["disposition"]) == ("ended", "answered")
    assert reply.json["legs"][0]["state"] == "ended"


async def test_a_call_tells_of_the_app_that_led_it(house: House, api: Api) -> None:
    call = house.ring()
    key = ("freeswitch", "main", "leg-a")
    house.registry.tell_app(key, "order", "")
    house.registry.tell_app_state(key, AppState.SPEAKING)
    live = (await api.get(f"/api/v1/calls/{call.call_id}")).json
    assert [live[name] for name in ("app", "app_state", "app_ending", "outcome")] == ["order", "speaking", "", ""]
    house.hang_up()
    house.registry.tell_app(key, "order", "ordered", state=AppState.HANDED_OVER, ending="handed_on")
    await house.store(call, [])
    house.now += 1_000
    house.registry.sweep()
    for shown in (
        (await api.get(f"/api/v1/calls/{call.call_id}")).json,
        (await api.get("/api/v1/calls")).json["calls"][0],
    ):
        told = [shown[name] for name in ("app", "app_state", "app_ending", "outcome")]
        assert told == ["order", "handed_over", "handed_on", "ordered"]


async def test_a_call_without_an_app_tells_of_none(house: House, api: Api) -> None:
    call_id = await stored(house, "leg-a")
    shown = (await api.get(f"/api/v1/calls/{call_id}")).json
    assert [shown[name] for name in ("app", "app_state", "app_ending", "outcome")] == ["", None, "", ""]


async def test_numbers_are_masked_for_viewers(house: House, api: Api) -> None:
    live, ended = house.ring("leg-b").call_id, await stored(house, "leg-a")
    for path in (f"/api/v1/calls/{live}", f"/api/v1/calls/{ended}", "/api/v1/calls", "/api/v1/calls?state=live"):
        assert CALLER in (await api.get(path)).text
        seen = (await api.seen(path)).text
        assert CALLER not in seen
        assert "010****5678" in seen
        assert CALLEE in seen, "the DID is ours"


async def test_the_did_is_whole_wherever_it_stands(house: House, api: Api) -> None:
    call = house.ring(callee=CALLEE, did=CALLEE)
    seen = (await api.seen(f"/api/v1/calls/{call.call_id}")).json
    assert (seen["did"], seen["callee"], seen["legs"][0]["callee"]) == (CALLEE, CALLEE, CALLEE)


async def test_whom_the_switch_or_a_sip_user_called_is_masked_too(house: House, api: Api) -> None:
    placed = house.ring("leg-b", direction=Direction.OUTBOUND, caller="0000000000", did="01098765432")
    dialled = house.ring("leg-c", caller="alice", did="01098765432")
    came_in = house.ring("leg-d", caller="anonymous", did="15880000")
    shown = {call["call_id"]: call["did"] for call in (await api.seen("/api/v1/calls?state=live")).json["calls"]}
    assert shown == {
        placed.call_id: "010****5432",
        dialled.call_id: "010****5432",
        came_in.call_id: "15880000",
    }


async def test_who_sees_no_numbers_cannot_find_them_out_by_asking(house: House, api: Api) -> None:
    live = house.ring("leg-a", created_at=house.now + 1)
    for number in range(3):
        placed = house.ring(f"leg-{number}", direction=Direction.OUTBOUND, did="01098765432")
        house.hang_up(f"leg-{number}")
        await house.store(placed, [])
    await house.store(live, [])
    for state in ("", "&state=live"):
        reply = await api.seen(f"/api/v1/calls?caller={CALLER}{state}")
        assert (reply.status, reply.json["title"]) == (403, "Callers are masked")
        assert (await api.get(f"/api/v1/calls?caller={CALLER}{state}")).json["calls"]
        assert len((await api.seen(f"/api/v1/calls?did={CALLEE}{state}")).json["calls"]) == 1
    hidden = (await api.seen("/api/v1/calls?did=01098765432&limit=1")).json
    assert hidden == {"calls": [], "next": None}
    assert len((await api.get("/api/v1/calls?did=01098765432")).json["calls"]) == 3


async def test_what_an_extension_dialled_is_masked_too(house: House, api: Api) -> None:
    call = house.ring(caller="1004", caller_name="상담원", callee=CALLER, did=CALLER)
    seen = (await api.seen(f"/api/v1/calls/{call.call_id}")).json
    assert (seen["did"], seen["callee"]) == ("010****5678", "010****5678")


async def test_calls_are_listed_newest_first_and_filtered(house: House, api: Api) -> None:
    first = await stored(house, "leg-1", caller="01011112222", code="billing")
    second = await stored(house, "leg-2", did="07099998888")
    third = house.ring("leg-3")
    await house.store(third, [])
    assert await api.call_ids("") == [third.call_id, second, first]
    assert await api.call_ids("state=ended") == [second, first]
    assert await api.call_ids("caller=01011112222") == [first]
    assert await api.call_ids("code=billing") == [first]
    assert await api.call_ids("did=07099998888") == [second]
    assert await api.call_ids("server=other") == []
    assert await api.call_ids(f"since={third.created_at}") == [third.call_id]
    assert await api.call_ids(f"until={third.created_at}") == [second, first]
    house.answer("leg-3")
    reply = await api.get("/api/v1/calls")
    assert reply.json["calls"][0]["state"] == "active", "as it stands now, not as it was stored"


@pytest.mark.parametrize("state", ["live", "ended"])
async def test_pages_follow_each_other_without_gap_or_double(house: House, api: Api, state: str) -> None:
    wanted = []
    for number in range(7):
        call = house.ring(f"leg-{number}", created_at=house.now + number // 2)
        if state == "ended":
            house.hang_up(f"leg-{number}")
            await house.store(call, [])
        wanted.append((call.created_at, call.call_id))
    found: list[str] = []
    more = ""
    for _ in range(3):
        reply = await api.get(f"/api/v1/calls?state={state}&limit=3{more}")
        found += [call["call_id"] for call in reply.json["calls"]]
        more = f"&cursor={reply.json['next']}"
    assert reply.json["next"] is None
    assert found == [call_id for _, call_id in sorted(wanted, reverse=True)]


async def test_live_calls_are_filtered_like_stored_ones(house: House, api: Api) -> None:
    one = house.ring("leg-1", caller="01011112222", code="billing", did="07099998888")
    two = house.ring("leg-2")
    ended = house.ring("leg-3")
    house.hang_up("leg-3")
    assert ended.call_id not in await api.call_ids("state=live")
    for query in ("caller=01011112222", "code=billing", "did=07099998888", f"until={two.created_at}"):
        assert await api.call_ids(f"state=live&{query}") == [one.call_id]
    assert await api.call_ids("state=live&server=main") == [two.call_id, one.call_id]
    assert await api.call_ids(f"state=live&since={two.created_at}&server=main") == [two.call_id]


@pytest.mark.parametrize(
    "query",
    [
        "state=dead",
        "limit=0",
        "limit=501",
        "limit=x",
        "since=yesterday",
        "unknown=1",
        "state=live&state=ended",
        "cursor=x",
        "cursor=%00",
        "cursor=W10",
        "state=live&cursor=WyJ4Il0",
        "cursor=" + "A" * 300,
    ],
)
async def test_a_query_that_is_not_understood_is_refused(api: Api, query: str) -> None:
    reply = await api.get(f"/api/v1/calls?{query}")
    assert (reply.status, reply.media) == (422, "application/problem+json")
    assert reply.json["title"] == "Not understood"


async def test_a_call_that_nobody_knows(api: Api) -> None:
    for call_id in ("x", "x%2Fy", "%FF", "%ED%A0%80", "a" * 5_000):
        for path in (f"/api/v1/calls/{call_id}", f"/api/v1/calls/{call_id}/transcript"):
            reply = await api.get(path)
            assert (reply.status, reply.media) == (404, "application/problem+json"), path


async def test_text_that_no_store_can_hold(house: House, api: Api) -> None:
    for path in ("/api/v1/calls/%00", "/api/v1/calls/%00/transcript", "/api/v1/calls?caller=%00"):
        reply = await api.get(path)
        # PostgreSQL has no NUL; SQLite has, and finds nothing.
        assert reply.status == (422 if house.database.is_postgresql else 200 if "?" in path else 404)
        assert "x00" not in reply.text


async def test_a_transcript_comes_from_memory_and_from_the_store(house: House, api: Api) -> None:
    ended = await stored(house, "leg-a", "하나", "둘")
    live = house.ring("leg-b").call_id
    house.say("셋", "leg-b")
    house.say("넷은 아직", "leg-b", final=False)
    for call_id, texts in ((ended, ["하나", "둘"]), (live, ["셋"])):
        reply = await api.get(f"/api/v1/calls/{call_id}/transcript")
        assert reply.media == "application/json"
        assert (reply.json["call_id"], reply.json["epoch"]) == (call_id, "epoch-1")
        assert [one["text"] for one in reply.json["utterances"]] == texts
        assert [one["seq"] for one in reply.json["utterances"]] == list(range(1, len(texts) + 1))


async def test_a_transcript_comes_in_the_form_that_is_asked_for(house: House, api: Api) -> None:
    call_id = await stored(house, "leg-a", "하나", "=1+1")
    path = f"/api/v1/calls/{call_id}/transcript"
    table = await api.get(path + "?format=csv")
    assert table.media == "text/csv"
    assert table.body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(table.body.decode("utf-8-sig"))))
    assert [row["text"] for row in rows] == ["하나", "'=1+1"]
    assert table.headers["Content-Disposition"] == f'attachment; filename="transcript-{call_id}.csv"'
    text = await api.get(path + "?format=text")
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert text.text.splitlines()[0].endswith("caller: 하나")
    assert (await api.get(path + "?format=vtt")).text.startswith("WEBVTT\n")
    assert (await api.get(path + "?format=pdf")).status == 422


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/vtt, */*;q=0.1", "text/vtt"),
        ("application/xml, text/plain;q=0.5", "text/plain"),
        ("text/csv;q=0.2, application/json;q=0.9", "application/json"),
        ("text/*", "text/csv"),
        ("application/xml", "application/problem+json"),
        ("text/csv;q=0", "application/problem+json"),
        ("text/csv;q=x", "application/problem+json"),
    ],
)
async def test_accept_chooses_the_form(house: House, api: Api, accept: str, media: str) -> None:
    call = house.ring()
    reply = await api.get(f"/api/v1/calls/{call.call_id}/transcript", Accept=accept)
    assert reply.media == media
    assert reply.status == (406 if "problem" in media else 200)


async def test_everything_needs_somebody(house: House, api: Api) -> None:
    call = house.ring()
    for path in ("", f"/{call.call_id}", f"/{call.call_id}/transcript"):
        reply = await ask(house.servers[0], "GET", f"/api/v1/calls{path}")
        assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_without_the_store_live_calls_are_still_served(house: House, api: Api) -> None:
    call = house.ring()
    house.say("하나")
    await api.get("/api/v1/session")  # both are recognised from memory from now on
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE calls RENAME TO gone")
    assert await api.call_ids("state=live") == [call.call_id]
    assert (await api.get(f"/api/v1/calls/{call.call_id}/transcript")).json["utterances"][0]["text"] == "하나"
    reply = await api.get("/api/v1/calls")
    assert (reply.status, reply.json["title"], reply.headers["Retry-After"]) == (503, "The store is away", "5")
    assert "calls" not in reply.json.get("detail", "")
