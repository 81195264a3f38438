"""Plays a dialogue with an app, up to the first line where it differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from daemon.callapps.trial.deed import Deed, Kind
from daemon.callapps.trial.dialogue import HangsUp, Line, Outcome, Presses, Reaches, Says, Silence, Step
from daemon.callapps.trying import DifferenceError, Phone


class Difference(msgspec.Struct, frozen=True):
    """``line`` counts from 1; past the last one where the dialogue ends and the call does not."""

    line: int
    expected: str
    got: str


async def play(
    lines: Sequence[Line], phone: Phone, *, told: Callable[[Line], None] = lambda line: None
) -> Difference | None:
    """Do what the caller does and wait for what the app does; ``None``: it went as it is written.

    ``told`` is called with every line that the caller does, as it is done.
    """
    number = 0
    try:
        for line in lines:
            number = line.number
            await _do(line.step, phone)
            if line.is_callers:
                told(line)
        number += 1
        if not any(isinstance(line.step, HangsUp) for line in lines):
            await phone.is_over()
    except DifferenceError as error:
        return Difference(number, error.expected, error.got)
    return None


async def _do(step: Step, phone: Phone) -> None:
    match step:
        case Says(text, interrupting):
            await phone.says(text, interrupting=interrupting)
        case Presses(digits, interrupting):
            await phone.presses(digits, interrupting=interrupting)
        case Silence(seconds):
            await phone.is_silent(seconds)
        case HangsUp():
            await phone.hangs_up()
        case Reaches(destination, reached):
            await phone.reaches(reached, destination)
        case Outcome(text):
            await phone.ends(text)
        case Deed(kind=Kind.SAYS, what=words):
            await phone.hears(words)
        case Deed(kind=Kind.TELLS, what=words):
            await phone.person_hears(words)
        case Deed():
            await phone.does(step)
