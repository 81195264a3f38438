"""Calling off a leg that was placed: it may ring, stand answered, or not be there yet."""

from __future__ import annotations

import asyncio
from typing import Final

from daemon.calls.control import CallControl, Certainty, Outcome

_TRY_AGAIN: Final = 0.25
"""Seconds until a leg that could not be hung up is hung up again."""


async def call_off(
    control: CallControl, leg_id: str, dialling: asyncio.Future[Outcome], cause: str = "ORIGINATOR_CANCEL"
) -> None:
    """Hang up ``leg_id``, which ``dialling`` places or has placed; returns when it is certain that it is gone.

    The switch may be told before it has made the leg, and then makes it all the same: it is told again until the
    placing has ended. A link that is away comes back.
    """
    while True:
        was_over = dialling.done()
        if was_over and _placed_nothing(dialling):
            return
        outcome = await control.hang_up(leg_id, cause)
        if was_over and outcome.certainty is Certainty.ANSWERED:
            return
        if dialling.done():
            await asyncio.sleep(0.0 if outcome.certainty is Certainty.ANSWERED else _TRY_AGAIN)
        else:
            await asyncio.wait({dialling}, timeout=_TRY_AGAIN)


def _placed_nothing(dialling: asyncio.Future[Outcome]) -> bool:
    if dialling.cancelled():
        return False
    if dialling.exception() is not None:  # it is refused before a byte is written
        return True
    outcome = dialling.result()
    return not outcome.ok and outcome.certainty is not Certainty.UNKNOWN
