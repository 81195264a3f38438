"""``parley people``: everybody whom Parley knows, with their teams."""

from __future__ import annotations

import argparse
from pathlib import Path

from daemon.accounts.people import People, Person
from daemon.accounts.people_file import COLUMNS, PeopleFile, PeopleFileError, read_people
from daemon.accounts.people_import import Planned
from daemon.actor import Actor
from daemon.commands.configured import with_database
from daemon.commands.parser import Verbs, add_verbs
from daemon.config import Config
from daemon.errors import ExitCode, OperatorError
from daemon.stores.database import Database

_MOST_SHOWN = 20


def register(verbs: Verbs) -> None:
    """Add ``people import|list``."""
    below = add_verbs(verbs, "people", "everybody whom Parley knows, and their teams")
    columns = ", ".join(" or ".join(names) for names in COLUMNS.values())
    load = below(
        "import",
        "add or replace the people in a file",
        description="Add the people in a CSV file; those who are there already, by sign-in name or e-mail address, are "
        f"replaced, and the teams that are named are made. Its first row names the columns: {columns}. A column that "
        "is left out changes nothing; without a sign-in name people get their e-mail address. They have no password "
        "then: parley user password gives them one. A file with a mistake changes nothing.",
    )
    load.add_argument("file", metavar="FILE")
    load.add_argument("--dry-run", action="store_true", help="say what would come of it, and change nothing")
    load.set_defaults(command=_import)
    below("list", "list everybody").set_defaults(command=_list)


def _import(arguments: argparse.Namespace) -> ExitCode:
    try:
        file = read_people(Path(arguments.file).read_bytes())
        planned = with_database(arguments, lambda config, database: _save(config, database, file, arguments.dry_run))
    except OSError as error:
        raise OperatorError(f"{arguments.file} cannot be read: {error.strerror}") from error
    except PeopleFileError as error:
        shown = [f"  {mistake}" for mistake in error.mistakes[:_MOST_SHOWN]]
        more = len(error.mistakes) - len(shown)
        tail = [f"  and {more} more"] if more else []
        raise OperatorError("\n".join([f"{arguments.file}: {error}, nothing was imported", *shown, *tail])) from error
    if file.remark:
        print(f"note: {file.remark}")
    for name in planned.new_teams:
        print(f"new team: {name}")
    for name, role in planned.roles.items():
        print(f"{name} {'would be' if arguments.dry_run else 'is'} {role} now")
    were = "would be imported" if arguments.dry_run else "were imported"
    print(f"{len(planned.people)} people {were}, {len(planned.new)} of them new, {len(planned.changed)} changed")
    return ExitCode.OK


async def _save(config: Config, database: Database, file: PeopleFile, dry_run: bool) -> Planned:
    people = _people(config, database)
    return await people.import_people(file, by=Actor("", "command"), dry_run=dry_run)


def _list(arguments: argparse.Namespace) -> ExitCode:
    for one in with_database(arguments, lambda config, database: _people(config, database).list_people()):
        print(_line(one))
    return ExitCode.OK


def _people(config: Config, database: Database) -> People:
    return People(database, tenants=[tenant.name for tenant in config.pbx.tenant if config.pbx.url])


def _line(person: Person) -> str:
    row = person.row
    more = [
        row.full_name,
        row.email or "",
        row.team or "",
        f"at {row.extension}" if row.extension else "",
        f"of {row.tenant}" if row.tenant else "",
        f"tgday {person.tgday}" if person.tgday else "",
        "" if row.may_sign_in else "no password",
    ]
    return f"{row.name:24} {row.role:8} {', '.join(filter(None, more))}".rstrip()
