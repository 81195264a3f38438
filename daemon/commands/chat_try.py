"""``parley chat try``: a conversation with the bot, typed in the terminal."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from daemon import logs
from daemon.calls.call import Call
from daemon.chatbot.contract import Card, Field, Said
from daemon.chatbot.conversations import build_conversations
from daemon.chatbot.known_people import KnownPeople
from daemon.chatbot.phrases import CANCEL, plain
from daemon.chatbot.store_memory import StoreMemory
from daemon.chatbot.supplies import LiveCalls
from daemon.chatbot.trying import MINA, Chat, add_person
from daemon.commands.configured import opened_database
from daemon.commands.parser import ROLES, Verbs
from daemon.config import ChatbotConfig, ChatbotServiceConfig, Config, LogConfig
from daemon.config_file import DEFAULT_PATH, load
from daemon.directory.contract import Directory
from daemon.directory.embedded import EmbeddedDirectory
from daemon.directory.index import Index
from daemon.errors import ExitCode, OperatorError
from daemon.plugins import PluginError, add_folders
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, get_person

_HOW = """\
# What you type is written to the bot. A number presses that button; the fields of a form are asked one by one, and an
# empty line leaves what stands in brackets. Ctrl-D ends it."""


def register(verbs: Verbs) -> None:
    """Add ``chat try``."""
    verb = verbs(
        "try",
        "try a conversation in the terminal",
        description="Write to the bot in the terminal. No messenger, mail or PBX is asked for anything, so what needs "
        "one is not offered. Without --as everything happens in an empty database that goes away at the end; with it, "
        "in the one of the configuration, and is done for real.",
    )
    verb.add_argument(
        "service", metavar="SERVICE", nargs="?", help="package.module:name of a service that is offered too"
    )
    person = verb.add_mutually_exclusive_group()
    person.add_argument("--as", dest="name", metavar="NAME", help="write as this person of the configured database")
    person.add_argument("--role", choices=ROLES, default="operator", help="the role of who writes (default: operator)")
    verb.set_defaults(command=_try)


def _try(arguments: argparse.Namespace) -> ExitCode:
    logs.configure(LogConfig(level="error"))
    is_there = arguments.config != str(DEFAULT_PATH) or DEFAULT_PATH.exists()
    config = load(Path(arguments.config), None) if is_there else Config()
    add_folders([*config.plugins.path, str(Path.cwd())])
    if arguments.service:
        name = arguments.service.rpartition(":")[2]
        others = [service for service in config.chatbot.service if service.name != name]
        config.chatbot.service = [*others, ChatbotServiceConfig(name=name, use=arguments.service)]
    try:
        return asyncio.run(_talk(config, arguments))
    except (PluginError, msgspec.ValidationError) as error:
        raise OperatorError(f"{error}; {getattr(error, 'remedy', 'mend it')}") from error


async def _talk(config: Config, arguments: argparse.Namespace) -> ExitCode:
    async with _database(config, is_real=arguments.name is not None) as database:
        person = await _person(database, arguments)
        directory = EmbeddedDirectory(database, config.directory)
        await directory.refresh()
        people = KnownPeople(database, directory, Index({}), threshold=config.directory.threshold)
        conversations = build_conversations(
            config,
            supplies={
                Database: database,
                Directory: directory,
                LiveCalls: _NoCalls(),
                ChatbotConfig: config.chatbot,
                KnownPeople: people,
            },
            directory=people,
            index=Index({}),
            speakers=_Oneself(database, person.name),
            memory=StoreMemory(database),
        )
        print(_HOW, flush=True)
        await _exchange(Chat(conversations, person, room_id="terminal"))
    return ExitCode.OK


@asynccontextmanager
async def _database(config: Config, *, is_real: bool) -> AsyncIterator[Database]:
    if is_real:
        async with opened_database(config) as database:
            yield database
        return
    with tempfile.TemporaryDirectory(prefix="parley-chat-") as folder:
        database = Database.of(f"sqlite:///{Path(folder) / 'parley.db'}")
        try:
            await database.upgrade()
            yield database
        finally:
            await database.close()


async def _person(database: Database, arguments: argparse.Namespace) -> PersonRow:
    if arguments.name is None:
        person = msgspec.structs.replace(MINA, role=arguments.role)
        await add_person(database, person)
        return person
    async with database.read() as connection:
        found = await get_person(connection, arguments.name)
    if found is None:
        raise OperatorError(f"there is no {arguments.name}")
    return found


async def _exchange(chat: Chat) -> None:
    """Until nothing more is typed."""
    while (text := _typed("you: ")) is not None:
        try:
            said = await _sent(chat, text)
        except EOFError:
            return
        for row in _as_read(said).splitlines():
            print(f"bot: {row}".rstrip())
        _show(chat.card)


async def _sent(chat: Chat, text: str) -> str:
    """Raises ``EOFError`` where a form was left."""
    card = chat.card
    if card is not None and text.isdecimal() and 0 < int(text) <= len(card.choices):
        return await chat.presses(card.choices[int(text) - 1].title)
    if card is None or not card.fields or text:
        return await chat.says(text)
    values = {}
    for field in card.fields:
        value = _typed(f"  {field.label}{_before(field)}: ")
        if value is None:
            raise EOFError
        if plain(value) in CANCEL:
            return await chat.says(value)
        values[field.name] = value or field.value
    return await chat.send(chat.said(inputs={**card.marks, **values}))


def _show(card: Card | None) -> None:
    if card is not None:
        for number, choice in enumerate(card.choices, 1):
            print(f"  [{number}] {choice.title}")
        if card.fields:
            print(f"  (a form: {', '.join(field.label for field in card.fields)}; an empty line fills it in)")


def _as_read(markdown: str) -> str:
    """The text without its marks."""
    return re.sub(r"\\(.)", r"\1", markdown.replace("**", ""))


def _before(field: Field) -> str:
    titles = f" ({', '.join(choice.title for choice in field.choices)})" if field.choices else ""
    return f"{titles} [{field.value}]" if field.value else titles


def _typed(prompt: str) -> str | None:
    try:
        text = input(prompt)
    except EOFError:
        print()
        return None
    if not sys.stdin.isatty():
        print(text, flush=True)
    return text


class _Oneself:
    """Who types is that person, whoever they are at a messenger."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name

    async def of(self, _said: Said) -> PersonRow | None:
        """As the contract says."""
        async with self._database.read() as connection:
            return await get_person(connection, self._name)


class _NoCalls:
    """No switch is asked."""

    def calls(self) -> list[Call]:
        """None."""
        return []
