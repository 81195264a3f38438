"""Moments of a call, by what the simulated switch has fired until then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from daemon.demo.event import Event
from daemon.demo.switch import SimulatedSwitch


def do_after(switch: SimulatedSwitch, events: int, turns: int, do: Callable[[], object]) -> None:
    """Call ``do`` so many turns of the loop after the switch has fired its so-manieth event from now on."""
    fired = 0

    def count(event: Event) -> None:
        nonlocal fired
        fired += 1
        if fired == events:
            later(turns)

    def later(left: int) -> None:
        if left:
            asyncio.get_running_loop().call_soon(later, left - 1)
        else:
            do()

    switch.core.listen(count)
