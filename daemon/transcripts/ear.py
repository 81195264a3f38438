"""One recogniser on one side of a leg: where its time began, and the stretch it is in the middle of."""

from __future__ import annotations

import msgspec

from daemon.calls.call import Leg
from daemon.transcripts.utterance import Utterance
from protocols.stt.result import RecognitionResult

_LATE_INTERIM = 1.0
"""Seconds in which an interim is of what came before: it repeats the final just heard, or the recogniser stopped."""

_AHEAD = 1.0
"""Seconds by which speech may seem to end after it was heard: clocks go in steps."""

_LATE = 10.0
"""Seconds by which a result may come late. What seems to come later counts from another zero, if it goes back."""

_LATE_FINAL = 5.0
"""Seconds in which a final without times is still that of the stretch that was interrupted."""

_LONGEST_SILENCE = 60.0
"""Seconds without a result after which a stretch, or speech that was only noticed, has come to nothing."""


class Ear(msgspec.Struct, gc=False):
    """What is remembered of it. All times are Unix seconds, but ``final_end``, which counts from ``zero``."""

    zero: float | None = None
    """The recogniser's 0.0 s, where it is known."""
    earlier_zero: float | None = None
    """The zero before it was started again: its last results may come after that."""
    stopped_at: float | None = None
    """When it was last said to have stopped, since ``zero``."""
    vendor: str = ""
    began_at: float | None = None
    """When the recogniser noticed speech that it has no words for yet."""
    open: Utterance | None = None
    heard_at: float = 0.0
    """When the open stretch, or the speech that was noticed, was last heard of."""
    interrupted_at: float | None = None
    interrupted_place: float = 0.0
    """The ``said_at`` of what was interrupted at ``interrupted_at``."""
    final_text: str = ""
    final_at: float = 0.0
    final_end: float | None = None

    def start(self, at: float) -> None:
        """It counts from 0.0 s at ``at``: nothing heard before can be compared with what comes."""
        self.earlier_zero, self.zero = self.zero, at
        self.final_end, self.stopped_at = None, None

    def begin(self, at: float) -> None:
        """It noticed speech."""
        self.began_at = self.heard_at = at

    def close(self) -> Utterance | None:
        """What it was in the middle of comes to nothing; returns the stretch that is to be withdrawn."""
        withdrawn, self.open = self.open, None
        self.began_at = None
        return withdrawn

    def interrupt(self, at: float) -> Utterance | None:
        """As :meth:`close`, but a final of it may still come, and then stands where the stretch stood."""
        place = self.open.said_at if self.open is not None else self.began_at
        withdrawn = self.close()
        if place is not None:
            self.interrupted_at, self.interrupted_place = at, place
        return withdrawn

    def is_stale(self, at: float) -> bool:
        """Whether what it was in the middle of is too long ago for a result at ``at`` to be of it."""
        is_amid = self.open is not None or self.began_at is not None
        return is_amid and at - self.heard_at > _LONGEST_SILENCE

    def is_late(self, result: RecognitionResult, at: float) -> bool:
        """Whether an interim belongs to the final that came before it: it must not bring that stretch back."""
        if self.open is not None:
            return False
        if self.stopped_at is not None and at - self.stopped_at < _LATE_INTERIM:
            return True
        if result.end is not None and self.final_end is not None:
            return result.end <= self.final_end and self._gone_back(result.end, at) <= _LATE
        return result.text == self.final_text and at - self.final_at < _LATE_INTERIM

    def is_new_run(self, result: RecognitionResult, at: float) -> bool:
        """Whether the times of ``result`` show that it was started again, at ``at - result.end``, which nobody told.

        A result that is merely late, or a little out of order, shows no such thing.
        """
        end, zero = result.end, self.zero
        if end is None or zero is None or at - (zero + end) <= _LATE:
            return False
        if self.stopped_at is not None:
            # What a new run hears was said after the old one stopped, all of it.
            return end <= at - self.stopped_at + _AHEAD
        return self.final_end is not None and end < self.final_end and self._gone_back(end, at) > _LATE

    def place(self, result: RecognitionResult, at: float, leg: Leg) -> float:
        """The ``said_at`` of a result: never later than it was heard, and never before there was a leg to hear.

        Without times that is where its stretch stands, else when speech was noticed or first heard. With times, the
        zero is the media bug's start where the switch told it, else what the first result says: it ended no later than
        it arrived, and what it heard was said no earlier than the answer. A zero that puts speech into the future was
        another bug's, or the result is one of the run before.
        """
        start, end = result.start, result.end
        if self.open is not None and (not result.final or start is None):
            # A stretch keeps the place in the dialogue at which it was first shown.
            return self.open.said_at
        if start is None or end is None:
            return min(self._noticed(result, at), at)
        zero, earliest = self.zero, leg.created_at
        if zero is None or zero + end > at + _AHEAD:
            zero = self.earlier_zero
            if zero is None or not -_AHEAD <= at - (zero + end) <= _LATE:
                zero = self.zero = at - end
                earliest = leg.created_at if leg.answered_at is None else leg.answered_at
        return min(max(zero + start, earliest), at)

    def show(self, interim: Utterance, at: float) -> None:
        """``interim`` is how its stretch stands now."""
        self.open, self.heard_at, self.interrupted_at = interim, at, None

    def finish(self, result: RecognitionResult, at: float) -> None:
        """The stretch has ended with the final ``result``."""
        self.open = self.began_at = self.interrupted_at = None
        self.final_text, self.final_at, self.final_end = result.text, at, result.end

    def _noticed(self, result: RecognitionResult, at: float) -> float:
        if self.began_at is not None:
            return self.began_at
        if result.final and self.interrupted_at is not None and at - self.interrupted_at <= _LATE_FINAL:
            return self.interrupted_place
        return at

    def _gone_back(self, end: float, at: float) -> float:
        """By how much more seconds a result that ends at ``end`` is late than the last final was."""
        return (at - self.final_at) + ((self.final_end or 0.0) - end)
