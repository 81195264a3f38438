"""What Parley says itself: shown while it is said, and kept when it is over, with a mark where it was broken off."""

from __future__ import annotations

import msgspec
from uuid_utils import uuid7

from daemon.calls.call import Call
from daemon.calls.events import AppSpoke
from daemon.calls.pace import split_at
from daemon.calls.registry import LegKey
from daemon.transcripts.utterance import Speaker, Utterance


def said_by_app(event: AppSpoke, call: Call, *, seq: int) -> Utterance:
    """What a program says on ``call``; an interim where ``seq`` is 0."""
    return Utterance(
        call_id=call.call_id,
        utterance_id=str(uuid7()),
        seq=seq,
        leg_id=event.leg_id,
        speaker=Speaker.APP,
        text=event.text,
        start=None,
        end=None,
        said_at=event.at,
        final=seq > 0,
        confidence=None,
        vendor=event.vendor,
    )


def broken_off(text: str, seconds: float) -> str:
    """``text`` that was broken off after so many seconds: what was heard of it, a dash, and the rest in brackets.

    Where it breaks is an estimate (:mod:`daemon.calls.pace`); what was heard to its end is left as it is.
    """
    heard, rest = split_at(text, seconds)
    return f"{heard} — [{rest}]".lstrip() if rest else text


class Sayings:
    """What is being said to each leg at this moment, one utterance at most, by its ``said_id``."""

    def __init__(self) -> None:
        self._open: dict[LegKey, tuple[str, Utterance]] = {}

    def of(self, key: LegKey) -> Utterance | None:
        """What is being said to that leg."""
        return self._open[key][1] if key in self._open else None

    def begin(self, key: LegKey, said_id: str, saying: Utterance) -> None:
        """From now on ``saying`` is said to that leg."""
        self._open[key] = (said_id, saying)

    def end(self, key: LegKey, at: float, *, said_id: str = "", cut: bool = False) -> Utterance | None:
        """It is over: what was said, not final yet; ``None`` where it is not what is said now.

        ``said_id`` names it, ``""`` for whatever it is. ``cut``: it was broken off.
        """
        if key not in self._open or said_id not in ("", self._open[key][0]):
            return None
        _, said = self._open.pop(key)
        return msgspec.structs.replace(said, text=broken_off(said.text, at - said.said_at)) if cut else said

    def rekey(self, old_call_id: str, call_id: str) -> None:
        """A call has another id now."""
        for key, (said_id, saying) in self._open.items():
            if saying.call_id == old_call_id:
                self._open[key] = (said_id, msgspec.structs.replace(saying, call_id=call_id))

    def forget(self, key: LegKey) -> None:
        """That leg leaves memory."""
        self._open.pop(key, None)
