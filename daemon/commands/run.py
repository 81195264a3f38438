"""``parley run``: the service."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import gc
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import structlog
import uvloop

from daemon import logs
from daemon.commands.parser import Verbs
from daemon.config import Config
from daemon.config_file import load
from daemon.errors import ExitCode, OperatorError
from daemon.plugin_rules import broken_plugins
from daemon.secrets import Secrets
from daemon.service import Service

log = structlog.get_logger(__name__)


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
        return load(Path(arguments.config), secrets, rules=broken_plugins)

    config = reread()
    logs.configure(config.log)
    return run_to_the_end(_serve(config, secrets, reread))


async def _serve(config: Config, secrets: Secrets, reread: Callable[[], Config]) -> None:
    service = Service(config, secrets, reread=reread)
    spare_pauses()
    let_threads_in()
    await service.run()


def spare_pauses() -> None:
    """Let the garbage collector never hold calls up for long; asked once everything is built.

    What is there by then stays, and is not looked through again. Calls leave next to nothing behind that only the
    collector finds, so it looks at what is new often and little at a time, and at everything seldom: with 500 calls
    that takes 50 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(300, 1, 300)


def let_threads_in() -> None:
    """Let threads tell the loop soon of what they have done, also where it has much to do.

    SQLite waits for nothing else between two transactions, and by default that may take 5 ms.
    """
    sys.setswitchinterval(0.0001)


def run_to_the_end(serving: Coroutine[Any, Any, None]) -> ExitCode:
    """Run it on uvloop. What nobody foresaw goes to the log, where it is masked, and not to the terminal."""
    try:
        uvloop.run(serving)
    except asyncio.CancelledError:  # by a second signal
        return ExitCode.FAILURE
    except OperatorError:
        raise
    except Exception:
        log.exception("service_failed")
        return ExitCode.FAILURE
    return ExitCode.OK
