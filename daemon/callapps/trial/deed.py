"""What an app does that can be told of in text, as people write it and as it is compared."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import msgspec

from daemon.callapps.voice import one_line

ANYTHING: Final = "…"
"""In words that are expected: any words at all, or none."""


class Kind(StrEnum):
    """What an app can do. The values are the stage directions by which it is written."""

    SAYS = "says"
    PLAYS = "plays"
    ANSWERS = "answers"
    SENDS = "sends"
    RECORDS = "records"
    HOLDS = "holds"
    RESUMES = "resumes"
    BRIDGES = "bridges to"
    TRANSFERS = "transfers to"
    RINGS = "rings"
    TELLS = "tells"
    PUTS_THROUGH = "puts through to"
    HANGS_UP = "hangs up"
    GIVES_UP = "gives up"
    FAILS = "fails"


ALONE: Final = frozenset({Kind.ANSWERS, Kind.HOLDS, Kind.RESUMES, Kind.GIVES_UP, Kind.HANGS_UP})
"""Those that are written without anything behind them."""
LAST: Final = frozenset({Kind.BRIDGES, Kind.TRANSFERS, Kind.PUTS_THROUGH, Kind.HANGS_UP})
"""After these the app has nothing more to say."""
UNHEARD: Final = frozenset({Kind.ANSWERS, Kind.RECORDS})
"""The caller notices nothing of them, so a dialogue does not tell them."""


class Deed(msgspec.Struct, frozen=True):
    """``what`` are the words, the path, the digits, the leg, the destination or the kind of error; else ``""``.

    ``words`` are what is said in a file that is played. :attr:`Kind.TELLS` is what a person hears who is rung for the
    caller.
    """

    kind: Kind
    what: str = ""
    words: str = ""

    def __str__(self) -> str:
        """As it stands in a dialogue: words as they are, all else in brackets."""
        if self.kind is Kind.SAYS or self.words:
            return self.words or self.what
        return f"({self.kind} {self.what})" if self.what else f"({self.kind})"


_DIRECTION: Final = re.compile(rf"\(({'|'.join(kind for kind in Kind if kind is not Kind.SAYS)})(?: (\S.*))?\)")


def deed_of(text: str) -> Deed:
    """The deed that is written as ``text``. Raises :class:`ValueError` for a stage direction that there is not."""
    if not (text.startswith("(") and text.endswith(")")):
        return Deed(Kind.SAYS, text)
    found = _DIRECTION.fullmatch(text)
    if found is None or (Kind(found[1]) in ALONE and found[2]):
        directions = ", ".join(f"({kind}{'' if kind in ALONE else ' …'})" for kind in Kind if kind not in UNHEARD)
        raise ValueError(f"an app cannot do {text}: there are words alone, and {directions}")
    if found[2] is None and Kind(found[1]) not in ALONE:
        raise ValueError(f"{text} does not say what; write {ANYTHING} for anything")
    return Deed(Kind(found[1]), found[2] or "")


def fits(expected: str, got: str) -> bool:
    """Whether these are the expected words, but for blanks and what :data:`ANYTHING` stands for."""
    parts = [re.escape(one_line(part)) for part in expected.split(ANYTHING)]
    return re.fullmatch(r"\s*.*\s*".join(parts), one_line(got), re.DOTALL) is not None


def may_begin(expected: str, got: str) -> bool:
    """Whether words that begin with ``got`` could be the expected ones."""
    head, anything, _ = expected.partition(ANYTHING)
    head, got = one_line(head), one_line(got)
    return head.startswith(f"{got} ") or bool(anything and got.startswith(head))
