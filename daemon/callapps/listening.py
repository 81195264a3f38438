"""When the caller has answered: speech that ends in silence, digits that end, or nothing in time."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from daemon.callapps.contract import Collected, Collecting, Heard, Listening
from daemon.callapps.ear import Ear


class Patience(msgspec.Struct, frozen=True):
    """Seconds: how long the caller may take to begin, be silent within an answer, go on, and take between digits."""

    no_input: float
    end_silence: float
    too_long: float
    between_digits: float


async def listen(ear: Ear, patience: Patience) -> Heard:
    """What the caller says or presses next, with what was kept while a prompt was said. The ear forgets it then.

    Utterances are joined until nothing more is said for ``end_silence``. A key ends speech.
    """
    ear.attend()
    clock = ear.clock.time
    begun = clock()
    try:
        while not ear.digits:
            until, ended = _patience_ends(ear, patience, begun)
            if clock() >= until:
                if ended is Listening.NO_INPUT:
                    return Heard(ended, sound=ear.spoke_at is not None)
                return Heard(ended, " ".join([*ear.texts, *ear.hypotheses]))
            await ear.change(until)
        await _digits(ear, lambda digits: False, patience.between_digits)
        return Heard(Listening.DIGITS, digits=ear.digits)
    finally:
        ear.neglect()


def _patience_ends(ear: Ear, patience: Patience, begun: float) -> tuple[float, Listening]:
    """When listening ends if nothing more happens, and how it has ended then."""
    begun = max(begun, ear.excused_until)
    if ear.spoke_at is None:
        return begun + patience.no_input, Listening.NO_INPUT
    too_long = max(begun, ear.spoke_at) + patience.too_long
    if ear.is_speaking:
        return too_long, Listening.TOO_LONG
    if ear.heard_at is None or not ear.texts:
        # It came to nothing: a cough, a door.
        return begun + patience.no_input, Listening.NO_INPUT
    silence = ear.heard_at + patience.end_silence
    return (silence, Listening.SPEECH) if silence <= too_long else (too_long, Listening.TOO_LONG)


async def collect(ear: Ear, *, count: int | None, terminator: str, no_input: float, between: float) -> Collected:
    """The digits that the caller presses next; speech is not listened to."""
    ear.attend()
    clock = ear.clock.time
    begun = clock()

    def complete(digits: str) -> bool:
        return (count is not None and len(digits) >= count) or any(digit in terminator for digit in digits)

    try:
        while not ear.digits:
            until = max(begun, ear.excused_until) + no_input
            if clock() >= until:
                return Collected(Collecting.NO_INPUT)
            await ear.change(until)
        await _digits(ear, complete, between)
        for number, digit in enumerate(ear.digits):
            if digit in terminator:
                return Collected(Collecting.TERMINATOR, ear.digits[:number])
            if count is not None and number + 1 >= count:
                return Collected(Collecting.COUNT, ear.digits[:count])
        return Collected(Collecting.PAUSE, ear.digits)
    finally:
        ear.neglect()


async def _digits(ear: Ear, complete: Callable[[str], bool], between: float) -> None:
    """Wait for more digits, until they are complete or none comes for that long."""
    clock = ear.clock.time
    while not complete(ear.digits):
        until = (ear.heard_at or clock()) + between
        if clock() >= until:
            return
        await ear.change(until)
