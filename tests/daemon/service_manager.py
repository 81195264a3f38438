"""What systemd is to a service of ``Type=notify``: starts the process, hears its states, sends it signals."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

_LONG = 60.0
"""No condition is waited for longer than this; only a failing test gets there."""


class ServiceManager:
    """Runs ``parley run`` with a notify socket of its own. Its log is in ``log``."""

    def __init__(self, config: Path, folder: Path, environment: Mapping[str, str]) -> None:
        self.log = folder / "log"
        self.states: list[dict[str, str]] = []
        self._config = config
        self._address = folder / "notify"
        self._environment = {**os.environ, **environment, "NOTIFY_SOCKET": str(self._address)}
        self._changed = asyncio.Condition()
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *, watchdog: float = 3.0) -> None:
        """Start the process; ``watchdog`` is the unit's WatchdogSec."""
        self._address.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._address))
        self._socket.setblocking(False)
        self._listening = asyncio.create_task(self._listen())
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "daemon", "run", "--config", str(self._config)),
                env=self._environment | {"WATCHDOG_USEC": str(round(watchdog * 1_000_000))},
                stdout=log,
                stderr=log,
            )

    async def _listen(self) -> None:
        while True:
            datagram = await asyncio.get_running_loop().sock_recv(self._socket, 65_536)
            async with self._changed:
                self.states.append(dict(row.split("=", 1) for row in datagram.decode().split("\n")))
                self._changed.notify_all()

    async def state(self, name: str, containing: str = "", *, after: int = 0) -> dict[str, str]:
        """The first message since number ``after`` that gives ``name`` a value with ``containing`` in it."""

        def found() -> dict[str, str] | None:
            return next((state for state in self.states[after:] if containing in state.get(name, "\0")), None)

        async with asyncio.timeout(_LONG), self._changed:
            await self._changed.wait_for(found)
        message = found()
        assert message is not None
        return message

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for the process to end; its exit code, negative for a signal."""
        assert self._process is not None
        async with asyncio.timeout(_LONG):
            code = await self._process.wait()
        if not self._listening.done():
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._socket.close()
        return code

    async def close(self) -> None:
        """End the process if it still runs, and leave nothing behind."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        if self._process is not None:
            await self.ended()
