"""A call on the simulated switch, as the people on it (or a test) drive it."""

from __future__ import annotations

import asyncio
from typing import Literal

from daemon.demo.applications import SOUND_SECONDS, speaking_time
from daemon.demo.channel import Channel
from daemon.demo.exchange import Destination, Exchange
from daemon.demo.speech import recognised

Side = Literal["caller", "callee"]


class SimulatedCall:
    """``leg`` is the caller's channel, ``callee_leg`` that of whoever is bridged to it. Both stay after the end.

    Everything fires its events before it returns; what takes time on a real switch takes it here, divided by the
    switch's ``speed``. On a call that has ended nothing happens, but for :meth:`say`: speech may be recognised late.
    """

    def __init__(self, exchange: Exchange, leg: Channel) -> None:
        self.exchange = exchange
        self.leg = leg
        self.callee_leg: Channel | None = None

    @property
    def leg_id(self) -> str:
        """The caller's ``Unique-ID``."""
        return self.leg.uuid

    @property
    def alive(self) -> bool:
        """Whether the caller is still there."""
        return self.leg.alive

    async def answer(self) -> None:
        """Somebody or something answers the caller."""
        self.leg.answer()

    async def park(self) -> None:
        """The dialplan parks the caller."""
        self.exchange.park(self.leg)

    async def speak(self, text: str, *, engine: str = "tts", voice: str = "ko", seconds: float | None = None) -> None:
        """A program says ``text`` to the caller with a synthetic voice; returns when it has been said."""
        await self.leg.thread.run("speak", f"{engine}|{voice}|{text}", seconds=seconds, loops=1)

    async def play(self, path: str, *, seconds: float = SOUND_SECONDS) -> None:
        """A program plays a recorded prompt to the caller; returns when it has ended."""
        await self.leg.thread.run("playback", path, seconds=seconds, loops=1)

    async def listen(self, *, vendor: str = "brain_stt", side: Side = "caller") -> None:
        """Speech-to-text begins on a leg: MEDIA_BUG_START."""
        self.side(side).add_bug(vendor)

    async def say(
        self,
        text: str,
        *,
        start: float | None = None,
        end: float | None = None,
        interim: bool = False,
        side: Side = "caller",
        vendor: str = "brain_stt",
        confidence: float = 0.9,
    ) -> None:
        """Somebody said ``text``: fire what the recogniser of ``vendor`` made of it.

        ``start`` and ``end`` are seconds of the recogniser's audio. Without them the speech ends now and took as long
        as ``text`` takes; the recogniser's audio began at :meth:`listen`, else when the leg was answered or created.
        """
        leg = self.side(side)
        now = leg.core.clock()
        zero = leg.recognisers.get(vendor) or leg.times.answered or leg.times.created
        until = now - zero if end is None else end
        since = max(0.0, until - speaking_time(text) / leg.core.speed) if start is None else start
        recognised(leg, text, start=since, end=until, vendor=vendor, final=not interim, confidence=confidence)

    async def stop_listening(self, *, vendor: str = "brain_stt", side: Side = "caller") -> None:
        """Speech-to-text ends on a leg: MEDIA_BUG_STOP."""
        self.side(side).remove_bug(vendor)

    async def bridge(self, callee: str, *, rings: float = 2.0, name: str = "Outbound Call") -> bool:
        """The dialplan calls ``callee`` and bridges it; true when it answered. A parked caller is taken out first."""
        self.leg.thread.leave()
        if not self.leg.alive:
            return False
        self.exchange.destinations[callee] = Destination(rings=rings, name=name)
        self.callee_leg = await self.exchange.bridge_out(self.leg, f"sofia/external/{callee}@127.0.0.1")
        return self.callee_leg is not None

    async def merge(self, other: SimulatedCall) -> None:
        """``uuid_bridge``: this call's caller and the other call's caller hear each other."""
        if self.alive and other.alive:
            self.exchange.join(self.leg, other.leg, by_command=True)
            self.callee_leg = other.leg

    async def transfer(self, destination: str) -> None:
        """The caller is transferred blindly; returns when the destination's dialplan has parked, joined or ended it."""
        if self.alive:
            routing = self.exchange.transfer(self.leg, destination)
            if routing is not None:
                await asyncio.wait([routing])
            self.callee_leg = self.leg.bridged or self.callee_leg

    async def hold(self, on: bool = True, *, side: Side = "caller") -> None:
        """One side puts the other on hold, or takes it off."""
        if self.side(side).alive:
            self.side(side).hold(on)

    async def dtmf(self, digits: str) -> None:
        """The caller presses keys."""
        for digit in digits:
            if self.alive:
                self.leg.press(digit)

    async def hang_up(self, cause: str = "NORMAL_CLEARING", *, side: Side = "caller") -> None:
        """One side hangs up; returns when the leg is gone. A caller who gives up: ``ORIGINATOR_CANCEL``."""
        leg = self.side(side)
        leg.thread.hang_up(cause, by_far_end=True)
        await leg.gone.wait()

    async def ended(self) -> None:
        """Wait until the caller's leg is gone."""
        await self.leg.gone.wait()

    def side(self, side: Side) -> Channel:
        """The leg of one side."""
        if side == "caller":
            return self.leg
        leg = self.leg.bridged or self.callee_leg
        if leg is None:
            raise ValueError("nobody has been called on this call yet")
        return leg
