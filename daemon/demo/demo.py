"""The demo's switch: a simulated one with callers, or a recording, for Parley to connect to over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

from daemon.config import SwitchConfig
from daemon.demo.callers import Callers
from daemon.demo.dialogues import SCRIPTS
from daemon.demo.led_dialogues import LED
from daemon.demo.recording import RecordingPlayer
from daemon.demo.script import Script
from daemon.demo.switch import SimulatedSwitch

NAME = "demo"
PASSWORD = "ClueCon"  # noqa: S105 - guards nothing: a simulated switch on loopback


class Demo:
    """``recording`` plays that file (``fast``: without its pauses) instead of simulating callers.

    ``speed`` divides every duration; ``seed`` chooses the callers among ``scripts``. ``port`` is the event socket's, 0
    for a free one. Raises ``OSError`` or ``ValueError`` at once when ``recording`` cannot be played.
    """

    def __init__(
        self,
        *,
        recording: Path | str | None = None,
        fast: bool = False,
        speed: float = 1.0,
        seed: int = 1,
        port: int = 0,
        scripts: Sequence[Script] = (*SCRIPTS, *LED),
    ) -> None:
        self.switch: SimulatedSwitch | RecordingPlayer
        self.callers: Callers | None = None
        if recording is None:
            self.switch = SimulatedSwitch(port=port, password=PASSWORD, speed=speed)
            self.callers = Callers(self.switch, scripts=scripts, seed=seed)
        else:
            self.switch = RecordingPlayer(recording, port=port, password=PASSWORD, fast=fast, speed=speed)
        self.password = PASSWORD
        self.speed = speed
        self._calling: asyncio.Task[None] | None = None

    @property
    def config(self) -> SwitchConfig:
        """How to reach it once it runs, :attr:`password` apart."""
        dial = {".+": "sofia/gateway/demo/{number}"} if self.callers is not None else {}
        return SwitchConfig(name=NAME, host=self.switch.host, port=self.switch.port, reconnect_cap=2.0, dial=dial)

    async def start(self) -> SwitchConfig:
        """Start it, and let people call or the recording wait for its first listener; returns :attr:`config`."""
        await self.switch.start()
        if self.callers is not None:
            self._calling = asyncio.get_running_loop().create_task(self.callers.run())
        return self.config

    async def stop(self) -> None:
        """End everybody's calls and close."""
        if self._calling is not None:
            self._calling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._calling
        await self.switch.stop()
