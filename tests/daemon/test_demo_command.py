"""``parley demo`` as somebody meets it who has never seen Parley: one command, one address."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from daemon.__main__ import main

RECORDINGS = Path(__file__).parents[1] / "wire" / "freeswitch"


class Visitor:
    """Somebody who opened the printed address."""

    def __init__(self, http: aiohttp.ClientSession, process: asyncio.subprocess.Process, address: str) -> None:
        self.http = http
        self.process = process
        self.address = address

    async def get(self, path: str) -> Any:
        async with self.http.get(path) as response:
            assert response.status == 200
            return await response.json()

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(60):
            while not await condition():  # noqa: ASYNC110 - another process gives no event to wait for
                await asyncio.sleep(0.02)

    async def leave(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            return await self.process.wait()


@asynccontextmanager
async def visiting(temporary: Path, *arguments: str) -> AsyncIterator[Visitor]:
    """The demo runs, its address was opened."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", "demo", *arguments),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(temporary)},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            said = (await process.stdout.readline()).decode()
        found = re.fullmatch(r"Parley is at (http://127\.0\.0\.1:\d+)(/sign-in\?code=\S+)\n", said)
        assert found is not None, said
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(found[1], cookie_jar=jar) as http:
            async with http.get(found[2], allow_redirects=False) as response:
                assert response.headers["Location"] == "/"
            yield Visitor(http, process, found[1] + found[2])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_call_app_leads_a_call(tmp_path: Path) -> None:
    async with visiting(tmp_path, "--port", "0", "--speed", "20") as visitor:

        async def repeated() -> bool:
            for call in (await visitor.get("/api/v1/calls"))["calls"]:
                if call["app"] == "echo":
                    transcript = await visitor.get(f"/api/v1/calls/{call['call_id']}/transcript")
                    said = {one["text"]: one["speaker"] for one in transcript["utterances"]}
                    spoken = [one["text"] for one in transcript["utterances"] if one["speaker"] == "app"]
                    return "caller" in said.values() and len(spoken) > 2
            return False

        await visitor.until(repeated)
        assert await visitor.leave() == 0


GREETS = '''\
from daemon.callapps.contract import AppCall


async def front_desk(call: AppCall) -> None:
    """Greets."""
    await call.answer()
    await call.listen("{words}")
'''


async def test_people_call_the_apps_of_a_folder_and_hear_what_changes(tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    app = tmp_path / "apps" / "desk.py"
    app.write_text(GREETS.format(words="안녕하세요"))
    async with visiting(tmp_path, "--port", "0", "--speed", "20", "--apps", str(tmp_path / "apps")) as visitor:

        async def heard(text: str) -> bool:
            for call in (await visitor.get("/api/v1/calls"))["calls"]:
                transcript = await visitor.get(f"/api/v1/calls/{call['call_id']}/transcript")
                if call["app"] == "front-desk" and text in [one["text"] for one in transcript["utterances"]]:
                    return True
            return False

        await visitor.until(lambda: heard("안녕하세요"))
        app.write_text(GREETS.format(words="어서 오세요"))
        await visitor.until(lambda: heard("어서 오세요"))
        assert await visitor.leave() == 0


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("async def front_desk(call\n", "desk cannot be imported: SyntaxError"),
        ("front_desk = 3\n", "has a call app"),
        ("raise SystemExit\n", "desk cannot be imported: SystemExit"),
    ],
)
def test_a_folder_without_an_app_that_works_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], file: str, problem: str
) -> None:
    (tmp_path / "desk.py").write_text(file)
    path = list(sys.path)
    try:
        assert main(["demo", "--apps", str(tmp_path)]) == 1
    finally:
        sys.path[:] = path
        sys.modules.pop("desk", None)
    assert problem in capfd.readouterr().err


async def test_a_caller_asks_for_somebody_and_is_put_through(tmp_path: Path) -> None:
    async with visiting(tmp_path, "--port", "0", "--speed", "20") as visitor:

        async def put_through() -> bool:
            for call in (await visitor.get("/api/v1/calls"))["calls"]:
                if call["app"] == "directory":
                    transcript = await visitor.get(f"/api/v1/calls/{call['call_id']}/transcript")
                    said = [(one["speaker"], one["text"]) for one in transcript["utterances"]]
                    if ("app", "휴가 신청, 맞으신가요?") in said and "callee" in {speaker for speaker, _ in said}:
                        return True
            return False

        await visitor.until(put_through)
        assert await visitor.leave() == 0


