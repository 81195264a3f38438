"""A real Elasticsearch of our own: started on free loopback ports in a directory that goes away with it.

The distribution is the one that Elastic publishes for tests of plugins: the server itself, with few modules and without
security. ``tests/system-packages`` fetches it once.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

CHECKOUT: Final = Path(__file__).parents[2]
ARCHIVE: Final = CHECKOUT / ".cache" / "elasticsearch-8.19.21.zip"
MISSING: Final = (
    "The tests need Elasticsearch and a Java 17 to run it: tests/system-packages gets both. Or name a server that "
    "may be used: PARLEY_TEST_ELASTICSEARCH=http://host:9200"
)
NOBODY: Final = "nobody"

_PATIENCE: Final = 100.0
_CONFIGURATION: Final = """\
discovery.type: single-node
network.host: 127.0.0.1
http.port: {http}
transport.port: {transport}
path.data: {data}
path.logs: {logs}
xpack.security.enabled: false
# The disk of who tests may be nearly full.
cluster.routing.allocation.disk.threshold_enabled: false
"""


class ElasticsearchMissingError(RuntimeError):
    """Neither the programs nor an address are there; the message says what to do."""


class ElasticsearchServer:
    """One server. It ends with the process that started it, whatever way that goes."""

    def __init__(self) -> None:
        javas = [java for of in (17, 21) for java in Path("/usr/lib/jvm").glob(f"java-{of}-openjdk-*/bin/java")]
        if not javas or not ARCHIVE.exists():
            raise ElasticsearchMissingError(MISSING)
        self._java = javas[0].parents[1]
        self._home = Path(tempfile.mkdtemp(prefix="parley-elasticsearch-"))
        # What the server may write must not have the server's own files in it.
        (self._home / "tmp").mkdir()
        with zipfile.ZipFile(ARCHIVE) as archive:
            archive.extractall(self._home)
        [self._program] = self._home.glob("elasticsearch-*")
        for script in (self._program / "bin").iterdir():
            script.chmod(0o755)
        self.port, transport = _free_ports(2)
        text = _CONFIGURATION.format(
            http=self.port, transport=transport, data=self._home / "data", logs=self._home / "logs"
        )
        (self._program / "config" / "elasticsearch.yml").write_text(text)
        self._process: subprocess.Popen[bytes] | None = None
        # The server refuses to run as root.
        self._become: list[str] = ["setpriv", "--pdeathsig", "SIGTERM"]
        if os.geteuid() == 0:
            for path in (self._home, *self._home.rglob("*")):
                shutil.chown(path, NOBODY)
            self._become += [f"--reuid={NOBODY}", "--regid=nogroup", "--clear-groups"]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, or start it again with the same data on the same port; returns when it answers."""
        environment = {
            "PATH": os.environ["PATH"],
            "ES_JAVA_HOME": str(self._java),
            "ES_JAVA_OPTS": "-Xms512m -Xmx512m",
            "ES_TMPDIR": str(self._home / "tmp"),
        }
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._become, str(self._program / "bin" / "elasticsearch")],
                cwd=self._home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _PATIENCE
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Elasticsearch did not start:\n{(self._home / 'log').read_text()}")
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_cluster/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def kill(self) -> None:
        """End it as a loss of power does; ``start`` brings it back."""
        if self._process is not None:
            for process in self._processes():
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self._process.wait(60)
            self._process = None

    def forget(self) -> None:
        """Delete what it stores; it must not run."""
        shutil.rmtree(self._home / "data", ignore_errors=True)

    def pause(self) -> None:
        """Let it hang: its sockets stay open and answer nothing."""
        for process in self._processes():
            process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        for process in self._processes():
            process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """End it and delete everything."""
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def _processes(self) -> list[psutil.Process]:
        """The program that starts the server, and the server."""
        assert self._process is not None
        try:
            starter = psutil.Process(self._process.pid)
            return [starter, *starter.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


@contextmanager
def shared_server(folder: Path) -> Iterator[str]:
    """The address of a server that all have who name the same ``folder``: the first starts it, with the last it ends.

    Who uses it holds a lock on a file there, which goes with the process that held it.
    """
    with (folder / "users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with (folder / "starting").open("w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            address = folder / "address"
            if not address.exists():
                _start_keeper(folder)
            url = address.read_text()
        yield url


def _start_keeper(folder: Path) -> None:
    """Start a process that starts a server and ends it when nobody holds the lock; returns when the server answers."""
    keeper = subprocess.Popen(
        [sys.executable, "-m", "tests.services.elasticsearch", str(folder)],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert keeper.stdout is not None
    with keeper.stdout:
        if not keeper.stdout.readline():
            raise RuntimeError(f"Elasticsearch was not started: code {keeper.wait()}")
    # It outlives whoever started it where others still need it, and Python would warn of a child left behind.
    keeper.returncode = 0


def _keep(folder: Path) -> None:
    server = ElasticsearchServer()
    try:
        server.start()
        (folder / "address").write_text(server.url)
        print("ready", flush=True)
        with (folder / "users").open("w") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            (folder / "address").unlink()
            server.remove()
    finally:
        server.remove()


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
