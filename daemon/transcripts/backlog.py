"""What was published and has not reached the spool yet: mostly some milliseconds' worth, bounded when it is more."""

from __future__ import annotations

from copy import copy

import msgspec

from daemon.calls.call import Call
from daemon.transcripts.records import CallRecord, Record, UtteranceRecord, call_row, utterance_row
from daemon.transcripts.utterance import Utterance


class Taken(msgspec.Struct, frozen=True):
    """Some of a backlog, out of it: the last state of each call, and what was said, oldest first."""

    calls: dict[str, tuple[float, Call]]
    said: list[tuple[float, Utterance]]

    def __len__(self) -> int:
        return len(self.calls) + len(self.said)

    def records(self) -> list[Record]:
        """As records, calls before what was said on them."""
        calls = (CallRecord(at, call_row(call)) for at, call in self.calls.values())
        return [*calls, *(UtteranceRecord(at, utterance_row(utterance)) for at, utterance in self.said)]


class Backlog:
    """At most ``bound`` rows in memory; what does not fit is counted in ``lost``.

    Of a call only its last state waits, so that a call that changes often takes one row.
    """

    def __init__(self, bound: int) -> None:
        self.lost = 0
        self._bound = bound
        self._calls: dict[str, tuple[float, Call]] = {}
        self._said: list[tuple[float, Utterance]] = []

    def __len__(self) -> int:
        return len(self._calls) + len(self._said)

    @property
    def is_full(self) -> bool:
        """Whether the next row would be lost."""
        return len(self) >= self._bound

    @property
    def oldest_at(self) -> float | None:
        """Since when the oldest waits, Unix seconds."""
        firsts = (next(iter(self._calls.values()), None), self._said[0] if self._said else None)
        return min((first[0] for first in firsts if first is not None), default=None)

    def note_call(self, at: float, call: Call) -> None:
        """Take in a call as it stands now."""
        if self.is_full and call.call_id not in self._calls:
            self.lost += 1
            return
        # The object is the registry's and changes: keep a likeness of it, which a thread may then make a row of.
        likeness = copy(call)
        likeness.legs = [copy(leg) for leg in call.legs]
        # What changed last is stored last: two ids may turn out to be one call.
        self._calls.pop(call.call_id, None)
        self._calls[call.call_id] = (at, likeness)

    def note_utterance(self, at: float, utterance: Utterance) -> None:
        """Take in a final."""
        if self.is_full:
            self.lost += 1
        else:
            self._said.append((at, utterance))

    def take(self, limit: int | None = None) -> Taken:
        """Take the first ``limit`` rows out, or all."""
        if limit is None or limit >= len(self):
            taken = Taken(self._calls, self._said)
            self._calls, self._said = {}, []
            return taken
        calls = {call_id: self._calls.pop(call_id) for call_id in list(self._calls)[:limit]}
        said = self._said[: limit - len(calls)]
        del self._said[: len(said)]
        return Taken(calls, said)

    def put_back(self, taken: Taken) -> None:
        """What was taken could not be kept elsewhere: it waits again, before what came since."""
        taken_only = {call_id: noted for call_id, noted in taken.calls.items() if call_id not in self._calls}
        self._calls = taken_only | self._calls
        self._said[:0] = taken.said
