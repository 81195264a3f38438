"""What a call of the demo can consist of, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Line:
    """Somebody says something; ``app`` is a program with a synthetic voice."""

    who: Literal["caller", "callee", "app"]
    text: str


@dataclass(frozen=True)
class Prompt:
    """A program plays a recorded file, ``seconds`` long."""

    path: str
    seconds: float


@dataclass(frozen=True)
class Listen:
    """The caller listens until a prompt is over that somebody else plays, and hangs up where none comes."""

    patience: float = 20.0


@dataclass(frozen=True)
class Keys:
    """The caller presses keys."""

    digits: str


@dataclass(frozen=True)
class Pause:
    """Nobody says anything."""

    seconds: float


@dataclass(frozen=True)
class Connect:
    """The caller is put through to ``number`` and somebody there answers."""

    number: str
    rings: float = 3.0


@dataclass(frozen=True)
class Reach:
    """The caller waits until somebody else has put them through and is answered, and hangs up where that fails."""

    patience: float = 20.0


@dataclass(frozen=True)
class Hold:
    """The callee puts the caller on hold for ``seconds``."""

    seconds: float


@dataclass(frozen=True)
class Transfer:
    """The caller is transferred blindly to ``number`` and somebody there answers."""

    number: str


@dataclass(frozen=True)
class Consult:
    """Another person calls in from ``number`` on ``did``, is parked, and is then joined with the caller."""

    number: str
    did: str


@dataclass(frozen=True)
class HangUp:
    """The end. A caller who hangs up before anybody answered gives up: ``ORIGINATOR_CANCEL``."""

    who: Literal["caller", "callee"]
    cause: str = "NORMAL_CLEARING"


Step = Line | Prompt | Listen | Keys | Pause | Connect | Reach | Hold | Transfer | Consult | HangUp


@dataclass(frozen=True)
class Script:
    """One call from its arrival to its end. ``code`` is the app that it is parked for, ``""`` for none.

    ``vendor`` is the speech-to-text module that listens; all but ``brain_stt`` also send interims. ``answered`` says
    that somebody or something answers at all. ``late`` is what is recognised only after the hangup. ``led`` calls are
    left to whoever takes calls of that code: a program beside the switch answers them, speaks and begins to recognise.
    """

    name: str
    did: str
    code: str
    steps: tuple[Step, ...]
    vendor: str = "brain_stt"
    answered: bool = True
    led: bool = False
    late: str = ""
