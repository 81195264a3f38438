"""What people wrote while nobody heard it: answered once, when Parley or Webex is back."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.chatbot.webex.api import WebexApi
from daemon.chatbot.webex.reading_back import HEARD_UNTIL
from daemon.demo.webex_cloud import SimulatedWebex
from daemon.demo.webex_faults import HELD
from daemon.health import Condition
from daemon.stores.database import Database
from tests.daemon.chatbot.webex.chat import Chat
from tests.daemon.chatbot.webex.kept_memory import KeptMemory

OFTEN = {"reconcile_interval": 0.05}
ROUNDS = 20 if os.environ.get("PARLEY_PROVE") == "1" else 3


def heard(*texts: str) -> list[str]:
    return [f"들었습니다: {text}" for text in texts]


async def test_what_was_written_while_parley_was_down_is_answered_once(
    cloud: SimulatedWebex, database: Database, tmp_path: Path
) -> None:
    chat = Chat(cloud, database, tmp_path)
    cloud.world.messages[chat.say("그 전에는 아무도 없었다")].created -= 120
    async with chat:
        await chat.ready()
        chat.say("안녕")
        await chat.settled()
        assert chat.answers == heard("안녕")
    jun = cloud.world.add_person("준", "jun@example.com")
    group = cloud.world.group_room("상담팀", chat.mina, jun)
    chat.say("하나")
    cloud.world.say(jun, group, "둘", mention=True)
    cloud.world.say(jun, group, "봇에게 한 말이 아님")
    chat.say("셋")
    await cloud.deliveries.settled()
    async with chat:
        await chat.ready()
        await chat.settled()
        assert sorted(chat.answers) == sorted(heard("안녕", "하나", "둘", "셋"))
        assert cloud.world.said_by_bot(chat.direct) == heard("안녕", "하나", "셋")
        assert chat.room.condition().numbers["read_back"] == 3.0
    async with chat:
        await chat.ready()
        await chat.settled()
        assert len(chat.answers) == 4


async def test_a_webhook_that_was_turned_off_is_turned_on_and_what_it_missed_is_answered(
    cloud: SimulatedWebex, database: Database, tmp_path: Path
) -> None:
    async with Chat(cloud, database, tmp_path) as chat:
        await chat.ready()
        hook = next(one for one in cloud.world.hooks.values() if one.resource == "messages")
        hook.is_active = False
        chat.say("들리나요")
        await chat.settled()
        assert chat.answers == []
        await chat.leave()
        await chat.enter()
        await chat.ready()
        await chat.settled()
        assert hook.is_active
        assert chat.answers == heard("들리나요")


async def test_a_parley_that_answers_webex_badly_is_given_up_and_comes_back(
    cloud: SimulatedWebex, database: Database, tmp_path: Path
) -> None:
    chat = Chat(cloud, database, tmp_path, OFTEN)
    async with chat:
        await chat.ready()
    said = [f"말 {number}" for number in range(5)]
    for text in said:
        chat.say(text)
        await cloud.deliveries.settled()
    hook = next(one for one in cloud.world.hooks.values() if one.resource == "messages")
    assert not hook.is_active, "after three failures"
    async with chat:
        await chat.ready()
        await chat.settled()
        assert chat.answers == heard(*said)
        assert hook.is_active


async def test_a_delivery_that_got_lost_without_anybody_noticing_is_made_up_for(
    cloud: SimulatedWebex, database: Database, tmp_path: Path
) -> None:
    async with Chat(cloud, database, tmp_path, OFTEN) as chat:
        await chat.ready()
        cloud.deliveries.is_cut = True
        chat.say("하나")
        chat.say("둘")
        await chat.until(lambda: len(chat.answers) == 2)
        await chat.settled()
        assert chat.answers == heard("하나", "둘")


async def test_an_outage_of_webex_delays_what_was_said_in_it(
    cloud: SimulatedWebex, database: Database, tmp_path: Path
) -> None:
    async with Chat(cloud, database, tmp_path, OFTEN) as chat:
        await chat.ready()
        assert chat.room.condition().condition is Condition.OK
        cloud.faults.add(503, times=1_000_000)
        cloud.deliveries.is_cut = True
        chat.say("하나")
        await chat.until(lambda: chat.room.condition().condition is Condition.DEGRADED)
        assert "HTTP 503" in chat.room.condition().detail
        cloud.deliveries.is_cut = False
        chat.say("둘")
        await cloud.deliveries.settled()
        cloud.faults.clear()
        await chat.until(lambda: len(chat.answers) == 2)
        await chat.ready()
        await chat.settled()
        assert sorted(chat.answers) == heard("둘", "하나")


async def test_a_webex_that_asks_for_patience_is_left_alone_for_so_long(
    cloud: SimulatedWebex, api: WebexApi, database: Database, tmp_path: Path
) -> None:
    async with Chat(cloud, database, tmp_path, OFTEN) as chat:
        await chat.ready()
        cloud.faults.add(429, method="GET", path="/webhooks", headers={"Retry-After": "3600"})
        await chat.until(lambda: chat.room.condition().condition is Condition.DEGRADED)
        for _ in range(500):  # which takes as long as it would to come back many times
            await api.me()
        assert "HTTP 429" in chat.room.condition().detail


async def test_a_webhook_that_comes_late_is_a_double(cloud: SimulatedWebex, database: Database, tmp_path: Path) -> None:
    async with Chat(cloud, database, tmp_path, OFTEN) as chat:
        await chat.ready()
        hook = next(one for one in cloud.world.hooks.values() if one.resource == "messages")
        cloud.deliveries.is_cut = True
        said = chat.cloud.world.messages[chat.say("하나")]
        await chat.until(lambda: len(chat.answers) == 1)
        cloud.deliveries.is_cut = False
        cloud.world.happened("messages", said.told(), chat.mina.id)
        await chat.settled()
        assert chat.answers == heard("하나")
        assert [row.other_id for row in await chat.deliveries()].count(f"{hook.id}:messages:created:{said.id}") == 1


async def test_what_is_too_old_or_too_much_is_left(cloud: SimulatedWebex, database: Database, tmp_path: Path) -> None:
    chat = Chat(cloud, database, tmp_path, {"read_back_messages": 4})
    async with chat:
        await chat.ready()
    for number in range(8):
        chat.say(f"말 {number}")
    await cloud.deliveries.settled()
    messages = list(cloud.world.messages.values())
    for message in messages[:6]:
        message.created -= 4_000
    await chat.kept.set(HEARD_UNTIL, str(messages[0].created - 1).encode())
    async with chat:
        await chat.ready()
        await chat.settled()
        assert chat.answers == heard("말 6", "말 7")
    for number in range(8, 16):
        chat.say(f"말 {number}")
    await cloud.deliveries.settled()
    async with chat:
        await chat.ready()
        await chat.settled()
        assert chat.answers == heard("말 6", "말 7", "말 12", "말 13", "말 14", "말 15")


async def test_a_room_that_webex_does_not_show_keeps_nobody_else_unheard(
    cloud: SimulatedWebex, database: Database, tmp_path: Path
) -> None:
    chat = Chat(cloud, database, tmp_path)
    async with chat:
        await chat.ready()
    group = cloud.world.group_room("상담팀", chat.mina)
    chat.say("하나")
    cloud.world.say(chat.mina, group, "둘", mention=True)
    await cloud.deliveries.settled()
    cloud.faults.add(404, method="GET", path=f"roomId={group.id}", times=1_000_000)
    async with chat:
        await chat.until(lambda: chat.answers != [])
        await chat.ready()
        await chat.settled()
    assert chat.answers == heard("하나")


async def test_a_token_that_is_refused_or_of_another_bot_is_shown_to_operators(
    cloud: SimulatedWebex, database: Database, tmp_path: Path
) -> None:
    cloud.token = "another"
    async with Chat(cloud, database, tmp_path, {"bot_email": "other@webex.bot"}) as chat:
        await chat.until(lambda: "another bot" in chat.room.condition().detail)
        assert cloud.world.hooks == {}
        assert chat.room.condition().condition is Condition.DEGRADED
    chat = Chat(cloud, database, tmp_path, OFTEN)
    cloud.token = "not that any more"
    async with chat:
        await chat.until(lambda: "valid access token" in chat.room.condition().detail)
        cloud.token = "another"
        await chat.ready()
        assert chat.room.condition().condition is Condition.OK


class Killable:
    """A bot in a process of its own."""

    def __init__(self, cloud: SimulatedWebex, database_url: str, folder: Path) -> None:
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        port = str(self._reserved.getsockname()[1])
        module = (sys.executable, "-m", "tests.daemon.chatbot.webex.bot")
        self._command = (*module, database_url, str(folder), port, cloud.url, cloud.token)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(*self._command)

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
        self._process = None

    async def close(self) -> None:
        await self.kill()
        self._reserved.close()


@asynccontextmanager
async def killable(cloud: SimulatedWebex, database_url: str, folder: Path) -> AsyncIterator[Killable]:
    made = Killable(cloud, database_url, folder)
    try:
        yield made
    finally:
        await made.close()


async def until_answered(cloud: SimulatedWebex, said: set[str]) -> None:
    async with asyncio.timeout(60):
        while not said <= set(cloud.world.said_by_bot()):  # noqa: ASYNC110 - another process gives no event
            await asyncio.sleep(0.01)


async def test_a_process_that_is_killed_between_post_and_done_posts_nothing_twice(
    cloud: SimulatedWebex, database_url: str, tmp_path: Path
) -> None:
    mina = cloud.world.add_person("민아", "mina@example.com")
    room = cloud.world.direct_room(mina)
    async with killable(cloud, database_url, tmp_path) as bot:
        await bot.start()
        async with asyncio.timeout(60):
            while len(cloud.world.hooks) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        cloud.faults.add(HELD, method="POST", path="/messages", is_done=True)
        cloud.world.say(mina, room, "하나")
        await until_answered(cloud, set(heard("하나")))
        await bot.kill()
        cloud.world.say(mina, room, "둘")
        await bot.start()
        await until_answered(cloud, set(heard("하나", "둘")))
    assert cloud.world.said_by_bot() == heard("하나", "둘")


async def test_whenever_it_is_killed_each_message_is_answered_once(
    cloud: SimulatedWebex, database_url: str, tmp_path: Path
) -> None:
    choice = random.Random(7)
    mina = cloud.world.add_person("민아", "mina@example.com")
    room = cloud.world.direct_room(mina)
    said: list[str] = []
    async with killable(cloud, database_url, tmp_path) as bot:
        await bot.start()
        async with asyncio.timeout(60):
            while len(cloud.world.hooks) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for _ in range(ROUNDS):
            first = len(cloud.world.said_by_bot())
            enough = choice.randint(1, 12)
            for _ in range(15):
                said.append(f"말 {len(said)}")
                cloud.world.say(mina, room, said[-1])
            async with asyncio.timeout(60):
                while len(cloud.world.said_by_bot()) < first + enough:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
            await bot.kill()
            await bot.start()
        await until_answered(cloud, set(heard(*said)))
    assert sorted(cloud.world.said_by_bot()) == sorted(heard(*said))


async def test_a_clock_that_was_ahead_costs_nothing(cloud: SimulatedWebex, database: Database, tmp_path: Path) -> None:
    chat = Chat(cloud, database, tmp_path)
    async with chat:
        await chat.ready()
    said = cloud.world.messages[chat.say("하나")]
    said.created -= 600
    await cloud.deliveries.settled()
    await chat.kept.set(HEARD_UNTIL, str(said.created + 1_800).encode())
    async with chat:
        await chat.ready()
        await chat.settled()
        assert chat.answers == heard("하나")


async def test_a_memory_that_forgot_everything_meanwhile_costs_nothing(
    cloud: SimulatedWebex, database: Database, tmp_path: Path
) -> None:
    chat = Chat(cloud, database, tmp_path)
    async with chat:
        await chat.ready()
        chat.say("하나")
        await chat.settled()
    chat.say("둘")
    await cloud.deliveries.settled()
    chat.memory = KeptMemory(tmp_path / "emptied")
    async with chat:
        await chat.ready()
        await chat.settled()
        assert chat.answers == heard("하나", "둘")


@pytest.mark.parametrize("kept", [b"nonsense", b""])
async def test_a_memory_of_nonsense_is_as_none(
    cloud: SimulatedWebex, database: Database, tmp_path: Path, kept: bytes
) -> None:
    chat = Chat(cloud, database, tmp_path)
    chat.say("그 전에는 아무도 없었다")
    await chat.kept.set(HEARD_UNTIL, kept)
    await chat.memory.set("hookinfo", kept)
    async with chat:
        await chat.ready()
        await chat.settled()
    assert chat.answers == []
