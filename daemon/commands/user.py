"""``parley user``: the people who sign in."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from daemon.commands.configured import read_password, with_accounts
from daemon.commands.parser import ROLES, Verbs, add_verbs
from daemon.errors import ExitCode

_SAID_WITHOUT_ECHO = "The password is asked for on the terminal, or read from standard input with --password-stdin."


def register(verbs: Verbs) -> None:
    """Add ``user add|list|password|role|extension|remove``."""
    below = add_verbs(verbs, "user", "the people who sign in")
    add = below("add", "add a person", description=f"Add a person. {_SAID_WITHOUT_ECHO}")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", choices=ROLES, default="viewer", help="viewers read, operators act, admins configure")
    add.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    add.set_defaults(command=_add)
    password = below(
        "password",
        "give a person another password",
        description=f"Give a person another password, which signs them out everywhere. {_SAID_WITHOUT_ECHO}",
    )
    password.add_argument("name", metavar="NAME")
    password.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    password.set_defaults(command=_password)
    role = below("role", "give a person another role")
    role.add_argument("name", metavar="NAME")
    role.add_argument("role", choices=ROLES)
    role.set_defaults(command=_role)
    extension = below(
        "extension",
        "say where calls reach a person",
        description="Say where calls reach a person: who takes a live call over in the console gets it there. Without "
        "an extension, what was said is forgotten.",
    )
    extension.add_argument("name", metavar="NAME")
    extension.add_argument("extension", metavar="EXTENSION", nargs="?", default="")
    extension.set_defaults(command=_extension)
    remove = below("remove", "remove a person, which signs them out everywhere")
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(command=_remove)
    below("list", "list everybody who has a password").set_defaults(command=_list)


def _add(arguments: argparse.Namespace) -> ExitCode:
    password = read_password(arguments)
    with_accounts(arguments, lambda accounts: accounts.add_user(arguments.name, password, arguments.role))
    print(f"{arguments.name} may sign in as {arguments.role}")
    return ExitCode.OK


def _password(arguments: argparse.Namespace) -> ExitCode:
    password = read_password(arguments)
    with_accounts(arguments, lambda accounts: accounts.set_password(arguments.name, password))
    print(f"{arguments.name} has another password")
    return ExitCode.OK


def _role(arguments: argparse.Namespace) -> ExitCode:
    with_accounts(arguments, lambda accounts: accounts.set_role(arguments.name, arguments.role))
    print(f"{arguments.name} is {arguments.role}")
    return ExitCode.OK


def _extension(arguments: argparse.Namespace) -> ExitCode:
    with_accounts(arguments, lambda accounts: accounts.set_extension(arguments.name, arguments.extension))
    print(f"{arguments.name} is at {arguments.extension}" if arguments.extension else f"{arguments.name} is nowhere")
    return ExitCode.OK


def _remove(arguments: argparse.Namespace) -> ExitCode:
    with_accounts(arguments, lambda accounts: accounts.remove_user(arguments.name))
    print(f"{arguments.name} is removed")
    return ExitCode.OK


def _list(arguments: argparse.Namespace) -> ExitCode:
    for user in with_accounts(arguments, lambda accounts: accounts.list_users()):
        since = datetime.fromtimestamp(user.created_at, UTC)
        reached = f", at {user.extension}" if user.extension else ""
        print(f"{user.name:24} {user.role:8} since {since:%Y-%m-%d}{reached}")
    return ExitCode.OK