async def test_a_caller_is_asked_how_it_was(tmp_path: Path) -> None:
    async with visiting(tmp_path, "--port", "0", "--speed", "20") as visitor:

        async def thanked() -> bool:
            for call in (await visitor.get("/api/v1/calls"))["calls"]:
                if call["app"] == "survey":
                    transcript = await visitor.get(f"/api/v1/calls/{call['call_id']}/transcript")
                    if "답해 주셔서 감사합니다. 안녕히 계세요." in [one["text"] for one in transcript["utterances"]]:
                        return True
            return False

        await visitor.until(thanked)
        assert await visitor.leave() == 0


async def test_calls_and_their_dialogue_are_there_and_nothing_is_left(tmp_path: Path) -> None:
    async with visiting(tmp_path, "--port", "0", "--speed", "20") as visitor:

        async def spoken() -> bool:
            for call in (await visitor.get("/api/v1/calls"))["calls"]:
                transcript = await visitor.get(f"/api/v1/calls/{call['call_id']}/transcript")
                if {"caller", "app"} <= {one["speaker"] for one in transcript["utterances"]}:
                    return True
            return False

        await visitor.until(spoken)
        assert (await visitor.get("/api/v1/session"))["role"] == "admin"
        assert await visitor.leave() == 0
    assert os.listdir(tmp_path) == []


async def test_webhooks_come_in_and_one_of_them_dies_for_somebody_to_see(tmp_path: Path) -> None:
    async with visiting(tmp_path, "--port", "0", "--speed", "20") as visitor:

        async def to_see() -> bool:
            dead = (await visitor.get("/api/v1/inbox/deliveries?source=to:crm&state=dead"))["deliveries"]
            done = (await visitor.get("/api/v1/inbox/deliveries?source=to:crm&state=done"))["deliveries"]
            kept = (await visitor.get("/api/v1/inbox/deliveries?source=github&state=done"))["deliveries"]
            counted = (await visitor.get("/api/v1/inbox"))["sources"]
            refused = [one for one in counted if one["refused"].get("wrong_signature")]
            doubled = [one for one in counted if one["doubles"]]
            return all((dead, done, kept, refused, doubled))

        await visitor.until(to_see)
        [dead, *_] = (await visitor.get("/api/v1/inbox/deliveries?source=to:crm&state=dead"))["deliveries"]
        assert "HTTP 503" in dead["error"]
        assert await visitor.leave() == 0
    assert os.listdir(tmp_path) == []


async def test_address_signs_in_once(tmp_path: Path) -> None:
    async with visiting(tmp_path, "--port", "0") as visitor, aiohttp.ClientSession() as stranger:
        async with stranger.get(visitor.address, allow_redirects=False) as response:
            cookies = response.cookies
        assert "parley_session" not in cookies
        assert await visitor.leave() == 0


async def test_recording_is_played_and_kept_where_asked(tmp_path: Path) -> None:
    state, temporary = tmp_path / "state", tmp_path / "tmp"
    temporary.mkdir()
    recording = str(RECORDINGS / "02_json_full_call.esl.gz")
    async with visiting(
        temporary, "--port", "0", "--recording", recording, "--fast", "--state-dir", str(state)
    ) as visitor:

        async def ended() -> bool:
            return bool((await visitor.get("/api/v1/calls?state=ended"))["calls"])

        await visitor.until(ended)
        assert await visitor.leave() == 0
    assert (state / "parley.db").exists()


async def run_and_fail(*arguments: str) -> str:
    """What is on standard error when the demo cannot start; it exits 1."""
    command = (sys.executable, "-m", "daemon", "demo", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(60):
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert b"Traceback" not in errors
    return errors.decode()


async def test_port_in_use_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"cannot listen at 127.0.0.1 port {port}" in await run_and_fail("--port", str(port))


async def test_recording_that_cannot_be_played_is_said(tmp_path: Path) -> None:
    assert "none.esl cannot be played" in await run_and_fail("--recording", str(tmp_path / "none.esl"))
    (tmp_path / "text.esl").write_text("not a recording")
    assert "text.esl cannot be played" in await run_and_fail("--recording", str(tmp_path / "text.esl"))
