"""The marks that Parley leaves on legs, for a later process of the same Parley to find after a restart."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec


class Stage(StrEnum):
    """What was going on with the leg."""

    LED = ""
    """An app led it."""
    PLACED = "placed"
    """It was placed into an app, which had not begun."""
    JOINING = "joining"
    """It was placed to a person to whom an app transfers a caller, and stands for nobody by itself."""


_STAGES: Final = frozenset(stage.value for stage in Stage)


class LeftMark(msgspec.Struct, frozen=True):
    """A mark of an earlier process: ``app`` is the name of the app that it had to do with."""

    app: str
    stage: Stage


class Marks:
    """The marks of one Parley. ``instance`` tells it from others, over its restarts, and holds no dot."""

    def __init__(self, instance: str) -> None:
        self._end = f".{instance}"

    def of(self, app: str, stage: Stage = Stage.LED) -> str:
        """The mark of a leg."""
        return f"{app}.{stage}{self._end}" if stage else f"{app}{self._end}"

    def read(self, mark: str) -> LeftMark | None:
        """What that mark says; ``None`` where it is none, or another Parley's."""
        if not mark.endswith(self._end):
            return None
        app, _, stage = mark.removesuffix(self._end).partition(".")
        return LeftMark(app, Stage(stage)) if stage in _STAGES else None
