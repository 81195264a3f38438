"""Whether Parley is well, gathered from its rooms.

``/health``, metrics, systemd's STATUS line and the console all read the same report.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec


class Condition(StrEnum):
    """``DEGRADED``: a peer is away and Parley works on. ``DOWN``: Parley cannot do what it accepts work for."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class Part(msgspec.Struct, frozen=True, gc=False):
    """One room's condition. ``detail`` is for an operator, without secrets; ``numbers`` are figures worth graphing."""

    condition: Condition
    detail: str = ""
    numbers: dict[str, float] = {}


class Report(msgspec.Struct, frozen=True, gc=False):
    """All parts by name; the worst of them is the whole's condition."""

    condition: Condition
    parts: dict[str, Part]


class Health:
    """Asks every room's check when somebody wants to know. Checks are plain functions and must not wait."""

    def __init__(self) -> None:
        self._checks: dict[str, Callable[[], Part]] = {}

    def add(self, name: str, check: Callable[[], Part]) -> None:
        """Ask ``check`` for the part ``name`` from now on; a name that is there already is replaced."""
        self._checks[name] = check

    def report(self) -> Report:
        """Ask everyone now."""
        parts = {name: check() for name, check in self._checks.items()}
        conditions = {part.condition for part in parts.values()}
        for condition in (Condition.DOWN, Condition.DEGRADED):
            if condition in conditions:
                return Report(condition, parts)
        return Report(Condition.OK, parts)
