"""How verbs are added to the command line, so that every one has the same options and the same help."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import get_args

from daemon.config import Role
from daemon.config_file import DEFAULT_PATH

ROLES: tuple[str, ...] = get_args(Role)

Verbs = Callable[..., argparse.ArgumentParser]
"""``verbs(name, help, **options)`` adds a verb."""


def add_config_option(parser: argparse.ArgumentParser, *, default: bool) -> None:
    """``--config FILE``, which may stand before the verb and behind it; only the first place has the default."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        default=str(DEFAULT_PATH) if default else argparse.SUPPRESS,
        help=f"the configuration (default: {DEFAULT_PATH})",
    )


def verbs_of(parser: argparse.ArgumentParser) -> Verbs:
    """Let ``parser`` take one of several verbs; the result adds one."""
    subparsers = parser.add_subparsers(title="verbs", metavar="VERB", required=True)

    def add(
        name: str, text: str, *, configured: bool = True, description: str | None = None
    ) -> argparse.ArgumentParser:
        verb = subparsers.add_parser(name, help=text, description=description or text[0].upper() + text[1:] + ".")
        if configured:
            add_config_option(verb, default=False)
        return verb

    return add


def add_verbs(verbs: Verbs, name: str, text: str) -> Verbs:
    """Add a verb that only groups others: ``db upgrade``."""
    return verbs_of(verbs(name, text, configured=False))
