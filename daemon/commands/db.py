"""``parley db``: looking after the database."""

from __future__ import annotations

import argparse

from daemon.commands.configured import with_database
from daemon.commands.parser import Verbs, add_verbs
from daemon.config import Config
from daemon.errors import ExitCode
from daemon.places import database_url
from daemon.stores.database import Database


def register(verbs: Verbs) -> None:
    """Add ``db upgrade``."""
    below = add_verbs(verbs, "db", "look after the database")
    upgrade = below("upgrade", "bring the database's tables up to date; the service does so itself when it starts")
    upgrade.set_defaults(command=_upgrade)


def _upgrade(arguments: argparse.Namespace) -> ExitCode:
    async def report(config: Config, _database: Database) -> None:
        print(f"{database_url(config)} is up to date")

    with_database(arguments, report)
    return ExitCode.OK
