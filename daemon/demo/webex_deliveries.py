"""How the simulated Webex delivers: signed, once, and no more to a webhook that failed too often."""

from __future__ import annotations

import asyncio
from typing import Final

import aiohttp
import msgspec

from daemon.demo.webex_world import Hook, Json, WebexWorld
from protocols.webhooks import webex

_PATIENCE: Final = 10.0
_CONNECTIONS: Final = 64


class WebexDeliveries:
    """Delivers what happens in ``world`` between :meth:`start` and :meth:`stop`. A webhook that failed
    ``failures_allowed`` times in a row is inactive from then on."""

    def __init__(self, world: WebexWorld, *, failures_allowed: int) -> None:
        self._world = world
        self._failures_allowed = failures_allowed
        self._session: aiohttp.ClientSession | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self.is_cut = False
        """Nothing is delivered, and nobody told."""
        world.happened = self._happened

    async def start(self) -> None:
        """Deliver from now on."""
        timeout = aiohttp.ClientTimeout(total=_PATIENCE)
        self._session = aiohttp.ClientSession(
            timeout=timeout, connector=aiohttp.TCPConnector(limit=_CONNECTIONS), cookie_jar=aiohttp.DummyCookieJar()
        )

    async def stop(self) -> None:
        """Deliver no more."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def settled(self) -> None:
        """Wait until all that happened so far was delivered, or failed."""
        while self._under_way:
            await asyncio.wait(set(self._under_way))

    def _happened(self, resource: str, told: Json, actor: str) -> None:
        if self._session is None or self.is_cut:
            return
        for hook in self._world.hooks.values():
            if hook.is_active and hook.resource in (resource, "all") and hook.event in ("created", "all"):
                task = asyncio.get_running_loop().create_task(self._deliver(self._session, hook, resource, told, actor))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)

    async def _deliver(self, session: aiohttp.ClientSession, hook: Hook, resource: str, told: Json, actor: str) -> None:
        shown = {"id": hook.id, "name": hook.name, "resource": resource, "event": "created", "actorId": actor}
        body = msgspec.json.encode(shown | {"status": "active", "data": told})
        headers = {"Content-Type": "application/json"} | (webex.sign(hook.secret, body) if hook.secret else {})
        try:
            async with session.post(hook.target_url, data=body, headers=headers) as response:
                is_taken = response.ok
        except (aiohttp.ClientError, TimeoutError):
            is_taken = False
        hook.failures = 0 if is_taken else hook.failures + 1
        hook.is_active = hook.is_active and hook.failures < self._failures_allowed
