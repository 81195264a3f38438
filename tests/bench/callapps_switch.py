"""The switch's side of the call apps' benchmark: the simulated switch, and people who call it at a steady pace.

    python -m tests.bench.callapps_switch CALLS AT_ONCE PER_SECOND

It prints its port. A line on its standard input lets people call: so many a second, each for so long that so many are
there at once. Each is asked something, replies once, hears one thing more and is hung up. When all have, it prints the
99th percentile of the milliseconds from a reply's recognition, as it is put on the wire, to the command that follows
it, as it is carried out, and how many calls were there at the same time at most.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import time
from typing import Final

import uvloop

from daemon.demo.event import Event
from daemon.demo.switch import SimulatedSwitch
from tests.bench.switch_stand_in import PASSWORD

CODE: Final = "bench"
REPLY: Final = "주문이요"
_SPEAKS_AFTER: Final = 0.8
"""How much of a call has passed when its caller replies."""


class Callers:
    """``calls`` in all, ``per_second``, each of them ``lasting`` seconds or a little more."""

    def __init__(self, switch: SimulatedSwitch, calls: int, per_second: float, lasting: float) -> None:
        self.delays: list[float] = []
        self.most = 0
        self._switch = switch
        self._calls = calls
        self._per_second = per_second
        self._lasting = lasting
        self._there = 0
        self._replied: dict[str, float] = {}  # by leg
        switch.core.listen(self._executed)

    async def run(self) -> None:
        """Let all of them call; returns when the last has been hung up."""
        began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for number in range(self._calls):
                at = began + number / self._per_second
                await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
                group.create_task(self._call(number, at + self._lasting * _SPEAKS_AFTER))
        if len(self.delays) != self._calls:
            raise AssertionError(f"of {self._calls} replies {len(self.delays)} were answered")

    async def _call(self, number: int, speaks_at: float) -> None:
        call = await self._switch.call(caller=f"0101234{number % 10_000:04d}", did="07000001001", code=CODE)
        self._there += 1
        self.most = max(self.most, self._there)
        await call.park()
        while not call.leg.prompts:
            call.leg.prompted.clear()
            await call.leg.prompted.wait()
        await asyncio.sleep(max(0.0, speaks_at - asyncio.get_running_loop().time()))
        self._replied[call.leg_id] = time.perf_counter()
        await call.say(REPLY)
        await call.ended()
        self._there -= 1
        if call.leg.hangup_cause != "NORMAL_CLEARING" or call.leg.prompts != 2:
            raise AssertionError(f"a call ended with {call.leg.hangup_cause} after {call.leg.prompts} prompts")

    def _executed(self, event: Event) -> None:
        if event.name == "CHANNEL_EXECUTE":
            replied = self._replied.pop(event.text("Unique-ID"), None)
            if replied is not None:
                self.delays.append(time.perf_counter() - replied)


async def _serve(calls: int, at_once: int, per_second: float) -> None:
    switch = SimulatedSwitch(password=PASSWORD)
    await switch.start()
    print(switch.port, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    gc.disable()  # its pauses are not what is measured
    callers = Callers(switch, calls, per_second, at_once / per_second)
    await callers.run()
    print(statistics.quantiles(callers.delays, n=100)[98] * 1e3, callers.most, flush=True)
    await asyncio.to_thread(sys.stdin.readline)  # until nobody wants it any more
    await switch.stop()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
