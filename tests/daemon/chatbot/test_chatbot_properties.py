"""Whatever anybody writes or presses: an answer comes, and nobody does what their role does not allow."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.chatbot.definition import BUILT_IN
from daemon.chatbot.phrases import FAILED
from daemon.chatbot.store_memory import StoreMemory
from daemon.chatbot.trying import MINA, Chat
from daemon.config import ChatbotConfig, ChatbotServiceConfig, Config
from daemon.stores.database import Database
from tests.daemon.chatbot.house import JUN, House
from tests.services.databases import SqliteDatabases

ORDER = ChatbotServiceConfig(name="order", use="tests.daemon.chatbot.example_services:order", role="operator")
WORDS = [
    "네",
    "아니요",
    "취소",
    "뒤로",
    "도움말",
    "1",
    "2",
    "내일",
    "12/24",
    "박준",
    "10",
    "order",
    "장미",
    "mail",
    "tgday",
]
WORDS += [one.title for one in BUILT_IN.values()]
said = st.sampled_from(WORDS) | st.sampled_from(WORDS) | st.text(max_size=30)
act = (
    st.tuples(st.just("says"), said)
    | st.tuples(st.just("presses"), st.integers(0, 5))
    | st.tuples(st.just("fills"), said)
)


class Place:
    """A loop with a chatbot, for examples that come one after the other."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self.house = self.runner.run(self._furnish(url))
        self.numbers = iter(range(1_000_000))

    async def _furnish(self, url: str) -> House:
        database = Database.of(url)
        config = Config(chatbot=ChatbotConfig(service=[ORDER]))
        return await House(database, StoreMemory(database), config=config).furnish()

    def close(self) -> None:
        self.runner.run(self.house.database.close())
        self.runner.close()


@pytest.fixture(scope="module")
def place(sqlite_databases: SqliteDatabases) -> Iterator[Place]:
    made = Place(sqlite_databases.make())
    yield made
    made.close()


async def do(chat: Chat, how: str, what: Any) -> None:
    card = chat.card
    if how == "says" or card is None:
        await chat.says(str(what))
    elif how == "presses":
        values = [choice.value for choice in card.choices] or ["?"]
        await chat.send(chat.said(inputs={**card.marks, "choice": values[what % len(values)]}))
    else:
        filled = {field.name: str(what) for field in card.fields}
        await chat.send(chat.said(inputs={**card.marks, **filled}))
    assert chat.answers
    assert all(message.text not in ("", FAILED) for message in chat.answers)


@settings(max_examples=60)
@given(st.lists(act, max_size=8))
def test_an_operator_is_always_answered(place: Place, acts: list[tuple[str, Any]]) -> None:
    async def talk() -> None:
        chat = place.house.chat(MINA, room_id=f"room {next(place.numbers)}")
        for how, what in acts:
            await do(chat, how, what)

    place.runner.run(talk())


@settings(max_examples=60)
@given(st.lists(act, max_size=8))
def test_a_viewer_does_nothing_that_operators_do(place: Place, acts: list[tuple[str, Any]]) -> None:
    async def talk() -> None:
        chat = place.house.chat(JUN, room_id=f"room {next(place.numbers)}")
        for how, what in acts:
            await do(chat, how, what)
        done = {action for actor, _, action, _ in await place.house.audit() if actor == "jun"}
        assert done <= {"tgday_entered", "tgday_cancelled"}

    letters = len(place.house.letters.taken)
    place.runner.run(talk())
    assert len(place.house.letters.taken) == letters
