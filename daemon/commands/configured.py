"""What verbs that work on the configured database share."""

from __future__ import annotations

import argparse
import os
import pwd
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from getpass import getpass
from pathlib import Path
from typing import TypeVar

import uvloop

from daemon.accounts.accounts import Accounts
from daemon.accounts.errors import AccountError
from daemon.config import Config
from daemon.config_file import load
from daemon.errors import OperatorError
from daemon.places import database_url, writing_problem
from daemon.secrets import DATABASE_PASSWORD, Secrets
from daemon.stores.database import Database, DatabaseAwayError

Result = TypeVar("Result")


def with_database(arguments: argparse.Namespace, work: Callable[[Config, Database], Awaitable[Result]]) -> Result:
    """Run ``work`` on the upgraded database of the configuration that the arguments name.

    Passwords of switches are not asked for: they are given to the service, and this may be anybody's shell.
    """
    config = load(Path(arguments.config), None)

    async def run() -> Result:
        async with opened_database(config) as database:
            return await work(config, database)

    try:
        return uvloop.run(run())
    except DatabaseAwayError as error:
        raise OperatorError(f"the database is not there for it: {error}") from error
    except AccountError as error:
        raise OperatorError(str(error)) from error


def with_accounts(arguments: argparse.Namespace, work: Callable[[Accounts], Awaitable[Result]]) -> Result:
    """Run ``work`` on the accounts of the configured database."""
    return with_database(arguments, lambda config, database: work(Accounts(database, config.web)))


def read_password(arguments: argparse.Namespace) -> str:
    """A new password: the first line of standard input with ``--password-stdin``, else asked for twice."""
    if arguments.password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        try:
            password = getpass("Password: ")
            again = getpass("Once more: ")
        except EOFError:
            raise OperatorError("no password was given") from None
        if again != password:
            raise OperatorError("the two were not the same")
    if not password:
        raise OperatorError("an empty password is none")
    return password


@asynccontextmanager
async def opened_database(config: Config) -> AsyncIterator[Database]:
    """The upgraded database of ``config``."""
    _prepare_state_dir(config)
    database = Database.of(database_url(config), password=Secrets().get(DATABASE_PASSWORD))
    try:
        await database.upgrade()
        yield database
    finally:
        await database.close()


def _prepare_state_dir(config: Config) -> None:
    """Make the folder of the database's file. A file that root made in it is one the service could not write to."""
    if config.database.url:
        return
    state_dir = Path(config.service.state_dir)
    owner = state_dir.stat().st_uid if state_dir.is_dir() else os.geteuid()
    if os.geteuid() == 0 and owner != 0:
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        raise OperatorError(f"{state_dir} belongs to {name}; run this as that user: runuser -u {name} -- parley …")
    problem = writing_problem(state_dir)
    if problem is not None:
        raise OperatorError(f"nothing can be written in {state_dir}: {problem}")
