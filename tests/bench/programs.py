"""The processes of a measurement: each started afresh, spoken to over its standard streams, ended whatever happens."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PEERS_PYTHON = CHECKOUT / ".venv-bench" / "bin" / "python"


_LAST_WORDS = 10.0
"""Seconds that a program may take to end."""

_NODE_PEER = CHECKOUT / "tests" / "bench" / "node"


class ProgramFailedError(Exception):
    """A process ended before it had said what it should."""


class Program:
    """A running process that speaks in lines. What it writes to its standard error is ours too."""

    def __init__(self, process: subprocess.Popen[str], name: str) -> None:
        self.process = process
        self._name = name

    def say(self, line: str) -> None:
        """Write a line to its standard input."""
        stream = _open(self.process.stdin)
        stream.write(line + "\n")
        stream.flush()

    def hear(self) -> str:
        """The next line that it prints. Raises :class:`ProgramFailedError` when there will be none."""
        line = _open(self.process.stdout).readline()
        if not line:
            raise ProgramFailedError(f"{self._name} ended with code {self.process.wait()} and said no more")
        return line.strip()

    def expect(self, word: str) -> None:
        """Wait until it prints ``word``, passing over other lines."""
        while self.hear() != word:
            pass


@contextmanager
def running(
    command: Sequence[str | Path], *, server: bool = False, environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Start ``command`` in the checkout, with ``environment`` or ours, and see to its end on the way out.

    A ``server`` is killed. Others end of themselves, at the latest when their standard input does: they may have
    started programs of their own, which would be left behind.
    """
    words = [str(word) for word in command]
    process = subprocess.Popen(
        words, cwd=CHECKOUT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Program(process, words[-1] if len(words) < 3 else words[2])
    finally:
        if server:
            process.kill()
        try:
            process.communicate(timeout=_LAST_WORDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs ``tests.bench.<name>`` as a program of ours."""
    return [sys.executable, "-m", f"tests.bench.{name}", *map(str, arguments)]


def peer(name: str, *arguments: object) -> list[str]:
    """The command that runs a peer's program in the peers' environment."""
    return [str(PEERS_PYTHON), str(CHECKOUT / "tests" / "bench" / "peers" / f"{name}.py"), *map(str, arguments)]


def node(*arguments: object) -> list[str]:
    """The command that runs the peer's server on Node."""
    return [_node_tool("node"), str(_NODE_PEER / "server.mjs"), *map(str, arguments)]


def prepare_peers() -> None:
    """Say what to do where the Python peers are not installed."""
    if not PEERS_PYTHON.exists():
        raise SystemExit("the peers are not installed: run this by `make bench`")


def prepare_node() -> None:
    """Install what the Node peer's lock names, if it is not there."""
    if not (_NODE_PEER / "node_modules" / ".package-lock.json").exists():
        environment = os.environ | {"PATH": f"{Path(_node_tool('node')).parent}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run([_node_tool("npm"), "ci", "--silent"], cwd=_NODE_PEER, env=environment, check=True)


def _node_tool(name: str) -> str:
    """A tool of the Node that built the console: the wheel's where there is one, else the system's."""
    own = CHECKOUT / ".venv" / "node" / "bin" / name
    found = str(own) if own.exists() else shutil.which(name)
    if found is None:
        raise SystemExit(f"there is no {name}: run this by `make bench`")
    return found


def _open(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
