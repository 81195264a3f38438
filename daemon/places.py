"""Where the process keeps things: what the configuration names, or the place in the state directory it means."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from daemon.config import Config


def database_url(config: Config) -> str:
    """The database's address, without a password."""
    return config.database.url or f"sqlite:///{Path(config.service.state_dir) / 'parley.db'}"


def spool_dir(config: Config) -> Path:
    """The folder of rows that wait for the database."""
    return Path(config.recorder.spool_dir or Path(config.service.state_dir) / "spool")


def last_heard_path(config: Config) -> Path:
    """The note of when each switch was last heard of."""
    return Path(config.service.state_dir) / "last-heard.json"


def socket_path(config: Config, environment: Mapping[str, str] | None = None) -> Path:
    """The Unix socket of the command line: in systemd's runtime directory where there is one."""
    environment = os.environ if environment is None else environment
    # systemd separates several directories by colons; ours is the first.
    runtime = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(runtime or config.service.state_dir) / "parley.sock"


def writing_problem(directory: Path) -> str | None:
    """Why nothing can be written in ``directory``, which is made where its parent allows; ``None``: it can."""
    probe = directory / f".writable-{os.getpid()}"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        return error.strerror or str(error)
    return None
