"""Why an app leads its call no more."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from daemon.calls.call import AppState


class Ending(StrEnum):
    """Why an app leads its call no more."""

    RETURNED = "returned"
    HUNG_UP = "hung_up"
    """The caller did, or the switch."""
    HANDED_ON = "handed_on"
    """The app itself hung up or sent the caller on."""
    TAKEN_OVER = "taken_over"
    """Somebody else sent the caller elsewhere."""
    CUT_OFF = "cut_off"
    """Somebody hung the call up from here."""
    GIVEN_UP = "given_up"
    """The app itself left the caller to the fall-back."""
    FAILED = "failed"
    """The app raised."""
    LATE = "late"
    """It took longer than its deadline."""
    STOPPED = "stopped"
    """Parley stops."""
    LOST = "lost"
    """An earlier process led the call, and ended."""
    REFUSED = "refused"
    """There were too many calls, or Parley is stopping."""


UNATTENDED: Final = frozenset(
    {Ending.GIVEN_UP, Ending.FAILED, Ending.LATE, Ending.STOPPED, Ending.LOST, Ending.REFUSED}
)
"""After these the caller is still there, and nobody's."""

_KNOWN: Final = frozenset(Ending)
_HANDED_OVER: Final = frozenset({Ending.HANDED_ON, Ending.TAKEN_OVER})


def state_after(ending: str) -> AppState | None:
    """The state of an app that ended so, by the value of an :class:`Ending`; ``None`` for none that is known."""
    if ending not in _KNOWN:
        return None
    if ending in UNATTENDED:
        return AppState.FALLEN_BACK
    return AppState.HANDED_OVER if ending in _HANDED_OVER else AppState.ENDED
