"""The servers that are delivered webhooks: Parley as ``parley run`` starts it, and FastAPI."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
from sqlalchemy import text

from daemon.stores.database import Database
from tests.bench.programs import Program, peer, running
from tests.bench.push import SECRET, pushes

_PATIENCE: Final = 30.0
_CONFIG: Final = """\
[service]
state_dir = "{state}"

[log]
level = "warning"

[database]
url = "{database}"

[[web.listener]]
port = {port}

[[inbox.source]]
name = "github"
kind = "github"
per_second = 1000000.0
"""


class AnswerLostError(Exception):
    """Something that was answered with 202 is not in the store as it was delivered."""


@contextmanager
def parley(database: str) -> Iterator[int]:
    """Parley with a source and no handlers on the database at that address; its port. It is killed at the end."""
    port = _free_port()
    with TemporaryDirectory(prefix="parley-bench-") as folder:
        config = Path(folder, "parley.toml")
        config.write_text(_CONFIG.format(state=f"{folder}/state", database=database, port=port))
        environment = {"PARLEY_SOURCE_GITHUB_SECRET": SECRET, "CREDENTIALS_DIRECTORY": ""}
        command = [sys.executable, "-m", "daemon", "run", "--config", str(config)]
        with running(command, server=True, environment=os.environ | environment) as program:
            _wait(program, port)
            yield port


@contextmanager
def fastapi() -> Iterator[int]:
    """FastAPI in the peers' environment; its port."""
    port = _free_port()
    with running(peer("fastapi_peer", port), server=True) as program:
        _wait(program, port)
        yield port


def require_stored(database: str, answers: list[bytes]) -> None:
    """Raise :class:`AnswerLostError` unless every delivery that Parley answered for is there, byte for byte."""
    ids = {msgspec.json.decode(answer)["delivery_id"] for answer in answers}
    if len(ids) != len(answers):
        raise AnswerLostError(f"{len(answers)} answers name {len(ids)} deliveries")
    lost = len(ids - asyncio.run(_stored_ids(database)))
    if lost:
        raise AnswerLostError(f"{lost} of {len(ids)} accepted deliveries are not in the store as they were delivered")


async def _stored_ids(url: str) -> set[str]:
    """The ids of all whose body is one of those that were delivered."""
    bodies = set(pushes())
    database = Database.of(url)
    async with database.read() as connection:
        rows = await connection.stream(text("SELECT delivery_id, body FROM deliveries"))
        ids = {delivery_id async for delivery_id, body in rows if body in bodies}
    await database.close()
    return ids


def _wait(program: Program, port: int) -> None:
    """Until somebody listens there."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if program.process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
