"""A shell beside a running Parley."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Said(NamedTuple):
    """How a verb ended and what it printed."""

    code: int | None
    out: str
    err: str


async def typed_into(folder: Path, *words: str, typed: str = "") -> Said:
    """Run a verb in ``folder``, with somebody who types, to its end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env=environment,
    )
    out, err = await asyncio.wait_for(process.communicate(typed.encode()), 60)
    return Said(process.returncode, out.decode(), err.decode())


class Shell:
    """A shell on the host of a running Parley."""

    def __init__(self, config: Path) -> None:
        self._config = config

    async def parley(self, *words: str) -> Said:
        """Run a verb to its end."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
        environment.pop("RUNTIME_DIRECTORY", None)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "daemon", "--config", str(self._config), *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env=environment,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return Said(process.returncode, out.decode(), err.decode())

    async def answer(self, *words: str) -> Any:
        """What a verb prints as JSON."""
        said = await self.parley(*words, "--json")
        assert said.code == 0, said.err
        return json.loads(said.out)
