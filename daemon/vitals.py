"""What systemd is told while the service runs: that the loop is alive, and how things stand in one line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from daemon.calls.call import CallState
from daemon.calls.links import LinkStatus
from daemon.calls.registry import Registry
from daemon.health import Condition, Health
from daemon.hub import Hub
from daemon.notify import Notifier

_STATUS_INTERVAL = 5.0


class Vitals:
    """``links`` gives the state of every link there is."""

    def __init__(
        self, notifier: Notifier, *, hub: Hub, registry: Registry, health: Health, links: Callable[[], list[LinkStatus]]
    ) -> None:
        self._notifier = notifier
        self._registry = registry
        self._health = health
        self._links = links
        self._due = asyncio.Event()
        hub.tap((LinkStatus,), lambda _status: self._due.set())

    def status(self) -> str:
        """``1 of 2 links up, 7 calls; switch:busan: …``, every trouble by its part of health."""
        links = self._links()
        ready = sum(status.state.is_up for status in links)
        live = sum(call.state is not CallState.ENDED for call in self._registry.calls())
        parts = self._health.report().parts
        troubles = [f"{name}: {part.detail}" for name, part in parts.items() if part.condition is not Condition.OK]
        return "; ".join([f"{ready} of {len(links)} links up, {live} calls", *troubles])

    async def feed_watchdog(self) -> None:
        """From the loop itself: a loop that is stuck starves the watchdog, one that waits for a peer does not."""
        while self._notifier.watchdog_interval is not None:
            self._notifier.ping()
            await asyncio.sleep(self._notifier.watchdog_interval)

    async def tell_status(self) -> None:
        """At once when a link changes, and every few seconds for the rest."""
        told = ""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_STATUS_INTERVAL):
                    await self._due.wait()
            self._due.clear()
            status = self.status()
            if status != told:
                self._notifier.status(status)
                told = status
