"""Where the process keeps things: what the configuration names, or the place in the state directory it means."""

from __future__ import annotations

import errno
import os
import pwd
import stat
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from daemon.config import Config

SOCKET: Final = "parley.sock"
UNIT_RUNTIME: Final = Path("/run/parley")
"""``RuntimeDirectory`` of the unit."""


def database_url(config: Config) -> str:
    """The database's address, without a password."""
    return config.database.url or f"sqlite:///{Path(config.service.state_dir) / 'parley.db'}"


def spool_dir(config: Config) -> Path:
    """The folder of rows that wait for the database."""
    return Path(config.recorder.spool_dir or Path(config.service.state_dir) / "spool")


def last_heard_path(config: Config) -> Path:
    """The note of when each switch was last heard of."""
    return Path(config.service.state_dir) / "last-heard.json"


def instance_id(config: Config) -> str:
    """The name of this Parley among those that share a store: two have never the same, and a restart does not change
    it. It is kept in the state directory, which one process has for itself."""
    path = Path(config.service.state_dir) / "instance-id"
    if not path.exists():
        new = path.with_suffix(".new")
        new.write_text(uuid.uuid4().hex)
        new.replace(path)
    return path.read_text()


def socket_path(config: Config, environment: Mapping[str, str] | None = None) -> Path:
    """The Unix socket of the command line: in systemd's runtime directory where there is one."""
    environment = os.environ if environment is None else environment
    # systemd separates several directories by colons; ours is the first.
    runtime = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(runtime or config.service.state_dir) / SOCKET


def sockets_of_service(config: Config, environment: Mapping[str, str] | None = None) -> list[Path]:
    """Where the Unix socket of a running service may be, seen from a shell beside it, likeliest first.

    A shell does not have the runtime directory that systemd gave to the unit.
    """
    likely = [socket_path(config, environment), UNIT_RUNTIME / SOCKET, Path(config.service.state_dir) / SOCKET]
    return list(dict.fromkeys(likely))


def service_user(config: Config) -> int:
    """The user id that the service runs as, as far as one can tell from outside: whoever has the state directory,
    else the user ``parley``, else whoever asks."""
    state_dir = Path(config.service.state_dir)
    if state_dir.is_dir():
        return state_dir.stat().st_uid
    try:
        return pwd.getpwnam("parley").pw_uid if os.geteuid() == 0 else os.geteuid()
    except KeyError:
        return os.geteuid()


def writing_obstacle(directory: Path, user: int) -> str | None:
    """What keeps ``user`` from writing in ``directory``, or from making it; ``None``: nothing that can be seen.

    Makes nothing. For another user than the one who asks it goes by owner, group and mode alone.
    """
    place = directory
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        return os.strerror(errno.ENOTDIR)
    if user == os.geteuid():
        allowed = os.access(place, os.W_OK | os.X_OK)
    else:
        found = place.stat()
        needed = stat.S_IWUSR | stat.S_IXUSR if found.st_uid == user else stat.S_IWOTH | stat.S_IXOTH
        allowed = user == 0 or found.st_mode & needed == needed
    return None if allowed else f"{place}: {os.strerror(errno.EACCES)}"


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
