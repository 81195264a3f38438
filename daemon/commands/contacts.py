"""``parley contacts``: the people who call, for whoever looks them up."""

from __future__ import annotations

import argparse
from pathlib import Path

from daemon.commands.configured import with_database
from daemon.commands.parser import Verbs, add_verbs
from daemon.config import Config
from daemon.errors import ExitCode, OperatorError
from daemon.stores.contacts import ContactRow, count_contacts, save_contacts
from daemon.stores.database import Database
from daemon.tools.contact_file import ContactFileError, read_contacts

_MOST_SHOWN = 20


def register(verbs: Verbs) -> None:
    """Add ``contacts import``."""
    below = add_verbs(verbs, "contacts", "the people who call, as the inbound lookup knows them")
    load = below(
        "import",
        "add or replace the contacts in a file",
        description="Add the contacts in a CSV file, in UTF-8; those whose number is there already are replaced. Its "
        "first row names the columns: number and name, each further one a variable for the agent, and those that "
        "begin with meta. the metadata of the call. A file with a mistake changes nothing.",
    )
    load.add_argument("file", metavar="FILE")
    load.set_defaults(command=_import)


def _import(arguments: argparse.Namespace) -> ExitCode:
    try:
        rows = read_contacts(Path(arguments.file).read_bytes())
    except OSError as error:
        raise OperatorError(f"{arguments.file} cannot be read: {error.strerror}") from error
    except ContactFileError as error:
        shown = [f"  {mistake}" for mistake in error.mistakes[:_MOST_SHOWN]]
        more = len(error.mistakes) - len(shown)
        tail = [f"  and {more} more"] if more else []
        raise OperatorError("\n".join([f"{arguments.file}: {error}, nothing was imported", *shown, *tail])) from error
    added, there = with_database(arguments, lambda config, database: _save(config, database, rows))
    print(f"{len(rows)} contacts were imported, {added} of them new; there are {there}")
    return ExitCode.OK


async def _save(_config: Config, database: Database, rows: list[ContactRow]) -> tuple[int, int]:
    """How many of ``rows`` are new, and how many contacts there are then."""
    async with database.transaction() as connection:
        before = await count_contacts(connection)
        await save_contacts(connection, rows)
        after = await count_contacts(connection)
    return after - before, after
