"""A real PostgreSQL of our own: started on a free loopback port in a directory that goes away with it."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil

MISSING = (
    "The tests need PostgreSQL's server programs (initdb, postgres). Install Debian's package: "
    "apt-get install postgresql. Or name a server that may be used, by a user who may create databases: "
    "PARLEY_TEST_POSTGRES=postgresql://user:password@host:5432/postgres"
)


class PostgresMissingError(RuntimeError):
    """Neither the programs nor an address are there; the message says what to install."""


def find_programs() -> Path:
    """The ``bin`` folder of the newest PostgreSQL that Debian installed, else the one on ``PATH``."""

    def version(path: Path) -> int:
        return int(re.sub(r"\D.*", "", path.parent.name) or 0)

    installed = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if installed:
        return max(installed, key=version)
    on_path = shutil.which("initdb")
    if on_path is None:
        raise PostgresMissingError(MISSING)
    return Path(on_path).resolve().parent


# What is synced to the disk does not matter here: no test pulls the plug.
_IN_TESTS: Final = {"fsync": "off", "max_connections": "50", "wal_init_zero": "off"}


class PostgresServer:
    """One server, with ``settings``. It ends with the process that started it, whatever way that goes."""

    def __init__(self, settings: Mapping[str, str] = _IN_TESTS) -> None:
        self._settings = settings
        self._bin = find_programs()
        self._home = Path(tempfile.mkdtemp(prefix="parley-postgres-"))
        self._data = self._home / "data"
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        # The server refuses to run as root.
        self._become: list[str] = ["setpriv", "--pdeathsig", "SIGINT"]
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self._home, account.pw_uid, account.pw_gid)
            self._become += ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self._run("initdb", "--pgdata", str(self._data), "--auth=trust", "--encoding=UTF8", "--no-sync", "-U", "parley")

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://parley@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, or start it again with the same data on the same port; returns when it takes connections."""
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self._home}
        arguments = [f"--{name}={value}" for name, value in {**options, **self._settings}.items()]
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._become, str(self._bin / "postgres"), "-D", str(self._data), *arguments],
                cwd=self._home,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self._home / 'log').read_text()}")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def stop(self) -> None:
        """Stop it, its connections cut; ``start`` brings it back."""
        if self._process is not None:
            self.resume()
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)
            self._process = None

    def pause(self) -> None:
        """Let it hang: every process of it is stopped, its sockets stay open and answer nothing."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        postmaster = psutil.Process(self._process.pid)
        # The parent first: what is stopped starts no more children.
        for process in (postmaster, *postmaster.children(recursive=True)):
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue

    def remove(self) -> None:
        """Stop it and delete its data."""
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._become, str(self._bin / program), *arguments], cwd=self._home, capture_output=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{done.stdout.decode()}{done.stderr.decode()}")
