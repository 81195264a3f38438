"""``parley app``: the call apps of the configuration."""

from __future__ import annotations

import argparse
from pathlib import Path

from daemon.callapps.definition import define
from daemon.commands import app_try
from daemon.commands.parser import Verbs, add_verbs
from daemon.config import CallAppConfig
from daemon.config_file import load
from daemon.errors import ExitCode
from daemon.plugin_rules import broken_plugins


def register(verbs: Verbs) -> None:
    """Add ``app list`` and ``app try``."""
    below = add_verbs(verbs, "app", "programs that lead parked calls")
    listing = below(
        "list",
        "list the apps that are configured, and their calls",
        description="List the apps that are configured, and the calls that each of them leads. They are imported.",
    )
    listing.set_defaults(command=_list)
    app_try.register(below)


def _list(arguments: argparse.Namespace) -> ExitCode:
    callapps = load(Path(arguments.config), None, rules=broken_plugins).callapps
    used = [app for app in callapps.app if app.use]
    for app in used:
        print(f"{app.name}: {define(app).plugin.description.partition(chr(10))[0] or app.use}")
        print(f"  {app.use}, {_calls(app, is_default=app.name == callapps.default)}")
    if not used:
        print("no [[callapps.app]] has a use, so no call is touched")
    return ExitCode.OK


def _calls(app: CallAppConfig, *, is_default: bool) -> str:
    """Which calls it leads."""
    parts = []
    for what, values in (("codes", app.codes), ("numbers", app.dids), ("numbers like", app.did_patterns)):
        if values:
            parts.append(f"{what} {', '.join(values)}")
    if is_default:
        parts.append("and all that are no other app's" if parts else "all that are no other app's")
    return "; ".join(parts) or "those alone that are placed into it"
