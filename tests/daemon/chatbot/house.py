"""A chatbot with people who write to it, on a real store and a real memory."""

from __future__ import annotations

import msgspec

from daemon.calls.call import Call
from daemon.chatbot.contract import Memory
from daemon.chatbot.conversations import BotConversations, build_conversations
from daemon.chatbot.known_people import KnownPeople
from daemon.chatbot.speakers import Speakers
from daemon.chatbot.supplies import LiveCalls
from daemon.chatbot.trying import MINA, Chat, add_person
from daemon.config import ChatbotConfig, Config
from daemon.directory.contract import Directory, Entry
from daemon.directory.embedded import EmbeddedDirectory
from daemon.directory.index import Index
from daemon.mail.composing import checked_letter
from daemon.mail.contract import Letter, Mail
from daemon.stores.audit import AuditRow, latest_audit
from daemon.stores.database import Database
from daemon.stores.directory_entries import save_directory_entries
from daemon.stores.people import PersonRow

NOW = 1_796_774_400.0
"""Wednesday, 9 December 2026, 09:00 in Seoul."""
JUN = PersonRow(
    name="jun",
    role="viewer",
    full_name="박준",
    email="jun@example.com",
    team="상담팀",
    extension="2002",
    webex_person_id="jun-at-webex",
)
ADA = PersonRow(name="ada", role="admin", full_name="이다", email="ada@example.com", webex_person_id="ada-at-webex")


class Letters(Mail):
    """Takes letters that can be sent, each key once."""

    def __init__(self) -> None:
        self.taken: dict[str, Letter] = {}

    async def send(self, letter: Letter, *, key: str) -> str:
        self.taken.setdefault(key, checked_letter(letter, key))
        return key


class Calls:
    """The calls that there are."""

    def __init__(self) -> None:
        self.all: list[Call] = []

    def calls(self) -> list[Call]:
        return self.all


class House:
    """Everything that the chatbot is built of; :meth:`conversations` builds it, as often as there are Parleys."""

    def __init__(self, database: Database, memory: Memory, *, config: Config | None = None) -> None:
        self.database = database
        self.memory = memory
        self.config = config or Config(chatbot=ChatbotConfig(console_url="https://parley.example.com/"))
        self.now = NOW
        self.letters = Letters()
        self.calls = Calls()
        self.directory = EmbeddedDirectory(database, self.config.directory)
        self.more: dict[type, object] = {}

    async def furnish(self, *entries: Entry, people: tuple[PersonRow, ...] = (MINA, JUN, ADA)) -> House:
        """Let people and entries be there."""
        for person in people:
            await add_person(self.database, person)
        async with self.database.transaction() as connection:
            await save_directory_entries(connection, entries)
        await self.directory.refresh()
        return self

    def conversations(self, memory: Memory | None = None) -> BotConversations:
        """One Parley's."""
        threshold = self.config.directory.threshold
        people = KnownPeople(self.database, self.directory, Index({}), threshold=threshold, max_age=0.0)
        supplies: dict[type, object] = {
            Database: self.database,
            Directory: self.directory,
            Mail: self.letters,
            LiveCalls: self.calls,
            ChatbotConfig: self.config.chatbot,
            KnownPeople: people,
        }
        return build_conversations(
            self.config,
            supplies=supplies | self.more,
            directory=people,
            index=Index({}),
            speakers=Speakers(self.database),
            memory=memory or self.memory,
            clock=lambda: self.now,
        )

    def chat(self, person: PersonRow = MINA, *, room_id: str = "", is_group: bool = False) -> Chat:
        """Somebody in their own room with the bot, or in one with others."""
        return Chat(
            self.conversations(),
            person,
            room_id=room_id or f"room of {person.name}",
            room_type="group" if is_group else "direct",
            said_at=lambda: self.now,
        )

    async def audit(self) -> list[tuple[str, str, str, str]]:
        """What was done, oldest first: by whom, how they were known, what, to what."""
        async with self.database.read() as connection:
            rows: list[AuditRow] = await latest_audit(connection, 100)
        return [(row.actor, row.via, row.action, row.subject) for row in reversed(rows)]


def renamed(person: PersonRow, **changes: object) -> PersonRow:
    """Somebody a little different."""
    return msgspec.structs.replace(person, **changes)
