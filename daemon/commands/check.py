"""``parley check``: everything that is wrong with the configuration, at once."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import time
from pathlib import Path

from sqlalchemy import text

from daemon.commands.parser import Verbs
from daemon.commands.schedule import upcoming
from daemon.config import Config
from daemon.config_file import load
from daemon.errors import ExitCode
from daemon.places import database_url
from daemon.plugin_rules import broken_plugins, letter_writers
from daemon.schedules.definition import used
from daemon.secrets import DATABASE_PASSWORD, Secrets
from daemon.stores.database import Database, DatabaseAwayError

_CREDENTIALS = "credentials"
_PATIENCE = 3.0
"""Seconds that a peer may take to show that it is there."""


def register(verbs: Verbs) -> None:
    """Add ``check``."""
    verb = verbs(
        "check",
        "say everything that is wrong with the configuration",
        description="Say everything that is wrong with the configuration, by key and line, with what to do about it. "
        "The exit code is 0 or 78. A switch or database that is away is only noted: Parley starts without them. "
        "Plugins that it names are imported. Outside the service, secrets are looked for in the folder credentials "
        "beside the file, as the unit does.",
    )
    verb.set_defaults(command=_check)


def _check(arguments: argparse.Namespace) -> ExitCode:
    path = Path(arguments.config)
    secrets = _secrets(path)
    config = load(path, secrets, places=True, rules=broken_plugins)
    notes = asyncio.run(_notes(config, secrets or Secrets()))
    if secrets is None:
        notes.append(f"{path.parent / _CREDENTIALS} cannot be read, so secrets were not looked for: ask as root")
    notes += _mail(config)
    for note in notes:
        print(f"note: {note}")
    for schedule in used(config.schedule):
        print(f"schedule {schedule.name} fires next {upcoming(schedule, time.time())}")
    print(f"{arguments.config} is right")
    return ExitCode.OK


def _mail(config: Config) -> list[str]:
    """That letters may have nobody who takes them: an admin may have named a server, or do so later."""
    writers = [] if config.mail.host else letter_writers(config)
    if not writers:
        return []
    others = "unless an admin has in the console or by parley mail set"
    return [f"[mail] names no mail server; {others}, what these send waits until one is named: {', '.join(writers)}"]


def _secrets(path: Path) -> Secrets | None:
    """The service's secrets as far as this shell has them; ``None`` where they are there and may not be read."""
    folder = path.parent / _CREDENTIALS
    if "CREDENTIALS_DIRECTORY" in os.environ or not folder.is_dir():
        return Secrets()
    if not os.access(folder, os.R_OK | os.X_OK):
        return None
    return Secrets({**os.environ, "CREDENTIALS_DIRECTORY": str(folder.absolute())})


async def _notes(config: Config, secrets: Secrets) -> list[str]:
    notes = await asyncio.gather(
        *(_peer(f"switch {switch.name}", switch.host, switch.port) for switch in config.switch),
        _database(config, secrets),
    )
    taken = [_listener(listener.host, listener.port) for listener in config.web.listener]
    none = [] if config.switch else ["no [[switch]] is configured, so no call will be seen"]
    return none + [note for note in [*notes, *taken] if note]


async def _peer(name: str, host: str, port: int) -> str | None:
    try:
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"{name} does not answer at {host} port {port} (nothing within {_PATIENCE:g} s)"
    except OSError as error:
        # asyncio's own text of a refused connection repeats the address and hides the system's word for it.
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
        return f"{name} does not answer at {host} port {port} ({why})"
    writer.close()
    return None


async def _database(config: Config, secrets: Secrets) -> str | None:
    """SQLite is its folder, which was looked at before; opening the file would only make an empty one."""
    url = database_url(config)
    if url.startswith("sqlite:"):
        return None
    database = Database.of(url, password=secrets.get(DATABASE_PASSWORD), timeout=_PATIENCE)
    try:
        async with database.read() as connection:
            await connection.execute(text("SELECT 1"))
    except DatabaseAwayError as error:
        return f"the database is away ({error})"
    finally:
        await database.close()
    return None


def _listener(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return f"{host} port {port} cannot be had now ({error.strerror}); a Parley that runs would have it"
    return None
