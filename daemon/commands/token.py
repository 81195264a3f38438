"""``parley token``: API tokens, for programs."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from daemon.commands.configured import with_accounts
from daemon.commands.parser import ROLES, Verbs, add_verbs
from daemon.errors import ExitCode


def register(verbs: Verbs) -> None:
    """Add ``token new|list|revoke``."""
    below = add_verbs(verbs, "token", "API tokens, for programs")
    new = below(
        "new",
        "make a token",
        description="Make a token and print it. It is shown this once: only a hash of it is kept.",
    )
    new.add_argument("name", metavar="NAME", help="what it is for")
    new.add_argument("--role", choices=ROLES, default="viewer", help="viewers read, operators act, admins configure")
    new.set_defaults(command=_new)
    revoke = below("revoke", "make a token worthless")
    revoke.add_argument("name", metavar="NAME")
    revoke.set_defaults(command=_revoke)
    below("list", "list all tokens, without the tokens").set_defaults(command=_list)


def _new(arguments: argparse.Namespace) -> ExitCode:
    token = with_accounts(arguments, lambda accounts: accounts.new_token(arguments.name, arguments.role))
    print(token)
    print("Keep it now: it cannot be shown again.", file=sys.stderr)
    return ExitCode.OK


def _revoke(arguments: argparse.Namespace) -> ExitCode:
    with_accounts(arguments, lambda accounts: accounts.revoke_token(arguments.name))
    print(f"{arguments.name} is worthless now")
    return ExitCode.OK


def _list(arguments: argparse.Namespace) -> ExitCode:
    for token in with_accounts(arguments, lambda accounts: accounts.list_tokens()):
        used = "never" if token.last_used_at is None else f"{datetime.fromtimestamp(token.last_used_at, UTC):%Y-%m-%d}"
        print(f"{token.name:24} {token.role:8} last used {used}")
    return ExitCode.OK
