from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from daemon.chatbot.contract import MessengerAwayError
from daemon.chatbot.webex.api import WebexApi
from daemon.chatbot.webex.hooks import HOOK_INFO, HookInfo, Hooks, HooksUnsettledError
from daemon.config import WebexConfig
from daemon.demo.webex_cloud import SimulatedWebex
from daemon.demo.webex_world import Hook
from tests.daemon.chatbot.webex.kept_memory import KeptMemory

TARGET = "https://parley.example.com/webhooks/webex"
SECRET = "a secret of the test's own"


@pytest.fixture
def memory(tmp_path: Path) -> KeptMemory:
    return KeptMemory(tmp_path / "memory")


@pytest.fixture
def hooks(api: WebexApi, memory: KeptMemory) -> Hooks:
    return Hooks(api, memory, name="parley", target_url=TARGET, secret=SECRET, clock=time.time)


def ours(cloud: SimulatedWebex) -> list[tuple[str, str, str, str, bool]]:
    found = [one for one in cloud.world.hooks.values() if one.name == "parley"]
    return [(one.resource, one.event, one.target_url, one.secret, one.is_active) for one in found]


RIGHT = [
    ("messages", "created", TARGET, SECRET, True),
    ("attachmentActions", "created", TARGET, SECRET, True),
]


async def info(memory: KeptMemory) -> HookInfo:
    kept = await memory.get(HOOK_INFO)
    assert kept is not None
    return msgspec.json.decode(kept, type=HookInfo)


async def test_what_is_missing_is_made_and_then_left_alone(
    cloud: SimulatedWebex, hooks: Hooks, memory: KeptMemory
) -> None:
    hook = await hooks.reconcile()
    assert ours(cloud) == RIGHT
    assert (await info(memory)).changes == ["messages: made", "attachmentActions: made"]
    changed = [method for method, _ in cloud.requests if method != "GET"]
    assert (await hooks.reconcile()).id == hook.id
    assert (await info(memory)).changes == []
    assert [known.id for known in (await info(memory)).hooks] == list(cloud.world.hooks)
    assert [method for method, _ in cloud.requests if method != "GET"] == changed
    assert SECRET.encode() not in (await memory.get(HOOK_INFO) or b"")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("is_active", False, "turned on again"),
        ("target_url", "https://old.example.com/webex", "its address mended"),
        ("secret", "another", "its secret mended"),
        ("secret", "", "its secret mended"),
    ],
)
async def test_what_drifted_is_mended_in_place(
    cloud: SimulatedWebex, hooks: Hooks, memory: KeptMemory, field: str, value: object, said: str
) -> None:
    hook = await hooks.reconcile()
    setattr(cloud.world.hooks[hook.id], field, value)
    assert (await hooks.reconcile()).id == hook.id
    assert ours(cloud) == RIGHT
    assert (await info(memory)).changes == [f"messages: {said}"]


async def test_a_secret_that_is_not_shown_is_set_once(
    cloud: SimulatedWebex, hooks: Hooks, memory: KeptMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.world.add_hook("parley", TARGET, "messages", "created", secret="set by somebody else")
    shown = Hook.shown
    monkeypatch.setattr(Hook, "shown", lambda hook: {k: v for k, v in shown(hook).items() if k != "secret"})
    await hooks.reconcile()
    assert ours(cloud) == RIGHT
    assert (await info(memory)).changes == ["messages: its secret mended", "attachmentActions: made"]
    await hooks.reconcile()
    assert (await info(memory)).changes == []


async def test_doubles_go_and_the_oldest_stays(cloud: SimulatedWebex, hooks: Hooks) -> None:
    made = [
        cloud.world.add_hook("parley", TARGET, resource, "created", secret=SECRET)
        for resource in ("messages", "attachmentActions", "messages", "messages", "attachmentActions")
    ]
    for age, hook in enumerate(reversed(made)):
        hook.created += age
    assert (await hooks.reconcile()).id == made[3].id
    assert ours(cloud) == [*RIGHT]
    assert list(cloud.world.hooks) == [made[3].id, made[4].id]


async def test_one_with_a_filter_and_one_of_everything_at_our_address_give_way(
    cloud: SimulatedWebex, hooks: Hooks
) -> None:
    cloud.world.add_hook("parley", TARGET, "messages", "created", secret=SECRET, filter="roomType=direct")
    cloud.world.add_hook("parley", TARGET, "all", "all", secret=SECRET)
    await hooks.reconcile()
    assert sorted(ours(cloud)) == sorted(RIGHT)
    assert not any(hook.filter for hook in cloud.world.hooks.values())


async def test_those_of_others_are_not_touched(cloud: SimulatedWebex, hooks: Hooks) -> None:
    others = [
        cloud.world.add_hook("somebody", TARGET, "messages", "created", secret="theirs"),
        cloud.world.add_hook("parley-test", "https://test.example.com", "messages", "created", is_active=False),
        cloud.world.add_hook("parley", "https://elsewhere.example.com", "memberships", "created"),
    ]
    before = [msgspec.structs.replace(hook) for hook in others]
    await hooks.reconcile()
    assert [cloud.world.hooks[hook.id] for hook in others] == before
    assert len(cloud.world.hooks) == 5


async def test_ours_are_found_behind_many_others(cloud: SimulatedWebex, hooks: Hooks) -> None:
    for number in range(150):
        cloud.world.add_hook(f"other-{number}", "https://other.example.com", "messages", "created")
    hook = await hooks.reconcile()
    assert (await hooks.reconcile()).id == hook.id
    assert ours(cloud) == RIGHT


async def test_several_that_begin_at_once_come_to_one_of_each(cloud: SimulatedWebex, memory: KeptMemory) -> None:
    apis = [WebexApi(WebexConfig(api_url=cloud.url), cloud.token, clock=time.time) for _ in "abc"]
    many = [Hooks(one, memory, name="parley", target_url=TARGET, secret=SECRET, clock=time.time) for one in apis]
    await asyncio.gather(*(one.reconcile() for one in many), return_exceptions=True)
    for one in many:
        await one.reconcile()
    assert sorted(ours(cloud)) == sorted(RIGHT)
    for api in apis:
        await api.close()


async def test_a_webex_that_is_away_or_keeps_undoing_it(
    cloud: SimulatedWebex, hooks: Hooks, memory: KeptMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.faults.add(503, times=100)
    with pytest.raises(MessengerAwayError):
        await hooks.reconcile()
    cloud.faults.clear()
    shown = Hook.shown
    monkeypatch.setattr(Hook, "shown", lambda hook: shown(hook) | {"status": "inactive"})
    with pytest.raises(HooksUnsettledError), capture_logs() as logs:
        await hooks.reconcile()
    assert SECRET not in str(logs)
    assert await memory.get(HOOK_INFO) is None
