"""Files of apps that somebody works on while people call."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from daemon.callapps.app_folder import AppFolder
from daemon.callapps.contract import AppCall
from daemon.plugins import PluginError
from tests.daemon.callapps.conftest import Answer
from tests.daemon.callapps.phone import Phone, apps, ended

GREETS = '''\
from daemon.callapps.contract import AppCall
from wording import greeting


async def front_desk(call: AppCall) -> None:
    """Greets."""
    await call.say(greeting())
    await call.listen("{first}", no_input=60.0)
    await call.say(greeting())
'''
WORDING = 'def greeting() -> str:\n    return "{words}"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Its modules are forgotten again."""
    before = list(sys.path)
    path = tmp_path / "apps"
    path.mkdir()
    (path / "desk.py").write_text(GREETS.format(first="하나"))
    (path / "wording.py").write_text(WORDING.format(words="안녕하세요"))
    yield path
    sys.path[:] = before
    for name in ("desk", "wording", "broken", "more"):
        sys.modules.pop(name, None)


async def nobody(call: AppCall) -> None:
    """Leads no call."""


async def phone_of(answer: Answer, folder: AppFolder) -> Phone:
    return await answer(nobody, apps(*folder.find()))


async def said(phone: Phone, *, hangs_up_after: int) -> list[str]:
    """What a caller hears who says one thing."""
    call = await phone.ring(code="front-desk")
    await phone.following.until(lambda: len(phone.said(call)) >= 2)
    await call.say("네")
    await ended(call)
    await phone.following.until(lambda: len(phone.said(call)) >= hangs_up_after)
    return [text for text in phone.said(call) if text != "네"]


def test_what_is_an_app_and_what_is_not(folder: Path) -> None:
    (folder / "more.py").write_text(
        "from daemon.callapps.contract import AppCall\nfrom desk import front_desk\n\n\n"
        "class Survey2:\n    async def run(self, call: AppCall) -> None: ...\n\n\n"
        "async def _helper(call: AppCall) -> None: ...\n\n\n"
        "async def other(text: str) -> None: ...\n\n\n"
        "def plain(call: AppCall) -> None: ...\n"
    )
    found = AppFolder(folder).find()
    assert [(app.name, app.use, app.codes) for app in found] == [
        ("front-desk", "desk:front_desk", ["front-desk"]),
        ("survey2", "more:Survey2", ["survey2"]),
    ]


@pytest.mark.parametrize("name", ["test_desk", "desk_test", "conftest"])
def test_tests_beside_the_apps_are_left_alone(folder: Path, name: str) -> None:
    (folder / f"{name}.py").write_text("import a_module_of_tests\nfrom desk import front_desk\n")
    assert [app.name for app in AppFolder(folder).find()] == ["front-desk"]


def test_a_file_that_cannot_be_imported_is_named(folder: Path) -> None:
    (folder / "broken.py").write_text("import nothing_like_it\n")
    with pytest.raises(PluginError, match="broken needs the module nothing_like_it"):
        AppFolder(folder).find()


async def test_what_changes_counts_from_the_next_call_on(answer: Answer, folder: Path) -> None:
    of_apps = AppFolder(folder)
    phone = await phone_of(answer, of_apps)
    assert not of_apps.renew(phone.room)
    before = await phone.ring(code="front-desk")
    await phone.until_said(before, "하나")
    (folder / "desk.py").write_text(GREETS.format(first="둘"))
    (folder / "wording.py").write_text(WORDING.format(words="반갑습니다"))
    assert of_apps.renew(phone.room)
    assert await said(phone, hangs_up_after=4) == ["반갑습니다", "둘", "반갑습니다"]
    await before.say("네")
    await ended(before)
    await phone.following.until(lambda: len(phone.said(before)) >= 4)
    assert phone.said(before) == ["안녕하세요", "하나", "네", "안녕하세요"], "it ends as it began, helpers included"


async def test_a_broken_file_keeps_what_was_there_and_the_log_says_why(answer: Answer, folder: Path) -> None:
    of_apps = AppFolder(folder)
    phone = await phone_of(answer, of_apps)
    for broken in ("async def front_desk(call\n", "import nothing_like_it\n", "front_desk = 3\n"):
        (folder / "desk.py").write_text(broken)
        with capture_logs() as logs:
            assert of_apps.renew(phone.room)
        [line] = logs
        assert (line["event"], line["app"]) == ("callapp_not_renewed", "front-desk")
        assert "desk" in line["why"]
        assert not of_apps.renew(phone.room)
        assert await said(phone, hangs_up_after=4) == ["안녕하세요", "하나", "안녕하세요"]
    (folder / "desk.py").unlink()
    assert of_apps.renew(phone.room)
    (folder / "desk.py").write_text(GREETS.format(first="셋"))
    assert of_apps.renew(phone.room)
    assert await said(phone, hangs_up_after=4) == ["안녕하세요", "셋", "안녕하세요"]


async def test_a_folder_is_followed(answer: Answer, folder: Path) -> None:
    of_apps = AppFolder(folder)
    phone = await phone_of(answer, of_apps)
    first = phone.room.definitions["front-desk"]
    following = asyncio.create_task(of_apps.follow(phone.room))
    (folder / "desk.py").write_text(GREETS.format(first="둘"))
    async with asyncio.timeout(30):
        while phone.room.definitions["front-desk"] is first:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
    following.cancel()
    assert await said(phone, hangs_up_after=4) == ["안녕하세요", "둘", "안녕하세요"]
