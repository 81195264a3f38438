"""``parley chat``: what people may ask the bot for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from daemon.chatbot.definition import define, offered
from daemon.chatbot.supplies import OF_SERVICES
from daemon.commands import chat_try
from daemon.commands.parser import Verbs, add_verbs
from daemon.config import Config
from daemon.config_file import load
from daemon.errors import ExitCode
from daemon.plugin_rules import broken_plugins, provider_of, supplied_types
from daemon.plugins import Parameter


def register(verbs: Verbs) -> None:
    """Add ``chat list`` and ``chat try``."""
    below = add_verbs(verbs, "chat", "services that people ask the bot for")
    listing = below(
        "list",
        "list the services that are offered, and to whom",
        description="List the services that are offered, the least role that is, and what is missing where one is not. "
        "They are imported.",
    )
    listing.set_defaults(command=_list)
    chat_try.register(below)


def _list(arguments: argparse.Namespace) -> ExitCode:
    config = load(Path(arguments.config), None, rules=broken_plugins)
    supplied = supplied_types(config) | OF_SERVICES
    for one in offered(config.chatbot):
        service = define(one.config)
        print(
            f"{one.config.name}: {service.title} ({service.role}), {', '.join(service.words[1:]) or 'no other words'}"
        )
        missing = service.missing(supplied)
        print(f"  {_why_not(missing, config) if missing else service.description}")
    return ExitCode.OK


def _why_not(missing: Sequence[Parameter], config: Config) -> str:
    """That nobody is offered it, and what to do about that."""
    needed = ", ".join(need.name for need in missing)
    remedies = dict.fromkeys(provider_of(need.contract, config) for need in missing)
    return "; ".join([f"not offered: it needs {needed}", *filter(None, remedies)])
