"""All of Parley in the test's own process, as ``parley run`` builds it, and the ways in that people have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec

from daemon.config import (
    CallAppsConfig,
    ChatbotConfig,
    Config,
    DatabaseConfig,
    DirectoryConfig,
    InboxConfig,
    ListenerConfig,
    MailConfig,
    PbxConfig,
    RedisConfig,
    ScheduleConfig,
    ServiceConfig,
    SwitchConfig,
    WebConfig,
)
from daemon.places import database_url
from daemon.secrets import Secrets
from daemon.service import Service
from tests.daemon.live_watcher import LiveWatcher

PASSWORD = "example-password"

_LONG = 60.0
"""No condition is waited for longer than this; only a failing test gets there."""


class RunningService:
    """Follows the switch at ``switch_port``. Enter it to start it, leave it to stop it in order.

    ``database`` is an address, ``""`` for the file in ``state_dir``; ``secrets`` are by their environment variables.
    """

    def __init__(
        self,
        state_dir: Path,
        switch_port: int | None,
        *,
        database: str = "",
        pbx: PbxConfig | None = None,
        inbox: InboxConfig | None = None,
        callapps: CallAppsConfig | None = None,
        schedule: Sequence[ScheduleConfig] = (),
        mail: MailConfig | None = None,
        chatbot: ChatbotConfig | None = None,
        redis: RedisConfig | None = None,
        directory: DirectoryConfig | None = None,
        dial: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        switches = [] if switch_port is None else [SwitchConfig(port=switch_port, dial=dict(dial or {}))]
        self.config = Config(
            service=ServiceConfig(state_dir=str(state_dir)),
            switch=[msgspec.structs.replace(each, reconnect_first=0.02, reconnect_cap=0.1) for each in switches],
            pbx=pbx or PbxConfig(),
            inbox=inbox or InboxConfig(),
            callapps=callapps or CallAppsConfig(),
            schedule=list(schedule),
            mail=mail or MailConfig(),
            chatbot=chatbot or ChatbotConfig(),
            redis=redis or RedisConfig(),
            directory=directory or DirectoryConfig(),
            database=DatabaseConfig(url=database),
            web=WebConfig(listener=[ListenerConfig(port=0)]),
        )
        self.service = Service(self.config, Secrets({"PARLEY_SWITCH_MAIN_PASSWORD": PASSWORD} | dict(secrets or {})))
        self.rooms = self.service.rooms
        self.database_url = database_url(self.config)
        self._watchers: list[LiveWatcher] = []

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self.service.run())
        started = asyncio.create_task(self.service.started.wait())
        async with asyncio.timeout(_LONG):
            await asyncio.wait({self._running, started}, return_when=asyncio.FIRST_COMPLETED)
        if self._running.done():
            started.cancel()
            await self._running
        self.token = await self.rooms.accounts.new_token("test", "operator")
        self._http = aiohttp.ClientSession(
            f"http://127.0.0.1:{self.port}", headers={"Authorization": f"Bearer {self.token}"}
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for watcher in self._watchers:
            await watcher.close()
        await self._http.close()
        self.service.stop()
        async with asyncio.timeout(_LONG):
            await self._running

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.service.listeners.addresses[0][1]

    async def watcher(self) -> LiveWatcher:
        """Somebody who watches all calls from now on, until the service is left."""
        watcher = LiveWatcher()
        self._watchers.append(watcher)
        await watcher.connect(self.port, self.token)
        return watcher

    async def get(self, path: str, **query: str) -> Any:
        """What REST answers."""
        async with self._http.get(f"/api/v1{path}", params=query) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def until(self, kind: type, true: Callable[[], bool]) -> None:
        """Wait until what is published as ``kind`` makes that true."""
        changed = asyncio.Event()
        untap = self.rooms.hub.tap((kind,), lambda _: changed.set())
        try:
            async with asyncio.timeout(_LONG):
                while not true():
                    changed.clear()
                    await changed.wait()
        finally:
            untap()

    async def stored(self) -> None:
        """Wait until all that was published is in the database."""
        async with asyncio.timeout(_LONG):
            # It may not become so while something is still being published.
            while not await self.rooms.recorder.drain(1.0):
                pass
