"""A real Redis of our own: started on a free loopback port in a directory that goes away with it."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

MISSING = (
    "The tests need Redis's server program (redis-server). Install Debian's package: apt-get install redis-server. "
    "Or name a server that may be used: PARLEY_TEST_REDIS=redis://host:6379/0"
)

_BECOME = ("setpriv", "--pdeathsig", "SIGKILL")
_IN_TESTS = ("--bind", "127.0.0.1", "--save", "")


class RedisMissingError(RuntimeError):
    """Neither the program nor an address is there; the message says what to install."""


class RedisServer:
    """One server, with further ``options`` of its command line. It ends with the process that started it.

    With ``tls`` (the paths of certificate and key) it speaks nothing else.
    """

    def __init__(self, *options: str, tls: tuple[Path, Path] | None = None) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise RedisMissingError(MISSING)
        self._program = program
        self._home = Path(tempfile.mkdtemp(prefix="parley-redis-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._options: Sequence[str] = options
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, number: int = 0) -> str:
        """The address of one of its databases."""
        return f"redis{'s' if self._tls else ''}://127.0.0.1:{self.port}/{number}"

    def start(self) -> None:
        """Start it, or start it again, empty, on the same port; returns when it takes connections."""
        listening = ["--port", str(self.port)]
        if self._tls is not None:
            certificate, key = map(str, self._tls)
            listening = ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            listening += ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate]
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_BECOME, self._program, *listening, "--dir", str(self._home), *_IN_TESTS, *self._options],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        while not self._takes_connections():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Redis did not start:\n{(self._home / 'log').read_text()}")
            time.sleep(0.01)

    def _takes_connections(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """End it at once, its connections cut; ``start`` brings it back."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    def pause(self) -> None:
        """Let it hang: its sockets stay open and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """End it and delete its folder."""
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)
