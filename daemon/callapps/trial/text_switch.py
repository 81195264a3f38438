"""A switch that has one call: what is done to its leg is told in text, and is seen by Parley as on any other switch.

The phone of a person who is rung for the caller is no leg that Parley follows: nothing is known of it but what came of
ringing it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from uuid_utils import uuid7

from daemon.callapps.contract import Reached
from daemon.callapps.trial.clock import CallersClock
from daemon.callapps.trial.deed import Deed, Kind
from daemon.callapps.trial.ringing import Ringing
from daemon.calls.control import CallControl, Certainty, Outcome
from daemon.calls.events import (
    AppFellSilent,
    AppSpoke,
    CallEvent,
    DigitPressed,
    Direction,
    LegAnswered,
    LegAppeared,
    LegEnded,
    LegHeld,
    LegParked,
    LegUnparked,
    SpeechRecognised,
)
from daemon.calls.pace import speaking_time
from protocols.stt.result import RecognitionResult

ORIGIN: Final = "trial"
SERVER: Final = "text"
LEG: Final = "caller"
_RECOGNISER: Final = "text"
_FILE_SECONDS: Final = 2.0
"""How long a file plays of which nobody knows the words."""
_DONE: Final = Outcome(Certainty.ANSWERED, True, "+OK")


class TextSwitch(CallControl):
    """``apply`` takes in what happens on the call, ``tell`` what the app does. Time passes by ``clock`` alone."""

    def __init__(self, clock: CallersClock, apply: Callable[[CallEvent], None], tell: Callable[[Deed], None]) -> None:
        self._clock = clock
        self._apply = apply
        self._tell = tell
        self._silenced = asyncio.Event()
        self.sounds_until: float | None = None
        """When what sounds now is over; ``None`` where nothing does."""
        self.is_over = False
        """The caller has hung up, was hung up, or is elsewhere."""
        self._ringing: Ringing | None = None

    # What the caller does

    def ring(self, *, caller: str, did: str, code: str) -> None:
        """The caller calls, and is parked."""
        now = self._clock.time()
        self._apply(
            LegAppeared(
                origin=ORIGIN,
                server=SERVER,
                leg_id=LEG,
                at=now,
                call_key=LEG,
                direction=Direction.INBOUND,
                caller=caller,
                callee=did,
                did=did,
                code=code,
                created_at=now,
            )
        )
        self._apply(LegParked(origin=ORIGIN, server=SERVER, leg_id=LEG, at=now, code=code))

    def hear(self, text: str) -> None:
        """The caller said something, and a recogniser understood it."""
        result = RecognitionResult(final=True, text=text)
        self._apply(
            SpeechRecognised(
                origin=ORIGIN, server=SERVER, leg_id=LEG, at=self._clock.time(), result=result, vendor=_RECOGNISER
            )
        )

    def press(self, digit: str) -> None:
        """The caller pressed a key."""
        self._apply(DigitPressed(origin=ORIGIN, server=SERVER, leg_id=LEG, at=self._clock.time(), digit=digit))

    def end(self, cause: str = "NORMAL_CLEARING") -> None:
        """The leg ends."""
        self.is_over = True
        self._silenced.set()
        self._apply(LegEnded(origin=ORIGIN, server=SERVER, leg_id=LEG, at=self._clock.time(), cause=cause))

    # What the person does who is rung

    @property
    def rings(self) -> str | None:
        """Who is rung, as long as nothing has come of it."""
        return self._ringing.number if self._ringing is not None and not self._ringing.is_over else None

    def reach(self, reached: Reached) -> None:
        """That comes of ringing them; where they do not answer, only once they were rung for as long as they may be."""
        if self._ringing is not None:
            self._ringing.end(reached)

    # What the app does

    async def answer(self, leg_id: str) -> Outcome:
        self._apply(LegAnswered(origin=ORIGIN, server=SERVER, leg_id=LEG, at=self._clock.time()))
        return self._did(Deed(Kind.ANSWERS))

    async def exists(self, leg_id: str) -> Outcome:
        return _DONE if not self.is_over else Outcome(Certainty.ANSWERED, False, "the leg is gone")

    async def mark(self, leg_id: str, mark: str) -> Outcome:
        return _DONE

    async def start_recogniser(self, leg_id: str, vendor: str) -> Outcome:
        return _DONE

    async def stop_recogniser(self, leg_id: str, vendor: str) -> Outcome:
        return _DONE

    async def play(self, leg_id: str, path: str, *, words: str = "") -> Outcome:
        if leg_id != LEG:
            return self._did(Deed(Kind.TELLS, words))
        return await self._sound(Deed(Kind.PLAYS, path, words), words, speaking_time(words) or _FILE_SECONDS)

    async def speak(self, leg_id: str, text: str) -> Outcome:
        if leg_id != LEG:
            return self._did(Deed(Kind.TELLS, text))  # who is rung hears it at once
        return await self._sound(Deed(Kind.SAYS, text), text, speaking_time(text))

    async def stop(self, leg_id: str) -> Outcome:
        if leg_id == LEG:
            self._silenced.set()
        return _DONE

    async def record(self, leg_id: str, path: str) -> Outcome:
        return self._did(Deed(Kind.RECORDS, path))

    async def stop_recording(self, leg_id: str) -> Outcome:
        return _DONE

    async def send_dtmf(self, leg_id: str, digits: str) -> Outcome:
        return self._did(Deed(Kind.SENDS, digits))

    def dials(self, number: str) -> bool:
        return True

    async def originate(self, number: str, *, leg_id: str, caller: str, ring_time: float, mark: str = "") -> Outcome:
        self._ringing = Ringing(leg_id, number, self._clock, ring_time)
        self._tell(Deed(Kind.RINGS, number))
        return await self._ringing.outcome()

    async def hold(self, leg_id: str, on: bool) -> Outcome:
        self._apply(LegHeld(origin=ORIGIN, server=SERVER, leg_id=LEG, at=self._clock.time(), held=on))
        return self._did(Deed(Kind.HOLDS if on else Kind.RESUMES))

    async def bridge(self, leg_id: str, other_leg_id: str) -> Outcome:
        ringing = self._ringing
        if ringing is not None and ringing.leg_id == other_leg_id:
            return self._leave(Deed(Kind.PUTS_THROUGH, ringing.number), ringing.number)
        return self._leave(Deed(Kind.BRIDGES, other_leg_id))

    async def transfer(self, leg_id: str, destination: str) -> Outcome:
        return self._leave(Deed(Kind.TRANSFERS, destination), destination)

    async def hang_up(self, leg_id: str, cause: str = "NORMAL_CLEARING") -> Outcome:
        if leg_id != LEG:
            self.reach(Reached.FAILED)
            return _DONE
        if not self.is_over:
            self._did(Deed(Kind.HANGS_UP))
            self.end(cause)
        return _DONE

    def _did(self, deed: Deed) -> Outcome:
        self._tell(deed)
        return _DONE

    def _leave(self, deed: Deed, callee: str = "") -> Outcome:
        self.is_over = True
        self._silenced.set()
        self._apply(LegUnparked(origin=ORIGIN, server=SERVER, leg_id=LEG, at=self._clock.time(), callee=callee))
        return self._did(deed)

    async def _sound(self, deed: Deed, text: str, seconds: float) -> Outcome:
        self._silenced.clear()
        if self.is_over:
            return Outcome(Certainty.ANSWERED, False, "the leg is gone")
        said_id = str(uuid7())
        now = self._clock.time()
        if text:
            vendor = "speak" if deed.kind is Kind.SAYS else "playback"
            self._apply(
                AppSpoke(origin=ORIGIN, server=SERVER, leg_id=LEG, at=now, text=text, vendor=vendor, said_id=said_id)
            )
        self.sounds_until = now + seconds
        self._tell(deed)
        try:
            await self._clock.wait(self._silenced, self.sounds_until)
        finally:
            self.sounds_until = None
            cut = self._silenced.is_set()
            self._apply(
                AppFellSilent(
                    origin=ORIGIN, server=SERVER, leg_id=LEG, at=self._clock.time(), said_id=said_id, broken_off=cut
                )
            )
        return _DONE
