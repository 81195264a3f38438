"""Vox.ai's events at /api/v1/call_events: through the inbox, and then calls beside the switch's own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from itertools import permutations
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from daemon.config import Config, InboxConfig, SourceConfig
from daemon.stores.agent_calls import AgentCallRow, get_agent_call
from daemon.stores.calls import CallFilter, CallRow, page_calls
from daemon.stores.database import Database
from daemon.stores.deliveries import DeliveryFilter
from daemon.stores.delivery_work import DeliveryState
from daemon.stores.utterances import UtteranceRow, utterances_of
from tests.protocols.webhooks.voxai_samples import (
    ANALYSIS,
    CALL_ID,
    END_MS,
    START_MS,
    TRANSCRIPT,
    v1,
    v1_ended,
    v2,
    v2_ended,
)
from tests.web.house import House

KNOWN = {"Authorization": "Bearer example-token", "Content-Type": "application/json"}
BEGAN, ENDED = START_MS / 1000, END_MS / 1000
SAID = [turn["content"] for turn in TRANSCRIPT]


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[House]:
    config = Config(inbox=InboxConfig(source=[SourceConfig(name="voxai", kind="voxai", check="bearer")]))
    made = House(database, config, tmp_path, {"PARLEY_SOURCE_VOXAI_SECRET": "example-token"})
    made.now = time.time()
    yield made
    await made.close()


@pytest.fixture
async def server(house: House) -> AsyncIterator[TestServer]:
    async with house.inbox_at_work():
        yield await house.serve()


async def deliver(server: TestServer, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    url = server.make_url("/api/v1/call_events")
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=KNOWN if headers is None else headers) as response,
    ):
        return response.status, await response.json(content_type=None)


async def worked(house: House) -> None:
    """Wait until nothing is left to work on."""
    states = (DeliveryState.PENDING, DeliveryState.WORKING)
    await house.until_none([DeliveryFilter(state=state) for state in states])


async def stored(house: House) -> tuple[CallRow, AgentCallRow, list[UtteranceRow]]:
    async with house.database.read() as connection:
        [call], _ = await page_calls(connection, CallFilter(), 10)
        more = await get_agent_call(connection, call.call_id)
        said = await utterances_of(connection, call.call_id)
    assert more is not None
    return call, more, said


async def test_the_answer_is_the_one_that_customers_know(server: TestServer) -> None:
    status, body = await deliver(server, v1("call_started"))
    assert (status, set(body), body["status"]) == (200, {"status", "message", "details"}, "success")
    assert (await deliver(server, v1("call_started")))[0] == 200
    assert (await deliver(server, v1("call_started"), {}))[0] == 401


@pytest.mark.parametrize("version", [1, 2])
async def test_events_in_any_order_make_one_call(house: House, server: TestServer, version: int) -> None:
    events = [
        v1("call_started") if version == 1 else v2("call_started"),
        v1_ended() if version == 1 else v2_ended(),
        v2(
            "call_analyzed",
            call_analysis=ANALYSIS,
            transcript=TRANSCRIPT,
            from_number="+82 10-1234-5678",
            start_at=None,
        ),
    ]
    for order in permutations(events):
        for event in order:
            assert (await deliver(server, event))[0] == 200
        await worked(house)
        call, more, said = await stored(house)
        assert (call.origin, call.server, call.other_id, call.state) == ("voxai", "voxai", CALL_ID, "ended")
        assert (call.caller, call.callee, call.did) == ("01012345678", "0212345678", "0212345678")
        assert (call.hangup_cause, call.disposition, call.app) == ("user_hangup", "answered", "agent-1")
        assert (call.created_at, call.answered_at, call.ended_at) == (BEGAN, BEGAN, ENDED)
        assert (call.legs[0].created_at, call.legs[0].answered_at) == (BEGAN, BEGAN)
        assert {one.said_at for one in said} == {BEGAN}
        assert [(one.speaker, one.text, one.seq) for one in said] == [("app", SAID[0], 1), ("caller", SAID[1], 2)]
        assert more.summary == ANALYSIS["summary"]
        assert more.recording_url == "https://recordings.example.com/call-0001.wav"
        assert "홍길동" in more.dynamic_variables
        async with house.database.transaction() as connection:
            for table in ("utterances", "agent_calls", "legs", "calls", "deliveries"):
                await connection.exec_driver_sql(f"DELETE FROM {table}")


LATER = {"start_at": None, "end_at": None, "duration_ms": None}
RECEIVED = 1_790_000_300.0


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)  # the other one's clock is its own
@pytest.mark.parametrize(
    ("events", "began", "ended"),
    [
        # Nobody says when it began: as long before its end as it lasted, or when it was heard of.
        ([v2("call_analyzed", start_at=None)], RECEIVED, None),
        ([v2_ended(**LATER)], RECEIVED, RECEIVED),
        ([v2_ended(**LATER | {"duration_ms": 60_000})], RECEIVED - 60.0, RECEIVED),
        # Whoever says it first is believed, earlier or later than what was taken for it.
        ([v2("call_analyzed", start_at=None), v2("call_started")], BEGAN, None),
        ([v2_ended(**LATER | {"duration_ms": 60_000}), v2("call_started")], BEGAN, RECEIVED),
        ([v2("call_analyzed", start_at=None), v2("call_started", start_at=RECEIVED * 1000 + 2000)], RECEIVED + 2, None),
        ([v2_ended(**LATER), v2("call_started", start_at=RECEIVED * 1000 + 2000)], RECEIVED + 2, RECEIVED + 2),
        ([v2_ended(start_at=START_MS // 1000), v2("call_started")], BEGAN, ENDED),
        ([v2("call_started"), v2_ended(start_at=0)], BEGAN, ENDED),
        # An end that was said stays, whatever was taken for the beginning.
        ([v2("call_analyzed", start_at=None), v2_ended(start_at=None)], ENDED - 61.5, ENDED),
        ([v2("call_analyzed", start_at=None), v2_ended(start_at=None), v2("call_started")], BEGAN, ENDED),
        ([v2("call_analyzed", start_at=None), v2_ended(**LATER | {"duration_ms": 60_000})], RECEIVED, RECEIVED + 60.0),
        ([v2("call_started"), v2_ended(start_at=START_MS // 1000)], BEGAN, ENDED),
        ([v2("call_started"), v2_ended(**LATER | {"duration_ms": 60_000})], BEGAN, BEGAN + 60.0),
    ],
)
async def test_when_it_began_is_guessed_until_it_is_said(
    house: House, server: TestServer, events: list[bytes], began: float, ended: float | None
) -> None:
    house.now = RECEIVED
    for event in events:
        assert (await deliver(server, event))[0] == 200
        await worked(house)
    call, _, said = await stored(house)
    assert (round(call.created_at, 3), call.ended_at and round(call.ended_at, 3)) == (round(began, 3), ended)
    assert {one.said_at for one in said} <= {call.created_at}
    assert call.legs[0].created_at == call.created_at


async def test_history_shows_it_like_any_other(house: House, server: TestServer) -> None:
    await deliver(server, v2_ended(from_number="+821012345678"))
    await worked(house)
    headers = {"Authorization": f"Bearer {await house.token('operator')}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for number, dialled in (
            ("+821012345678", "+82212345678"),
            ("010-1234-5678", "02-1234-5678"),
            ("01012345678", "0212345678"),
        ):
            params = {"caller": number, "did": dialled}
            async with session.get(server.make_url("/api/v1/calls"), params=params) as response:
                [call] = (await response.json())["calls"]
        url = server.make_url(f"/api/v1/calls/{call['call_id']}")
        async with session.get(f"{url}/transcript") as response:
            assert [said["text"] for said in (await response.json())["utterances"]] == SAID
        async with session.get(url) as response:
            agent = (await response.json())["agent"]
    assert agent["summary"] == ANALYSIS["summary"]
    assert agent["recording_url"] == "https://recordings.example.com/call-0001.wav"
    assert [finding["name"] for finding in agent["analysis"]] == ["예약 변경", "새 날짜"]


@pytest.mark.parametrize("version", [1, 2])
async def test_of_a_call_that_opted_out_nothing_said_is_ever_written(
    house: House, server: TestServer, version: int
) -> None:
    ended = v1_ended(True) if version == 1 else v2_ended(True)
    await deliver(server, ended)
    # It does not say so again, and all the same nothing of it is kept.
    analyzed = v2("call_analyzed", call_analysis=ANALYSIS, transcript=TRANSCRIPT)
    await deliver(server, analyzed)
    await worked(house)
    call, more, said = await stored(house)
    assert (call.sensitive, said) == (True, [])
    assert (more.summary, more.recording_url, more.dynamic_variables, more.analysis) == ("", "", "", "")
    assert more.metadata
    page = await house.inbox.page(DeliveryFilter(), before=None, limit=10)
    assert [row.redacted for row in page.rows] == [True, True]
    for row in page.rows:
        whole = await house.inbox.get(row.delivery_id)
        assert whole is not None
        for secret in (*SAID, ANALYSIS["summary"], "홍길동", "recordings.example.com"):
            assert str(secret) not in whole.body.decode()


async def test_who_opts_out_late_is_forgotten_then(house: House, server: TestServer) -> None:
    await deliver(server, v1_ended())
    await worked(house)
    house.restart("epoch-2")
    async with house.inbox_at_work():
        again = await house.serve()
        await deliver(again, v2("call_analyzed", True, call_analysis=ANALYSIS, transcript=TRANSCRIPT))
        await worked(house)
        call, more, said = await stored(house)
        assert (call.sensitive, said, more.summary) == (True, [], "")
        # And known from the store after a restart.
        house.restart("epoch-3")
    async with house.inbox_at_work():
        await deliver(await house.serve(), v1("mid_call", transcript=TRANSCRIPT))
        page = await house.inbox.page(DeliveryFilter(event="mid_call"), before=None, limit=10)
        assert [row.redacted for row in page.rows] == [True]


async def test_what_is_unknown_is_kept_whole(house: House, server: TestServer) -> None:
    bodies = [b'{"event":"call_dreamt","call":{"x":1}}', b"[1,2]", b"{}", v2("sms_received"), b"\xff"]
    for body in bodies:
        assert (await deliver(server, body))[0] == 200
    await worked(house)
    page = await house.inbox.page(DeliveryFilter(), before=None, limit=10)
    wholes = [await house.inbox.get(row.delivery_id) for row in page.rows]
    assert [whole.body for whole in wholes if whole] == bodies[::-1]
    assert {row.state for row in page.rows} == {DeliveryState.DONE}
