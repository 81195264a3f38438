"""Live calls taken in hand over REST, by all of Parley in front of a simulated switch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from daemon.calls.call import AppMoved, CallChanged
from daemon.calls.links import LinkState, LinkStatus
from daemon.config import CallAppConfig, CallAppsConfig, FallbackConfig, Role, TakeoverConfig
from daemon.demo.call import SimulatedCall
from daemon.demo.switch import SimulatedSwitch
from daemon.stores.audit import AuditRow, latest_audit
from daemon.transcripts.utterance import Utterance
from tests.daemon.running_service import PASSWORD, RunningService
from web.auth import COOKIE

GREETING = "안녕하세요. 하시는 말씀을 따라 합니다."
LINE = "담당자가 곧 연결됩니다"
ANNOUNCEMENT = "잠시만 기다려 주세요"
PERSON = "1001"
OWN = "2002"
CALLER = "01012345678"

CALLAPPS = CallAppsConfig(
    no_input=30.0,
    end_silence=0.05,
    app=[CallAppConfig(use="echo", codes=["echo-app"])],
    fallback=FallbackConfig(announcement=ANNOUNCEMENT, extension=PERSON),
    takeover=TakeoverConfig(allowed=["2[0-9]{3}"], refused=["2009"]),
)


@pytest.fixture
async def switch() -> AsyncIterator[SimulatedSwitch]:
    simulated = SimulatedSwitch(password=PASSWORD, speed=30.0)
    await simulated.start()
    yield simulated
    await simulated.stop()


class Desk:
    """All of Parley, and what people ask of it."""

    def __init__(self, service: RunningService) -> None:
        self.running = service
        self.service = service.service
        self._tokens: dict[Role, str] = {}

    async def post(self, path: str, body: Any = None, *, role: Role | None = "operator", **options: Any) -> Any:
        """The status and the JSON of an answer."""
        if role is not None and role not in self._tokens:
            self._tokens[role] = await self.service.rooms.accounts.new_token(f"a-{role}", role)
        headers = {"Authorization": f"Bearer {self._tokens[role]}"} if role is not None else {}
        if body is not None:
            options["json"] = body
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{self.running.port}") as http,
            http.post(f"/api/v1/calls/{path}", headers=headers, **options) as response,
        ):
            return response.status, await response.json(content_type=None)

    async def until(self, true: Callable[[], Any]) -> None:
        changed = asyncio.Event()
        untap = self.service.rooms.hub.tap((CallChanged, AppMoved, Utterance, LinkStatus), lambda _: changed.set())
        try:
            async with asyncio.timeout(30):
                while not true():
                    changed.clear()
                    await changed.wait()
        finally:
            untap()

    def call_id(self, call: SimulatedCall) -> str:
        found = self.service.rooms.registry.call_of("freeswitch", "main", call.leg_id)
        return found.call_id if found is not None else ""

    def state(self, call: SimulatedCall) -> str | None:
        """What its app does."""
        found = self.service.rooms.registry.get(self.call_id(call))
        return found.app_state if found is not None else None

    async def listening(self, switch: SimulatedSwitch, code: str = "echo-app") -> SimulatedCall:
        """A call whose app has greeted and listens."""
        call = await switch.call(code=code, caller=CALLER)
        await call.park()
        await self.until(lambda: self.state(call) == "listening")
        return call

    async def audited(self) -> list[AuditRow]:
        """What was done to calls, oldest first."""
        async with self.service.rooms.database.read() as connection:
            rows = await latest_audit(connection, 100)
        return [row for row in rows[::-1] if row.action.startswith("call_")]


@pytest.fixture
async def desk(tmp_path: Path, switch: SimulatedSwitch) -> AsyncIterator[Desk]:
    async with RunningService(tmp_path / "state", switch.port, callapps=CALLAPPS) as service:
        made = Desk(service)
        await made.until(lambda: service.rooms.links()[0].state is LinkState.READY)
        yield made


async def at(desk: Desk, call: SimulatedCall, extension: str) -> None:
    """Wait until the caller talks to that extension."""
    await desk.until(lambda: call.leg.bridged and call.leg.bridged.profile.destination == extension)


async def test_a_call_tells_its_app_and_what_it_does(desk: Desk, switch: SimulatedSwitch) -> None:
    watcher = await desk.running.watcher()
    call = await desk.listening(switch)
    told = await desk.running.get(f"/calls/{desk.call_id(call)}")
    assert (told["app"], told["app_state"], told["app_ending"], told["outcome"]) == ("echo", "listening", "", "")
    (listed,) = (await desk.running.get("/calls", state="live"))["calls"]
    assert (listed["app"], listed["app_state"]) == ("echo", "listening")
    await call.hang_up()
    await desk.until(lambda: desk.state(call) == "ended")
    seen: list[str] = []
    await watcher.until(lambda: watcher.calls[desk.call_id(call)]["app_ending"] == "hung_up")
    for heard in watcher.told:
        if heard["app_state"] and [heard["app_state"]] != seen[-1:]:
            seen.append(heard["app_state"])
    assert seen == ["starting", "working", "speaking", "listening", "ended"]


async def test_a_line_is_said_once(desk: Desk, switch: SimulatedSwitch) -> None:
    call = await desk.listening(switch)
    status, told = await desk.post(f"{desk.call_id(call)}/say", {"text": f"{LINE}\n"})
    assert (status, told) == (200, {"call_id": desk.call_id(call), "said": True})
    transcript = await desk.running.get(f"/calls/{desk.call_id(call)}/transcript")
    assert [(one["speaker"], one["text"]) for one in transcript["utterances"]] == [("app", GREETING), ("app", LINE)]
    await call.hang_up()


async def test_a_long_wait_is_not_waited_for(desk: Desk, switch: SimulatedSwitch) -> None:
    call = await desk.listening(switch)
    desk.service.rooms.interventions._patience = 0.01
    switch.core.speed = 0.01
    status, told = await desk.post(f"{desk.call_id(call)}/say", {"text": LINE})
    assert (status, told["said"]) == (202, False)
    await call.hang_up()


async def test_a_call_is_taken_over(desk: Desk, switch: SimulatedSwitch) -> None:
    call = await desk.listening(switch)
    status, told = await desk.post(f"{desk.call_id(call)}/transfer", {"extension": OWN})
    assert (status, told["call_id"], told["app_ending"]) == (200, desk.call_id(call), "taken_over")
    await at(desk, call, OWN)
    assert call.leg.listening == []
    rows = await desk.audited()
    assert [(row.actor, row.via, row.action) for row in rows] == [
        ("a-operator", "token", "call_transferring"),
        ("a-operator", "token", "call_transferred"),
    ]
    assert {row.subject for row in rows} == {desk.call_id(call)}
    await call.hang_up()


async def test_a_call_comes_to_ones_own_extension(desk: Desk, switch: SimulatedSwitch) -> None:
    accounts = desk.service.rooms.accounts
    await accounts.add_user("hana", "an example password", "operator")
    session = await accounts.sign_in("hana", "an example password", "192.0.2.7")
    call = await desk.listening(switch)
    own = {COOKIE: session.token}
    path = f"{desk.call_id(call)}/transfer"
    origin = {"Origin": f"http://127.0.0.1:{desk.running.port}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{desk.running.port}", cookies=own) as http:
        async with http.post(f"/api/v1/calls/{path}", json={}, headers=origin) as response:
            assert (response.status, (await response.json())["title"]) == (422, "Not understood")
        await accounts.set_extension("hana", "3003")
        async with http.get("/api/v1/session") as response:
            assert (await response.json())["extension"] == "3003"
        async with http.post(f"/api/v1/calls/{path}", json={}) as response:
            assert response.status == 403, "not from our own pages"
        async with http.post(f"/api/v1/calls/{path}", json={}, headers=origin) as response:
            assert response.status == 200
    await at(desk, call, "3003")
    assert [row.actor for row in await desk.audited()] == ["hana", "hana"]
    await call.hang_up()


async def test_a_call_is_hung_up_as_often_as_one_likes(desk: Desk, switch: SimulatedSwitch) -> None:
    call = await desk.listening(switch)
    call_id = desk.call_id(call)
    assert (await desk.post(f"{call_id}/hangup"))[0] == 200
    await desk.until(lambda: desk.state(call) == "ended")
    assert call.leg.listening == []
    status, told = await desk.post(f"{call_id}/hangup")
    assert (status, told["state"], told["app_ending"], told["outcome"]) == (200, "ended", "cut_off", "cut_off")
    assert len(await desk.audited()) == 2


async def test_why_it_ended_outlives_the_process(switch: SimulatedSwitch, tmp_path: Path) -> None:
    async with RunningService(tmp_path, switch.port, callapps=CALLAPPS) as service:
        desk = Desk(service)
        call = await desk.listening(switch)
        call_id = desk.call_id(call)
        await desk.post(f"{call_id}/hangup")
        await desk.until(lambda: desk.state(call) == "ended")
        await service.stored()
        for name in ("test", "a-operator"):
            await service.rooms.accounts.revoke_token(name)  # the next one is given out under the same name
    async with RunningService(tmp_path, None) as service:
        for told in (await service.get(f"/calls/{call_id}"), (await service.get("/calls"))["calls"][0]):
            assert (told["app"], told["app_state"], told["app_ending"]) == ("echo", "ended", "cut_off")
            assert told["outcome"] == "cut_off"
        later = Desk(service)
        status, told = await later.post(f"{call_id}/hangup")
        assert (status, told["state"]) == (200, "ended")
        status, problem = await later.post(f"{call_id}/transfer", {"extension": OWN})
        assert (status, problem["title"]) == (409, "The call is over")


async def test_viewers_only_look(desk: Desk, switch: SimulatedSwitch) -> None:
    call = await desk.listening(switch)
    for verb, body in (("transfer", {"extension": OWN}), ("say", {"text": LINE}), ("hangup", None)):
        assert (await desk.post(f"{desk.call_id(call)}/{verb}", body, role="viewer"))[0] == 403
        assert (await desk.post(f"{desk.call_id(call)}/{verb}", body, role=None))[0] == 401
    assert call.alive
    assert await desk.audited() == []
    assert desk.state(call) == "listening"
    await call.hang_up()


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("transfer", {}),
        ("transfer", {"extension": ""}),
        ("transfer", {"extension": "10 01"}),
        ("transfer", {"extension": "1001\n"}),
        ("transfer", {"extension": "-both"}),
        ("transfer", {"extension": "11a4"}),
        ("transfer", {"extension": "1" * 65}),
        ("transfer", {"extension": "1001", "context": "outside"}),
        ("say", {}),
        ("say", {"text": ""}),
        ("say", {"text": " \n "}),
        ("say", {"text": "가" * 301}),
        ("say", {"text": 1}),
    ],
)
async def test_what_is_not_understood(desk: Desk, switch: SimulatedSwitch, verb: str, body: Any) -> None:
    call = await desk.listening(switch)
    status, problem = await desk.post(f"{desk.call_id(call)}/{verb}", body)
    assert (status, problem["title"]) == (422, "Not understood")
    assert desk.state(call) == "listening"
    await call.hang_up()


@pytest.mark.parametrize("extension", ["0082200300", "3003", "2009"])
async def test_where_nobody_may_be_sent(desk: Desk, switch: SimulatedSwitch, extension: str) -> None:
    call = await desk.listening(switch)
    status, problem = await desk.post(f"{desk.call_id(call)}/transfer", {"extension": extension}, role="admin")
    assert (status, problem["title"]) == (422, "Not allowed")
    assert desk.state(call) == "listening"
    assert await desk.audited() == []
    await call.hang_up()


async def test_calls_that_are_none(desk: Desk, switch: SimulatedSwitch) -> None:
    call = await desk.listening(switch)
    await call.hang_up()
    await desk.until(lambda: desk.state(call) == "ended")
    for verb, body in (("transfer", {"extension": OWN}), ("say", {"text": LINE})):
        status, problem = await desk.post(f"{desk.call_id(call)}/{verb}", body)
        assert (status, problem["title"]) == (409, "The call is over")
        assert (await desk.post(f"nobody/{verb}", body))[0] == 404
    assert (await desk.post("nobody/hangup"))[0] == 404


async def test_two_who_talk_to_each_other(desk: Desk, switch: SimulatedSwitch) -> None:
    call = await switch.call(code="of-nobody", caller=CALLER)
    await call.answer()
    assert await call.bridge("3003", rings=0.0)
    await desk.until(lambda: desk.call_id(call))
    status, problem = await desk.post(f"{desk.call_id(call)}/say", {"text": LINE})
    assert (status, problem["title"]) == (409, "Not possible now")
    assert (await desk.post(f"{desk.call_id(call)}/transfer", {"extension": OWN}))[0] == 200
    await at(desk, call, OWN)
    assert (await desk.post(f"{desk.call_id(call)}/hangup"))[0] == 200
    await desk.until(lambda: not switch.leg_ids())


async def test_the_switch_refuses(desk: Desk, switch: SimulatedSwitch) -> None:
    call = await desk.listening(switch)
    switch.refuse_commands("uuid_transfer")
    switch.core.speed = 0.1  # the announcement lasts until the switch is willing again
    status, problem = await desk.post(f"{desk.call_id(call)}/transfer", {"extension": OWN})
    assert (status, problem["title"]) == (502, "The switch refused")
    switch.refuse_commands()
    switch.core.speed = 30.0
    transcripts = desk.service.rooms.transcripts
    await desk.until(lambda: [one.text for one in transcripts.interims(desk.call_id(call))] == [ANNOUNCEMENT])
    call.leg.thread.stop_current()
    await at(desk, call, PERSON)
    assert (await desk.audited())[-1].action == "call_transferring_failed"


async def test_the_switch_does_not_answer(desk: Desk, switch: SimulatedSwitch) -> None:
    call = await desk.listening(switch)
    switch.leave_unanswered("uuid_transfer")
    asking = asyncio.create_task(desk.post(f"{desk.call_id(call)}/transfer", {"extension": OWN}))
    await at(desk, call, OWN)
    switch.leave_unanswered()
    switch.disconnect()
    status, problem = await asking
    assert (status, problem["title"]) == (504, "The switch did not answer")
    assert problem["detail"].startswith("It may or may not have happened.")
    assert (await desk.audited())[-1].action == "call_transferring_outcome_unknown"


async def test_the_switch_is_away(desk: Desk, switch: SimulatedSwitch) -> None:
    call = await desk.listening(switch)
    await switch.refuse()
    switch.disconnect()
    await desk.until(lambda: desk.service.rooms.links()[0].state is LinkState.AWAY)
    for verb, body in (("transfer", {"extension": OWN}), ("say", {"text": LINE}), ("hangup", None)):
        status, problem = await desk.post(f"{desk.call_id(call)}/{verb}", body)
        assert (status, problem["title"]) == (503, "The switch is away")
    assert desk.state(call) == "listening", "the app goes on"
    await switch.admit()
    await call.hang_up()
