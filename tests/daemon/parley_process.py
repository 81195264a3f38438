"""Parley as a process of its own, run and administered by its command line, always at the same address."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from tests.daemon.service_manager import ServiceManager

SWITCH_PASSWORD = "example-password"

_CONFIG = """\
[service]
state_dir = "{folder}/state"

[log]
format = "json"
level = "{level}"

[[switch]]
port = {switch_port}
reconnect_first = 0.05
reconnect_cap = 0.2

[database]
url = "{database}"

[[web.listener]]
port = {port}
"""


class ParleyProcess:
    """Follows the switch at ``switch_port`` with its state in ``folder``, through any number of lives.

    ``database`` is an address, ``""`` for the file in the state directory. ``more`` is added to the configuration, with
    the port that it listens on for ``{port}``, ``secrets`` to the environment. ``level`` is that of its log.
    """

    def __init__(
        self,
        folder: Path,
        switch_port: int,
        *,
        database: str = "",
        more: str = "",
        secrets: Mapping[str, str] | None = None,
        level: str = "info",
    ) -> None:
        self.state_dir = folder / "state"
        # Bound but not listening: nobody else is given the port while Parley is down.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self.port: int = self._reserved.getsockname()[1]
        self._config = folder / "parley.toml"
        self._config.write_text(
            _CONFIG.format(folder=folder, switch_port=switch_port, database=database, port=self.port, level=level)
            + more.replace("{port}", str(self.port))
        )
        self._environment = {
            "PARLEY_SWITCH_MAIN_PASSWORD": SWITCH_PASSWORD,
            "CREDENTIALS_DIRECTORY": "",
            "RUNTIME_DIRECTORY": "",
            **(secrets or {}),
        }
        self._manager = ServiceManager(self._config, folder, self._environment)
        self._token = ""

    @property
    def address(self) -> str:
        """Where the console is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has logged, in all its lives."""
        return self._manager.log.read_text()

    # Its lives

    async def launch(self) -> None:
        """Start it, and do not wait until it is up."""
        await self._manager.start()

    async def start(self) -> None:
        """Start it; returns when it says that it is ready."""
        said = len(self._manager.states)
        await self.launch()
        await self._manager.state("READY", "1", after=said)

    async def kill(self) -> None:
        """``kill -9``."""
        self._manager.send(signal.SIGKILL)
        assert await self._manager.ended() == -signal.SIGKILL

    async def stop(self) -> None:
        """Stop it in order."""
        self._manager.send(signal.SIGTERM)
        assert await self._manager.ended() == 0

    async def close(self) -> None:
        """End it whatever state it is in, and give the port back."""
        await self._manager.close()
        self._reserved.close()

    # The ways in

    async def command(self, *arguments: str, line: str = "") -> str:
        """Run ``parley`` with that line on its standard input; returns what it prints."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "daemon", *arguments, "--config", str(self._config)),
            env={**os.environ, **self._environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complaints = await process.communicate(f"{line}\n".encode())
        assert process.returncode == 0, complaints.decode()
        return printed.decode()

    async def token(self) -> str:
        """An API token of an operator."""
        if not self._token:
            self._token = (await self.command("token", "new", "test", "--role", "operator")).strip()
        return self._token

    async def get(self, path: str, **query: str) -> Any:
        """What REST answers."""
        headers = {"Authorization": f"Bearer {await self.token()}"}
        async with (
            aiohttp.ClientSession(self.address, headers=headers) as http,
            http.get(f"/api/v1{path}", params=query) as response,
        ):
            assert response.status == 200, await response.text()
            return await response.json()

    async def until_figures(self, lines: set[str]) -> None:
        """Wait until all of them stand in its metrics."""
        headers = {"Authorization": f"Bearer {await self.token()}"}
        async with asyncio.timeout(60), aiohttp.ClientSession(self.address, headers=headers) as http:
            while True:
                async with http.get("/metrics") as response:
                    assert response.status == 200, await response.text()
                    if lines <= set((await response.text()).splitlines()):
                        return
                await asyncio.sleep(0.02)

    async def post(self, path: str, body: Any) -> Any:
        """What REST answers to something that it takes."""
        headers = {"Authorization": f"Bearer {await self.token()}"}
        async with (
            aiohttp.ClientSession(self.address, headers=headers) as http,
            http.post(f"/api/v1{path}", json=body) as response,
        ):
            assert response.ok, await response.text()
            return await response.json()

    async def transcript(self, call_id: str) -> list[dict[str, Any]]:
        """What was said on a call, as REST tells it."""
        utterances: list[dict[str, Any]] = (await self.get(f"/calls/{call_id}/transcript"))["utterances"]
        return utterances
