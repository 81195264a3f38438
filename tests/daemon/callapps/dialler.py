"""Parley placing calls on a simulated switch."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from daemon.actor import Actor
from daemon.callapps.outgoing import OutgoingCall, OutgoingRequest, OutgoingState
from daemon.callapps.outgoing_service import OutgoingCalls
from daemon.calls.call import Call
from daemon.calls.control import CallControl
from daemon.config import CallAppsConfig, OutgoingConfig
from daemon.demo.channel import Channel
from daemon.demo.switch import SimulatedSwitch
from daemon.stores.database import Database
from daemon.switch.legs import ORIGIN
from tests.daemon.callapps.phone import App, Phone, apps

JIN = Actor("jin", "token", "192.0.2.7")
NUMBER = "01012345678"
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=ZoneInfo("Asia/Seoul")).timestamp()
"""A Wednesday's."""
ANY_TIME = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "opens": "00:00", "closes": "24:00"}

_LONGEST = 30.0


class Dialler(Phone):
    """One Parley that also places calls. ``outgoing`` are keys of ``[callapps.outgoing]``, ``now`` its clock."""

    def __init__(
        self,
        switch: SimulatedSwitch,
        does: App,
        database: Database,
        config: CallAppsConfig | None = None,
        *,
        more: dict[str, CallControl] | None = None,
        **outgoing: Any,
    ) -> None:
        super().__init__(switch, does, config or apps(codes=[]))
        self.now = NOON
        wanted = OutgoingConfig(**{"allowed": ["0[0-9]+"], "caller": "0212345678", **outgoing})
        controls = {(ORIGIN, name): control for name, control in (more or {}).items()}
        self.outgoing = OutgoingCalls(
            wanted,
            self.room,
            self.placements,
            controls={**controls, (ORIGIN, "main"): self.following.switch.control},
            database=database,
            registry=self.following.registry,
            hub=self.following.hub,
            instance=lambda: "here",
            clock=lambda: self.now,
        )
        self._asked = 0
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.room.begin()
        await self.outgoing.begin(_LONGEST)
        self._keeping = asyncio.create_task(self.outgoing.run())
        self.following.start()
        await self.following.ready()

    async def stop(self) -> None:
        if self._keeping is not None:
            async with asyncio.timeout(_LONGEST):
                await self.outgoing.close()
        await super().stop()
        await self._keep_no_more()

    async def die(self) -> None:
        await self._keep_no_more()
        await super().die()

    async def _keep_no_more(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
            self._keeping = None

    async def place(self, to: str = NUMBER, *, key: str = "", actor: Actor = JIN, **request: Any) -> OutgoingCall:
        """Ask for a call; each without a ``key`` is another one."""
        self._asked += 1
        wanted = OutgoingRequest(**{"to": to, "app": "order", **request})
        return await self.outgoing.place(wanted, actor=actor, key=key or f"key-{id(self)}-{self._asked}")

    async def told(self, placed: OutgoingCall) -> OutgoingCall:
        """As it is told now."""
        now = await self.outgoing.get(placed.call_id)
        assert now is not None
        return now

    async def until(self, placed: OutgoingCall, *states: OutgoingState) -> OutgoingCall:
        """Wait until it has come to one of these."""
        async with asyncio.timeout(_LONGEST):
            while (now := await self.told(placed)).state not in states:  # noqa: ASYNC110 - people ask again too
                await asyncio.sleep(0.002)
        return now

    async def until_over(self, placed: OutgoingCall) -> OutgoingCall:
        """Wait until nothing more will happen to it."""
        async with asyncio.timeout(_LONGEST):
            while (now := await self.told(placed)).ended_at is None:  # noqa: ASYNC110 - people ask again too
                await asyncio.sleep(0.002)
        return now

    def live(self, placed: OutgoingCall) -> Call:
        """The call that it has become."""
        call = self.following.registry.get(placed.call_id)
        assert call is not None
        return call

    def legs(self, number: str = NUMBER) -> list[Channel]:
        """What the switch has of that number."""
        return [leg for leg in self.switch.core.channels.values() if leg.first_destination == number]
