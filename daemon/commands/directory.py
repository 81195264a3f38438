"""``parley directory``: services, people and teams that can be searched for."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from daemon.calls.numbers import mask_number
from daemon.commands.configured import with_database
from daemon.commands.parser import Verbs, add_verbs
from daemon.config import Config
from daemon.directory.contract import Entry, Match
from daemon.directory.embedded import EmbeddedDirectory
from daemon.directory.entry_file import EntryFileError, read_entries
from daemon.errors import ExitCode, OperatorError
from daemon.stores.database import Database
from daemon.stores.directory_entries import (
    count_directory_entries,
    renew_directory_entries,
    save_directory_entries,
)

_MOST_SHOWN = 20


def register(verbs: Verbs) -> None:
    """Add ``directory load``, ``directory search`` and ``directory reindex``."""
    below = add_verbs(verbs, "directory", "the services, people and teams that can be searched for")
    load = below(
        "load",
        "add or replace the entries in a file",
        description="Add the entries in a JSON file; those whose id is there already are replaced. The file is an "
        "array of objects with name, kind (service, person or team), code, description, keywords, number and team, or "
        'of {"service": …, "service_code": …}. A file with a mistake changes nothing. A Parley that runs finds them '
        "within [directory] refresh_interval.",
    )
    load.add_argument("file", metavar="FILE")
    load.add_argument("--all", action="store_true", help="the file is all there is: remove what is not in it")
    load.set_defaults(command=_load)
    search = below(
        "search",
        "say what would be found",
        description="Say what is found for a text, best first, with scores from 0 to 1.",
    )
    search.add_argument("text", metavar="TEXT", nargs="+")
    search.add_argument("--limit", type=int, default=5, metavar="N", help="entries at most (default: 5)")
    search.add_argument(
        "--threshold", type=float, metavar="SCORE", help="the least score (default: that of the configuration)"
    )
    search.add_argument("--json", action="store_true", help="print JSON, with whole numbers")
    search.set_defaults(command=_search)
    reindex = below(
        "reindex",
        "let every entry be indexed again",
        description="Let every Parley on this database take all entries in again. Meanwhile everything is found.",
    )
    reindex.set_defaults(command=_reindex)


def _load(arguments: argparse.Namespace) -> ExitCode:
    try:
        entries = read_entries(Path(arguments.file).read_bytes())
    except OSError as error:
        raise OperatorError(f"{arguments.file} cannot be read: {error.strerror}") from error
    except EntryFileError as error:
        shown = [f"  {mistake}" for mistake in error.mistakes[:_MOST_SHOWN]]
        more = len(error.mistakes) - len(shown)
        tail = [f"  and {more} more"] if more else []
        raise OperatorError("\n".join([f"{arguments.file}: {error}, nothing was loaded", *shown, *tail])) from error
    if arguments.all and not entries:
        raise OperatorError(f"{arguments.file} has no entry: with --all nothing would be left")
    there = with_database(arguments, lambda _, database: _save(database, entries, all_there_is=arguments.all))
    print(f"{len(entries)} entries were loaded; there are {there}")
    return ExitCode.OK


async def _save(database: Database, entries: list[Entry], *, all_there_is: bool) -> int:
    """How many there are then."""
    async with database.transaction() as connection:
        await save_directory_entries(connection, entries, all_there_is=all_there_is)
        return await count_directory_entries(connection)


def _search(arguments: argparse.Namespace) -> ExitCode:
    if arguments.limit < 1:
        raise OperatorError("--limit is at least 1")

    async def ask(config: Config, database: Database) -> list[Match]:
        directory = EmbeddedDirectory(database, config.directory)
        await directory.refresh()
        return await directory.search(" ".join(arguments.text), limit=arguments.limit, threshold=arguments.threshold)

    matches = with_database(arguments, ask)
    if arguments.json:
        print(msgspec.json.encode(matches).decode())
    elif not matches:
        print("nothing was found")
    else:
        for match in matches:
            print(_line(match))
    return ExitCode.OK


def _line(match: Match) -> str:
    entry = match.entry
    number = mask_number(entry.number)
    said = [f"{match.score:.2f}", entry.kind, entry.name, *(text for text in (entry.code, entry.team, number) if text)]
    return "  ".join(said)


def _reindex(arguments: argparse.Namespace) -> ExitCode:
    async def renew(_: Config, database: Database) -> int:
        async with database.transaction() as connection:
            await renew_directory_entries(connection)
            return await count_directory_entries(connection)

    print(f"{with_database(arguments, renew)} entries will be indexed again by whoever runs on this database")
    return ExitCode.OK
