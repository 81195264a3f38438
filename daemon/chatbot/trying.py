"""Tries a service of the chatbot without a messenger, for tests of it:

    async def test_a_greeting() -> None:
        async with try_service(greet) as chat:
            assert await chat.says("greet") == "성함이 어떻게 되세요?"
            assert await chat.says("김미나") == "김미나 님, 반갑습니다."

The conversation is led by the code that leads real ones, with an empty database that goes away at the end.
"""

from __future__ import annotations

import itertools
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from daemon.chatbot.contract import Card, Conversations, Message, RoomType, Said
from daemon.chatbot.conversations import BotConversations
from daemon.chatbot.definition import define_as
from daemon.chatbot.offer import Offer, Service
from daemon.chatbot.speakers import Speakers
from daemon.chatbot.store_memory import StoreMemory
from daemon.config import ChatbotConfig, ChatbotServiceConfig, Config
from daemon.directory.contract import Directory, Entry, Match
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, TeamRow, save_people, save_teams

MINA = PersonRow(
    name="mina",
    role="operator",
    full_name="김미나",
    email="mina@example.com",
    team="영업팀",
    extension="2001",
    webex_person_id="mina-at-webex",
)
"""Who writes where nobody else is named."""


class Chat:
    """What one person writes in one room, and what is answered. Every method returns the answers as one text.

    ``said_at`` gives the Unix seconds at which they write.
    """

    def __init__(
        self,
        conversations: Conversations,
        person: PersonRow = MINA,
        *,
        room_id: str = "room",
        room_type: RoomType = "direct",
        said_at: Callable[[], float] = time.time,
    ) -> None:
        self._conversations = conversations
        self._person = person
        self._room_id = room_id
        self._room_type: RoomType = room_type
        self._said_at = said_at
        self._ids = (f"{secrets.token_hex(4)}-{number}" for number in itertools.count(1))
        self.answers: Sequence[Message] = ()
        self.last: Said | None = None

    @property
    def card(self) -> Card | None:
        """The card under the last answer."""
        return self.answers[-1].card if self.answers else None

    async def says(self, text: str) -> str:
        """They write ``text``."""
        return await self.send(self.said(text))

    async def presses(self, title: str, *, on: Card | None = None) -> str:
        """They press the button of that title: on the last card, or another one."""
        card = on or self._pressable()
        [value] = [choice.value for choice in card.choices if choice.title == title]
        return await self.send(self.said(inputs={**card.marks, "choice": value}))

    async def fills(self, *, on: Card | None = None, **fields: str) -> str:
        """They fill in these fields of a form, leave the others as they are, and send it."""
        card = on or self._pressable()
        values = {field.name: field.value for field in card.fields}
        assert fields.keys() <= values.keys(), f"the form has {', '.join(values)}"  # noqa: S101 - for tests
        return await self.send(self.said(inputs={**card.marks, **values, **fields}))

    async def send(self, said: Said) -> str:
        """They say that, which they may have said before."""
        self.last = said
        self.answers = await self._conversations.answer(said)
        return "\n\n".join(message.text for message in self.answers)

    def said(self, text: str = "", *, inputs: Mapping[str, str] | None = None) -> Said:
        """Something that they say next."""
        return Said(
            id=next(self._ids),
            room_id=self._room_id,
            room_type=self._room_type,
            person_id=self._person.webex_person_id or self._person.name,
            person_email=self._person.email or "",
            created_at=self._said_at(),
            text=text,
            inputs=inputs,
        )

    def _pressable(self) -> Card:
        card = self.card
        assert card is not None, "there is no card under the last answer"  # noqa: S101 - for tests
        return card


@asynccontextmanager
async def try_service(
    made: Any,
    *,
    person: PersonRow = MINA,
    supplies: Mapping[type, object] | None = None,
    options: Mapping[str, Any] | None = None,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[Chat]:
    """A conversation with the service that is the function or class ``made``; its name is that of ``made``.

    ``supplies`` is what it asks for beside the database, by type. Raises :class:`~daemon.plugins.PluginError` for what
    is no service.
    """
    name = str(getattr(made, "__name__", "service"))
    definition = define_as(ChatbotServiceConfig(name=name, options=dict(options or {})), made)
    with tempfile.TemporaryDirectory(prefix="parley-chat-") as folder:
        database = Database.of(f"sqlite:///{Path(folder) / 'parley.db'}")
        try:
            await database.upgrade()
            await add_person(database, person)
            config = Config(chatbot=ChatbotConfig(built_in=[]))
            given = {Database: database, ChatbotConfig: config.chatbot, **(supplies or {})}
            service = Service(definition, definition.bind(given))
            offer = Offer([service], _NoDirectory(), _NoWords(), threshold=1.0)
            memory = StoreMemory(database, clock=clock)
            conversations = BotConversations(config, offer, Speakers(database), memory, clock=clock)
            yield Chat(conversations, person, said_at=clock)
        finally:
            await database.close()


async def add_person(database: Database, person: PersonRow) -> None:
    """Let the store know somebody, with their team; who they are at the messenger is found out as they write."""
    async with database.transaction() as connection:
        if person.team:
            await save_teams(connection, [TeamRow(name=person.team)])
        await save_people(connection, [msgspec.structs.replace(person)], now=0.0)


class _NoDirectory(Directory):
    """One without entries."""

    async def search(self, text: str, **_: Any) -> list[Match]:
        return []

    async def get(self, entry_id: str) -> Entry | None:
        return None


class _NoWords:
    """Finds nothing: a service is called by its name."""

    def put(self, entry: Entry) -> None:
        """It is not kept."""

    def remove(self, entry_id: str) -> None:
        """It was not kept."""

    def search(self, text: str, **_: Any) -> list[Match]:
        """Nothing."""
        return []
