"""``parley run``: the service."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
from collections.abc import Callable
from pathlib import Path

import uvloop

from daemon import logs
from daemon.commands.parser import Verbs
from daemon.config import Config
from daemon.config_file import load
from daemon.errors import ExitCode
from daemon.secrets import Secrets
from daemon.service import Service


def register(verbs: Verbs) -> None:
    """Add ``run``."""
    verb = verbs(
        "run",
        "run the service",
        description="Run the service until SIGTERM or SIGINT; a second one ends it at once. SIGHUP reads the "
        "configuration again and applies [log] and [live].",
    )
    verb.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> ExitCode:
    # What the watchdog's SIGABRT interrupts is written to the log: where the loop was stuck.
    faulthandler.enable()
    secrets = Secrets()

    def reread() -> Config:
        return load(Path(arguments.config), secrets)

    config = reread()
    logs.configure(config.log)
    try:
        uvloop.run(_serve(config, secrets, reread))
    except asyncio.CancelledError:  # by a second signal
        return ExitCode.FAILURE
    return ExitCode.OK


async def _serve(config: Config, secrets: Secrets, reread: Callable[[], Config]) -> None:
    await Service(config, secrets, reread=reread).run()
