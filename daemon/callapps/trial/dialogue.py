"""Dialogues that are written down: what an app is expected to do, and what its caller does.

A line is one of:

    # a comment; empty lines count for nothing either
    call: caller=01012345678 did=07000001001 code=order-app variable.order=1001
    app: 무엇을 도와드릴까요?                  the app says it; … stands for any words, or none
    app: (transfers to 1001)                 also: (plays PATH) (sends DIGITS) (holds) (resumes) (bridges to LEG)
    app: (rings 1001)                        it rings a person for the caller; what comes of it is said below
    app: (tells WORDS)                       the person hears this announcement
    app: (puts through to 1001)              the person and the caller hear each other
    app: (hangs up)                          (gives up): it leaves its caller to the fall-back
    app: (fails NAME)                        it raises such an error
    caller: 장미 한 다발이요                   the caller says it
    caller: 1#                               digits, * and # alone are keys that the caller presses …
    caller: "1"                              … unless they stand in quotes
    caller: (interrupting) 상담원이요          they do so while the app speaks
    caller: (silence)                        they say nothing for as long as the app waits; so does caller: alone
    caller: (silence 0.5)                    they say nothing for so many seconds, and then go on
    caller: (hangs up)
    caller: (1001 answers)                   of a person who is rung; also: (1001 is busy) (1001 does not answer)
                                             (1001 refuses) (1001 cannot be reached)
    outcome: ordered                         how it went, at the end

call: stands first, if at all. A dialogue is the whole call: it ends when the app has hung up or sent the caller on,
or when the caller hangs up.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Union

import msgspec

from daemon.callapps.contract import Reached
from daemon.callapps.trial.deed import Deed, deed_of
from daemon.callapps.trial.trial import Caller

_KEYS: Final = re.compile(r"[0-9*#]+")
_SILENCE: Final = re.compile(r"\(silence(?: (\d+(?:\.\d+)?))?\)")
_INTERRUPTING: Final = "(interrupting)"
_HANGS_UP: Final = "(hangs up)"
_REACHED: Final[Mapping[str, Reached]] = MappingProxyType(
    {
        "answers": Reached.JOINED,
        "is busy": Reached.BUSY,
        "does not answer": Reached.NO_ANSWER,
        "refuses": Reached.REFUSED,
        "cannot be reached": Reached.FAILED,
    }
)
_REACHES: Final = re.compile(rf"\(([^()\s]+) ({'|'.join(_REACHED)})\)")


class DialogueError(Exception):
    """A line cannot be read; ``line`` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line


class Says(msgspec.Struct, frozen=True):
    """The caller says ``text``."""

    text: str
    interrupting: bool = False


class Presses(msgspec.Struct, frozen=True):
    """The caller presses keys."""

    digits: str
    interrupting: bool = False


class Silence(msgspec.Struct, frozen=True):
    """The caller says nothing, for so many seconds or for as long as the app waits."""

    seconds: float | None = None


class HangsUp(msgspec.Struct, frozen=True):
    """The caller hangs up."""


class Reaches(msgspec.Struct, frozen=True):
    """That comes of ringing ``destination`` for the caller."""

    destination: str
    reached: Reached


class Outcome(msgspec.Struct, frozen=True):
    """How the call went."""

    text: str


CallersDeed = Union[Says, Presses, Silence, HangsUp, Reaches]
Step = Union[CallersDeed, Deed, Outcome]


class Line(msgspec.Struct, frozen=True):
    """One step as it is written, and the number of its line from 1."""

    number: int
    text: str
    step: Step

    @property
    def is_callers(self) -> bool:
        """Whether the app does nothing of it: it is done, and not waited for."""
        return not isinstance(self.step, Deed | Outcome)


class Dialogue(msgspec.Struct, frozen=True):
    """Who calls, and what happens then."""

    caller: Caller
    lines: list[Line]


def read_dialogue(text: str, usual: Caller | None = None) -> Dialogue:
    """The dialogue that is written as ``text``; what it does not say of the caller is as ``usual``.

    Raises :class:`DialogueError`.
    """
    caller = usual or Caller()
    lines: list[Line] = []
    called = False
    for number, row in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        who, colon, rest = row.strip().partition(":")
        try:
            if not colon:
                raise ValueError("it begins neither with app:, caller:, outcome: nor call:")
            if who == "call":
                if lines or called:
                    raise ValueError("who calls is said once, and first")
                caller, called = _caller(rest, caller), True
            else:
                lines.append(Line(number, row.strip(), _step(who, rest.strip())))
        except ValueError as error:
            raise DialogueError(number, str(error)) from None
    return Dialogue(caller, lines)


def _step(who: str, rest: str) -> Step:
    if who == "caller":
        return callers_deed(rest)
    if who == "outcome":
        return Outcome(rest)
    if who != "app":
        raise ValueError(f"nobody is called {who}: there are app:, caller:, outcome: and call:")
    if not rest:
        raise ValueError("it does not say what the app does")
    return deed_of(rest)


def callers_deed(text: str) -> CallersDeed:
    """What the caller does, or the person who is rung for them, as it is written. Raises :class:`ValueError`."""
    text = text.strip()
    found = _SILENCE.fullmatch(text)
    if not text or found is not None:
        return Silence(float(found[1]) if found is not None and found[1] else None)
    if text == _HANGS_UP:
        return HangsUp()
    found = _REACHES.fullmatch(text)
    if found is not None:
        return Reaches(found[1], _REACHED[found[2]])
    interrupting = text.startswith(_INTERRUPTING)
    text = text.removeprefix(_INTERRUPTING).strip()
    if _KEYS.fullmatch(text):
        return Presses(text, interrupting)
    if len(text) > 2 and text[0] == text[-1] == '"':
        return Says(text[1:-1], interrupting)
    if text.startswith("(") or not text:
        ways = f"words, keys, (silence), (silence 0.5), {_INTERRUPTING} …, {_HANGS_UP}, (1001 answers)"
        raise ValueError(f"a caller cannot do {text or 'that'}: there are {ways}")
    return Says(text, interrupting)


def _caller(text: str, caller: Caller) -> Caller:
    """Who calls: ``caller=… did=… code=… variable.NAME=…``, with quotes around blanks."""
    for word in shlex.split(text):
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"{word} is not written as name=value")
        if name.startswith("variable."):
            variables = {**caller.variables, name.removeprefix("variable."): value}
            caller = msgspec.structs.replace(caller, variables=variables)
        elif name in ("did", "code"):
            caller = msgspec.structs.replace(caller, **{name: value})
        elif name == "caller":
            caller = msgspec.structs.replace(caller, number=value)
        else:
            raise ValueError(f"there is no {name}: there are caller, did, code and variable.NAME")
    return caller
