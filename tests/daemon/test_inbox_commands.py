"""``parley inbox`` as somebody at a shell beside a running Parley uses it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from daemon.config import DestinationConfig, HandlerConfig, InboxConfig, SourceConfig
from protocols.webhooks import github
from tests.daemon.inbox.receiver import Receiver
from tests.daemon.running_service import RunningService
from tests.daemon.shell import Shell

SECRET = "example-secret"
BODY = '{"ref":"refs/heads/main","pusher":"홍길동"}'.encode()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as made:
        made.answer = lambda _: web.Response(status=400)
        yield made


@pytest.fixture
async def running(receiver: Receiver, tmp_path: Path) -> AsyncIterator[RunningService]:
    inbox = InboxConfig(
        source=[SourceConfig(name="github", kind="github")],
        handler=[HandlerConfig(name="to-crm", use="forward", destination="crm", source="github")],
        destination=[DestinationConfig(name="crm", url=receiver.url(), signed=False, private_networks=["127.0.0.0/8"])],
    )
    secrets = {"PARLEY_SOURCE_GITHUB_SECRET": SECRET}
    async with RunningService(tmp_path / "state", None, inbox=inbox, secrets=secrets) as service:
        yield service


@pytest.fixture
def shell(running: RunningService, tmp_path: Path) -> Shell:
    (tmp_path / "parley.toml").write_text(f'[service]\nstate_dir = "{tmp_path}/state"\n')
    return Shell(tmp_path / "parley.toml")


async def push(running: RunningService, number: int) -> str:
    headers = github.sign(SECRET, BODY) | {"X-GitHub-Event": "push", "X-GitHub-Delivery": f"d-{number}"}
    url = f"http://127.0.0.1:{running.port}/webhooks/github"
    async with aiohttp.ClientSession() as http, http.post(url, data=BODY, headers=headers) as response:
        assert response.status == 202
        return str((await response.json())["delivery_id"])


async def ended(running: RunningService, receiver: Receiver, count: int) -> None:
    """Wait until so many were sent and nothing is worked on."""
    await receiver.some(count)
    async with asyncio.timeout(30):
        while running.rooms.inbox.worker.running:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)


async def test_what_failed_is_found_read_and_replayed(
    shell: Shell, running: RunningService, receiver: Receiver
) -> None:
    delivery_id = await push(running, 1)
    await push(running, 2)
    await ended(running, receiver, 2)
    said = await shell.parley("inbox", "list")
    assert said.code == 0, said.err
    assert len(said.out.splitlines()) == 4
    [dead, _] = await shell.answer("inbox", "list", "--state", "dead", "--since", "1h", "--text", "http 400")
    assert (dead["source"], dead["event"], dead["error"]) == ("to:crm", "push", "send-crm: HTTP 400")
    said = await shell.parley("inbox", "show", dead["delivery_id"])
    assert "send-crm  refused in" in said.out
    assert "HTTP 400" in said.out
    assert '"pusher": "홍길동"' in said.out
    said = await shell.parley("inbox", "show", delivery_id, "--body")
    assert said.out.encode() == BODY
    receiver.answer = None
    said = await shell.parley("inbox", "replay", dead["delivery_id"])
    assert said.code == 0, said.err
    await ended(running, receiver, 3)
    said = await shell.parley("inbox", "replay", "--state", "dead")
    assert said.out.startswith("1 have ended and match")
    assert len(receiver.got) == 3
    said = await shell.parley("inbox", "replay", "--state", "dead", "--yes")
    assert said.out.startswith("1 are worked on again")
    await ended(running, receiver, 4)
    assert await shell.answer("inbox", "list", "--state", "dead") == []


async def test_what_cannot_be_is_said(shell: Shell, running: RunningService, receiver: Receiver) -> None:
    delivery_id = await push(running, 1)
    await ended(running, receiver, 1)
    for words, said in {
        ("replay",): "give an ID, or say which",
        ("replay", delivery_id, "--state", "dead"): "but not both",
        ("show", "../calls"): "is no id of a delivery",
        ("show", "none"): "There is no such delivery",
        ("cancel", delivery_id): "It has ended already",
    }.items():
        done = await shell.parley("inbox", *words)
        assert (done.code, said in done.err) == (1, True), done.err
    assert (await shell.parley("inbox", "list", "--since", "yesterday")).code == 2
