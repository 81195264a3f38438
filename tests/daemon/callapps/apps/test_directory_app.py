"""The app ``directory``: callers of the simulated switch find who they want in the example directory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from daemon.callapps.apps.directory import DirectoryOptions
from daemon.callapps.contract import AppCall
from daemon.callapps.understanding import korean
from daemon.config import DirectoryConfig
from daemon.demo.call import SimulatedCall
from daemon.directory.contract import Directory
from daemon.directory.embedded import EmbeddedDirectory
from daemon.directory.entry_file import read_entries
from daemon.stores.database import Database
from daemon.stores.directory_entries import save_directory_entries
from tests.daemon.callapps.conftest import Answer
from tests.daemon.callapps.phone import ANNOUNCEMENT, PERSON, Phone, apps, ended
from tests.daemon.directory.conftest import EXAMPLES
from tests.services.databases import SqliteDatabases

USUAL = DirectoryOptions()
GREETING = USUAL.greeting
AGAIN, ONCE_MORE = USUAL.again
TEAM = "인사팀, 맞으신가요?"


async def unused(call: AppCall) -> None:
    raise AssertionError("this call is for the directory")


@pytest.fixture
def url(sqlite_databases: SqliteDatabases) -> str:
    return sqlite_databases.make()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database.of(url)
    yield opened
    await opened.close()


@pytest.fixture
async def directory(database: Database) -> EmbeddedDirectory:
    entries = read_entries((EXAMPLES / "entries.json").read_bytes())
    async with database.transaction() as connection:
        await save_directory_entries(connection, entries)
    made = EmbeddedDirectory(database, DirectoryConfig(synonyms=str(EXAMPLES / "synonyms.txt")))
    await made.refresh()
    return made


Says = list[tuple[str, str]]


class Caller:
    """Somebody who answers each prompt."""

    def __init__(self, phone: Phone, call: SimulatedCall) -> None:
        self.phone = phone
        self.call = call

    async def answer(self, *dialogue: tuple[str, str]) -> None:
        """Wait for each prompt to its end, and then say, press (digits), or do nothing (``""``)."""
        counted: dict[str, int] = {}
        for prompt, says in dialogue:
            counted[prompt] = counted.get(prompt, 0) + 1
            heard = lambda prompt=prompt: self.phone.said(self.call).count(prompt) >= counted[prompt]  # noqa: E731
            await self.phone.following.until(heard)
            if says.isdecimal() or says.endswith("#"):
                await self.call.dtmf(says)
            elif says:
                await self.call.say(says)

    async def reached(self, number: str) -> None:
        """Wait until the caller talks to whoever has that number."""
        state = self.phone.following.state
        await self.phone.following.until(lambda: state(self.call.leg_id) == "bridged")
        assert self.call.leg.bridged is not None
        assert self.call.leg.bridged.profile.destination == number
        await self.phone.idle()

    async def outcome(self) -> str:
        await self.phone.following.until(lambda: self.phone.call(self.call).outcome)
        return self.phone.call(self.call).outcome


@pytest.fixture
def ring(answer: Answer, directory: EmbeddedDirectory) -> Any:
    async def begin(**options: Any) -> Caller:
        supplies = {Directory: directory}
        config = apps(use="directory", options=options)
        phone = await answer(unused, config, supplies=supplies, understand=korean)
        return Caller(phone, await phone.ring(caller="01012345678"))

    return begin


async def test_from_the_park_to_the_transfer(ring: Any) -> None:
    with capture_logs() as logs:
        caller = await ring()
        await caller.answer((GREETING, "인사팀 부탁드려요"), (TEAM, "네 맞아요"))
        await caller.reached("7100")
        assert await caller.outcome() == "transferred"
    assert caller.phone.said(caller.call) == [
        *(GREETING, "인사팀 부탁드려요", TEAM, "네 맞아요", "인사팀, 연결해 드리겠습니다. 잠시만 기다려 주세요."),
    ]
    assert caller.call.leg.listening == []
    assert "인사팀" not in str(logs)
    await caller.call.hang_up()


@pytest.mark.parametrize(("digits", "number"), [("7100", "7100"), ("2001#", "2001"), ("5123", "5123")])
async def test_extensions_that_are_pressed(ring: Any, digits: str, number: str) -> None:
    caller = await ring(extensions=["51.."])
    await caller.answer((GREETING, digits))
    await caller.reached(number)
    await caller.call.hang_up()


async def test_nobody_is_called_whose_number_stands_nowhere(ring: Any) -> None:
    caller = await ring(extensions=["51.."])
    await caller.answer((GREETING, "00700123"), (AGAIN, "512"), (ONCE_MORE, "15"))
    await caller.reached(PERSON)
    await caller.call.hang_up()


async def test_several_that_fit_are_offered(ring: Any) -> None:
    caller = await ring()
    await caller.answer((GREETING, "팀장님이요"))
    await caller.phone.following.until(lambda: len(caller.phone.said(caller.call)) == 3)
    which = caller.phone.said(caller.call)[-1]
    names = which.removesuffix(" 중에서 어디를 찾으시나요? 번호를 누르셔도 됩니다.").split(", ")
    assert [name[:2] for name in names] == ["1번", "2번", "3번"]
    await caller.call.dtmf("2")
    await caller.phone.until_said(caller.call, f"{names[1][3:]}, 연결해 드리겠습니다. 잠시만 기다려 주세요.")
    assert await caller.outcome() == "transferred"
    await caller.call.hang_up()


async def test_one_of_several_is_named(ring: Any) -> None:
    caller = await ring(margin=0.5, most=2)
    which = "1번 영업지원팀, 2번 견적서 요청 중에서 어디를 찾으시나요? 번호를 누르셔도 됩니다."
    await caller.answer((GREETING, "영업"), (which, "견적서 요청이요"))
    await caller.reached("7601")
    await caller.call.hang_up()


async def test_what_is_said_instead_of_an_answer_is_looked_for(ring: Any) -> None:
    caller = await ring()
    await caller.answer((GREETING, "인사팀"), (TEAM, "아니요, 총무팀이요"), ("총무팀, 맞으신가요?", "법무팀이요"))
    await caller.answer(("법무팀, 맞으신가요?", "네"))
    await caller.reached("7700")
    await caller.call.hang_up()


async def test_silence_after_the_confirmation_is_asked_again_in_other_words(ring: Any) -> None:
    caller = await ring()
    again = "인사팀 쪽으로 연결해 드릴까요? 네, 또는 아니요로 말씀해 주세요."
    await caller.answer((GREETING, "인사팀"), (TEAM, ""), (again, "1"))
    await caller.reached("7100")
    await caller.call.hang_up()


async def test_nothing_is_found(ring: Any) -> None:
    caller = await ring()
    await caller.answer((GREETING, "우주선"), (AGAIN, ""), (ONCE_MORE, "인사팀"), (TEAM, "아니요"))
    await caller.reached(PERSON)
    assert await caller.outcome() == "not_found"
    assert caller.phone.said(caller.call)[-1] == ANNOUNCEMENT
    await caller.call.hang_up()


async def test_only_some_kinds_are_found(ring: Any) -> None:
    caller = await ring(kinds=["person"], tries=1)
    await caller.answer((GREETING, "인사팀"))
    await caller.phone.following.until(lambda: len(caller.phone.said(caller.call)) > 2)
    assert caller.phone.said(caller.call)[2].startswith("1번 인사팀 ")
    await caller.call.hang_up()


async def test_the_caller_breaks_in_and_hangs_up(ring: Any) -> None:
    caller = await ring()
    caller.phone.switch.core.speed = 1.0
    await caller.phone.until_saying(caller.call, GREETING)
    await caller.call.say("인사팀")
    await caller.phone.until_saying(caller.call, TEAM)
    await caller.call.hang_up()
    assert await ended(caller.call) == "NORMAL_CLEARING"
    assert await caller.outcome() == "hung_up"


async def test_the_directory_is_away(answer: Answer, database: Database) -> None:
    supplies = {Directory: EmbeddedDirectory(database, DirectoryConfig())}
    phone = await answer(unused, apps(use="directory"), supplies=supplies, understand=korean)
    caller = Caller(phone, await phone.ring())
    await caller.answer((GREETING, "인사팀"))
    await caller.reached(PERSON)
    assert await caller.outcome() == "directory_away"
    await caller.call.hang_up()


@pytest.mark.parametrize(
    "options",
    [
        {"confirm": "맞으신가요?"},
        {"which": "어디요?"},
        {"again": []},
        {"extensions": ["("]},
        {"tries": 0},
        {"kinds": ["x"]},
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, DirectoryOptions)
