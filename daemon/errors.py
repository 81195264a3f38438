"""What goes wrong in the process as a whole, and the exit code that says so to a shell and to systemd."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import msgspec


class ExitCode(IntEnum):
    """The exit codes of ``parley``.

    ``CONFIG`` is sysexits' ``EX_CONFIG``: starting again without a change to the configuration cannot help, so the
    service unit does not restart on it.
    """

    OK = 0
    FAILURE = 1
    USAGE = 2
    CONFIG = 78


class Mistake(msgspec.Struct, frozen=True):
    """One thing that is wrong with the configuration.

    ``key`` is written as in TOML, with an index into arrays (``switch[1].port``), ``""`` for the file as a whole.
    ``line`` counts from 1 and is ``None`` where no line can be named (a missing secret). ``remedy`` says what to do.
    """

    key: str
    line: int | None
    problem: str
    remedy: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        key = f"{self.key}: " if self.key else ""
        return f"{where}{key}{self.problem}; {self.remedy}"


class ConfigError(Exception):
    """The configuration cannot be used. ``mistakes`` are all that were found, in the order of the file."""

    def __init__(self, path: str, mistakes: Sequence[Mistake]) -> None:
        super().__init__(f"{path}: {len(mistakes)} mistake{'s' if len(mistakes) != 1 else ''}")
        self.path = path
        self.mistakes = list(mistakes)


class OperatorError(Exception):
    """Something the person at the command line must see to. Its text is shown as it is, without a traceback."""
