"""Parley answering the phone of a simulated switch, and people who call it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from daemon.callapps.asking import exactly
from daemon.callapps.contract import AppCall, Understanding
from daemon.callapps.interventions import Interventions
from daemon.callapps.placements import Placements
from daemon.callapps.room import CallApps
from daemon.calls.call import Call
from daemon.config import CallAppConfig, CallAppsConfig, FallbackConfig, TakeoverConfig
from daemon.demo.call import SimulatedCall
from daemon.demo.switch import SimulatedSwitch
from daemon.secrets import Secrets
from daemon.stores.database import Database
from daemon.switch.legs import ORIGIN
from tests.daemon.callapps.example_apps import Script
from tests.daemon.switch.following import Following

CODE = "order-app"
SCRIPTED = "tests.daemon.callapps.example_apps:scripted"
ANNOUNCEMENT = "잠시만 기다려 주세요"
PERSON = "1001"
MUSIC = "local_stream://moh"
"""It plays until it is broken off."""
DIAL = {"1[0-9]{3}": "user/{number}", "0[0-9]+": "{execute_on_answer=amd}sofia/gateway/trunk/{number}"}

App = Callable[[AppCall], Awaitable[None]]

_LONGEST = 30.0


def apps(*more: CallAppConfig, fallback: FallbackConfig | None = None, **fields: Any) -> CallAppsConfig:
    """A configuration whose app ``order`` does what a test wants, and whose patience is short."""
    order = {name: fields.pop(name) for name in list(fields) if name in CallAppConfig.__struct_fields__}
    usual: dict[str, Any] = {"no_input": 0.2, "end_silence": 0.05, "between_digits": 0.1, "cleanup": 0.2}
    app = CallAppConfig(**{"name": "order", "use": SCRIPTED, "codes": [CODE], **order})
    fallback = fallback or FallbackConfig(announcement=ANNOUNCEMENT, extension=PERSON)
    return CallAppsConfig(**{**usual, **fields}, app=[app, *more], fallback=fallback)


class Phone:
    """One Parley, in as far as it takes calls. ``instance`` tells it from others, and stays over its restarts."""

    def __init__(
        self,
        switch: SimulatedSwitch,
        does: App,
        config: CallAppsConfig | None = None,
        *,
        instance: str = "here",
        supplies: Mapping[type, object] | None = None,
        understand: Understanding = exactly,
        secrets: Secrets | None = None,
    ) -> None:
        self.switch = switch
        self.script = Script(does)
        self.following = Following(switch.port, speak_engine="tts", speak_voice="ko", dial=DIAL)
        self.placements = Placements()
        self.room = CallApps(
            config or apps(),
            {Script: self.script, **(supplies or {})},
            controls={(ORIGIN, "main"): self.following.switch.control},
            hub=self.following.hub,
            registry=self.following.registry,
            transcripts=self.following.transcripts,
            instance=lambda: instance,
            placements=self.placements,
            understand=understand,
            secrets=secrets,
        )

    async def start(self) -> None:
        self.room.begin()
        self.following.start()
        await self.following.ready()

    async def stop(self) -> None:
        """In order."""
        async with asyncio.timeout(_LONGEST):
            await self.room.close(0.0)
        await self.following.stop()

    async def die(self) -> None:
        """As a process that is killed: nothing is said to the switch any more."""
        await self.following.stop()
        for task in list(self.room._tasks):
            task.cancel()
        await self.idle()

    async def idle(self) -> None:
        """Wait until no call has an app or gets the fall-back."""
        async with asyncio.timeout(_LONGEST):
            while self.room._tasks:
                await asyncio.wait(list(self.room._tasks))

    def interventions(self, database: Database, *, patience: float = 20.0, **takeover: list[str]) -> Interventions:
        """What people do to its calls; ``takeover`` are keys of ``[callapps.takeover]``."""
        config = TakeoverConfig(**{"allowed": ["[0-9]{4}"], **takeover})
        return Interventions(self.room, self.following.registry, database, config, clock=time.time, patience=patience)

    async def ring(self, *, code: str = CODE, **who: Any) -> SimulatedCall:
        """Somebody calls and is parked."""
        call = await self.switch.call(code=code, **who)
        await call.park()
        return call

    # What is to be seen of it

    def call(self, call: SimulatedCall) -> Call:
        return self.following.call(call.leg_id)

    def said(self, call: SimulatedCall) -> list[str]:
        """The finals of both sides, in order."""
        return self.following.said(call.leg_id)

    def saying(self, call: SimulatedCall) -> list[str]:
        """What is being said to and by the caller at this moment."""
        known = self.following.registry.call_of(ORIGIN, "main", call.leg_id)
        return [one.text for one in self.following.transcripts.interims(known.call_id)] if known else []

    async def until_saying(self, call: SimulatedCall, text: str) -> None:
        await self.following.until(lambda: text in self.saying(call))

    async def until_said(self, call: SimulatedCall, text: str) -> None:
        await self.following.until(lambda: text in self.said(call))

    async def until_outcome(self, call: SimulatedCall, outcome: str) -> None:
        await self.following.until(lambda: self.call(call).outcome == outcome)


async def ended(call: SimulatedCall) -> str:
    """Wait for the caller's leg to end; its cause."""
    async with asyncio.timeout(_LONGEST):
        await call.ended()
    return call.leg.hangup_cause


async def plays(call: SimulatedCall, path: str) -> None:
    """Wait until that file is played to the caller."""
    changed = asyncio.Event()
    call.leg.core.listen(lambda event: changed.set())
    async with asyncio.timeout(_LONGEST):
        while call.leg.last_app != ("playback", path):
            changed.clear()
            await changed.wait()
