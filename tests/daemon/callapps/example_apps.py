"""Call apps as somebody writes them, and one that does what a test wants."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from daemon.callapps.contract import AppCall, AppSecret
from daemon.config import CallAppConfig


class Script:
    """What a test lets the app do, and every call that it was given."""

    def __init__(self, does: Callable[[AppCall], Awaitable[None]]) -> None:
        self.does = does
        self.calls: list[AppCall] = []


async def scripted(call: AppCall, *, script: Script) -> None:
    """Does what the test wants."""
    script.calls.append(call)
    await script.does(call)


class Scripted:
    """The same as a class."""

    def __init__(self, *, script: Script) -> None:
        self._script = script

    async def run(self, call: AppCall) -> None:
        """Does what the test wants."""
        await scripted(call, script=self._script)


class Runless:
    """No app."""


async def greedy(call: AppCall, number: str) -> None:
    """Takes more than it is given."""


async def needy(call: AppCall, *, weather: Runless) -> None:
    """Needs what nobody has."""


async def owning(call: list[object], *, config: CallAppConfig, secret: AppSecret) -> None:
    """Keeps what it was given as its own."""
    call += [config, secret.read()]
