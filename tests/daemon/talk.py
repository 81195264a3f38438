"""People who talk on calls of the simulated switch, and a record of what they said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from daemon.demo.call import SimulatedCall
from daemon.demo.switch import SimulatedSwitch


class Talk:
    """Callers who say things, no two of which are the same.

    ``said`` holds the texts of each call in order, by the caller's leg; a text stands in it before the switch sends it.
    """

    def __init__(self, switch: SimulatedSwitch, calls: Iterable[SimulatedCall] = ()) -> None:
        self.said: dict[str, list[str]] = {}
        self._switch = switch
        self._calls: list[SimulatedCall] = []
        for call in calls:
            self.join(call)

    def join(self, call: SimulatedCall) -> None:
        """One more takes part."""
        self._calls.append(call)
        self.said[call.leg_id] = []

    async def say(self, call: SimulatedCall) -> str:
        """One more text on a call; returns it."""
        said = self.said[call.leg_id]
        # All as long as each other: then the order in which they begin is that in which they end.
        text = f"발화 {self._calls.index(call)}-{len(said) + 1:05}"
        said.append(text)
        await call.say(text)
        return text

    async def say_all(self, times: int = 1) -> set[str]:
        """Everybody says so many more texts, in turns; returns them."""
        return {await self.say(call) for _ in range(times) for call in self._calls}

    @asynccontextmanager
    async def going_on(self, pace: float = 0.005) -> AsyncIterator[None]:
        """Everybody speaks, ``pace`` seconds apart, until it is left."""
        talking = asyncio.create_task(self._go_on(pace))
        try:
            yield
        finally:
            talking.cancel()
            await asyncio.wait({talking})
            if not talking.cancelled():
                talking.result()

    async def _go_on(self, pace: float) -> None:
        while True:
            await self.say_all()
            await self._switch.flushed()
            await asyncio.sleep(pace)  # the pace at which people speak
