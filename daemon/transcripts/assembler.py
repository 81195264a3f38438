"""Recognition results become utterances: in order, each once, whatever the vendor sends.

A *stretch* is one speaker's speech from the first interim to the final. Its interims share the utterance id that the
final will carry, so whoever shows them replaces one by the next. A stretch that comes to nothing (an empty final, the
leg or the call ends) is withdrawn by an interim whose text is empty.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import msgspec
import structlog
from uuid_utils import uuid7

from daemon.calls.call import Call, CallChanged, CallForgotten, Leg, LegState
from daemon.calls.events import (
    AppSpoke,
    CallEvent,
    LegEnded,
    RecogniserFailed,
    RecogniserStarted,
    SpeechBegan,
    SpeechRecognised,
)
from daemon.calls.registry import LegKey, Registry
from daemon.hub import Hub
from daemon.transcripts.utterance import Speaker, TranscriptRecalled, TranscriptsRekeyed, Utterance
from protocols.stt.result import RecognitionResult

log = structlog.get_logger(__name__)

_LATE_INTERIM = 1.0
"""Seconds in which an interim that repeats the final just heard is that final's own, come late."""


class _Ear(msgspec.Struct, gc=False):
    """One recogniser on one side of a leg: where its time began, and the stretch it is in the middle of."""

    zero: float | None = None
    """Unix time of the recogniser's 0.0 s."""
    began_at: float | None = None
    """When the recogniser noticed speech that it has no words for yet."""
    open: Utterance | None = None
    final_text: str = ""
    final_at: float = 0.0
    final_end: float | None = None


class Transcripts:
    """The dialogues of all calls in memory.

    ``epoch`` names this run of the numbering: it changes when a seq that was given out may mean another utterance.
    """

    def __init__(self, hub: Hub, registry: Registry, *, epoch: str) -> None:
        self.epoch = epoch
        self.orphans = 0
        """Results of legs that no call in memory has."""
        self.failures = 0
        """Errors that recognisers reported."""
        self._hub = hub
        self._registry = registry
        self._finals: dict[str, list[Utterance]] = {}  # in order of seq
        self._recalled: dict[str, list[Utterance]] = {}  # of calls that have not appeared yet
        self._ears: dict[LegKey, dict[tuple[str, int], _Ear]] = {}
        hub.tap((CallChanged,), self._appeared)
        hub.tap((CallForgotten,), self._forget)

    # What others ask

    def finals(self, call_id: str, after: int = 0) -> list[Utterance]:
        """The finals of a call with ``seq`` greater than ``after``, in order of seq."""
        finals = self._finals.get(call_id, [])
        if not finals or finals[-1].seq == len(finals):
            return finals[after:]
        # A seq whose row the store had to do without: those after it stand earlier than their seq says.
        return finals[bisect_right(finals, after, key=_seq) :]

    def interims(self, call_id: str) -> list[Utterance]:
        """What is being said on a call at this moment, at most one per recogniser and side."""
        call = self._registry.get(call_id)
        if call is None:
            return []
        ears = (self._ears.get((call.origin, call.server, leg.leg_id), {}) for leg in call.legs)
        return [ear.open for of_leg in ears for ear in of_leg.values() if ear.open and ear.open.call_id == call_id]

    def knows(self, call_id: str) -> bool:
        """Whether the call's whole dialogue is in memory."""
        return self._registry.get(call_id) is not None

    # What others tell

    def adopt(self, call_id: str, finals: Sequence[Utterance]) -> None:
        """A call that was found again has these stored finals, in order of seq. Told before the call appears.

        When it does, :class:`TranscriptRecalled` says so.
        """
        if finals and call_id not in self._finals:
            self._recalled[call_id] = list(finals)

    def rekey(self, old_call_id: str, call_id: str, stored: Sequence[Utterance]) -> None:
        """The store has known the call as ``call_id`` all along, with the finals ``stored``, in order of seq.

        What was heard since follows them with its seq continued. Seqs given out before no longer hold, so the epoch
        changes, and :class:`TranscriptsRekeyed` says so.
        """
        finals = list(stored)
        last = finals[-1].seq if finals else 0
        for utterance in self._finals.pop(old_call_id, []):
            finals.append(msgspec.structs.replace(utterance, call_id=call_id, seq=last + utterance.seq))
        self._finals[call_id] = finals
        for of_leg in self._ears.values():
            for ear in of_leg.values():
                if ear.open is not None and ear.open.call_id == old_call_id:
                    ear.open = msgspec.structs.replace(ear.open, call_id=call_id)
        self.epoch = str(uuid7())
        self._hub.publish(TranscriptsRekeyed(self.epoch, old_call_id, call_id))

    def apply(self, event: CallEvent) -> None:
        """Take in one event; those that say nothing about speech are ignored."""
        kind = type(event)
        if kind is SpeechRecognised:
            self._recognised(event)  # type: ignore[arg-type]
        elif kind is AppSpoke:
            self._app_spoke(event)  # type: ignore[arg-type]
        elif kind is RecogniserStarted:
            self._started(event)  # type: ignore[arg-type]
        elif kind is SpeechBegan:
            self._began(event)  # type: ignore[arg-type]
        elif kind is LegEnded:
            self._leg_ended(event)  # type: ignore[arg-type]
        elif kind is RecogniserFailed:
            self.failures += 1

    # How results become utterances

    def _recognised(self, event: SpeechRecognised) -> None:
        key = (event.origin, event.server, event.leg_id)
        found = self._registry.find(*key)
        if found is None:
            self.orphans += 1
            return
        call, leg = found
        result = event.result
        ears = self._ears.get(key)
        if ears is None:
            ears = self._ears[key] = {}
        ear = ears.get((event.stream, result.channel))
        if ear is None:
            # The bug's start is known by its name, or without one; a second side of it has the same zero.
            started = ears.get((event.stream, 0)) or ears.get(("", 0))
            ear = ears[event.stream, result.channel] = _Ear(started.zero if started else None)
        if ear.open is not None and ear.open.call_id != call.call_id:
            self._withdraw(ear)
        if result.final:
            self._final(event, call, leg, ear)
        elif leg.state is not LegState.ENDED and not self._is_late(event, ear):
            self._interim(event, call, leg, ear)

    def _final(self, event: SpeechRecognised, call: Call, leg: Leg, ear: _Ear) -> None:
        result, opened = event.result, ear.open
        if not result.text:
            self._withdraw(ear)
            return
        said_at = opened.said_at if opened and result.start is None else _said_at(result, event.at, ear, leg)
        ear.open, ear.began_at = None, None
        ear.final_text, ear.final_at, ear.final_end = result.text, event.at, result.end
        self._keep(
            Utterance(
                call_id=call.call_id,
                utterance_id=opened.utterance_id if opened else str(uuid7()),
                seq=self._next_seq(call),
                leg_id=event.leg_id,
                speaker=_speaker(call, leg, result.channel),
                text=result.text,
                start=result.start,
                end=result.end,
                said_at=said_at,
                final=True,
                confidence=result.confidence,
                vendor=event.vendor,
            )
        )

    def _interim(self, event: SpeechRecognised, call: Call, leg: Leg, ear: _Ear) -> None:
        result, opened = event.result, ear.open
        if not result.text:
            return
        ear.open = Utterance(
            call_id=call.call_id,
            utterance_id=opened.utterance_id if opened else str(uuid7()),
            seq=0,
            leg_id=event.leg_id,
            speaker=_speaker(call, leg, result.channel),
            text=result.text,
            start=result.start,
            end=result.end,
            # A stretch keeps the place in the dialogue at which it was first shown.
            said_at=opened.said_at if opened else _said_at(result, event.at, ear, leg),
            final=False,
            confidence=result.confidence,
            vendor=event.vendor,
        )
        self._hub.publish(ear.open)

    def _is_late(self, event: SpeechRecognised, ear: _Ear) -> bool:
        """Whether an interim belongs to the final that came before it: it must not bring that stretch back."""
        result = event.result
        if ear.open is not None:
            return False
        if result.end is not None and ear.final_end is not None:
            return result.end <= ear.final_end
        return result.text == ear.final_text and event.at - ear.final_at < _LATE_INTERIM

    def _app_spoke(self, event: AppSpoke) -> None:
        call = self._registry.call_of(event.origin, event.server, event.leg_id)
        if call is None:
            self.orphans += 1
            return
        self._keep(
            Utterance(
                call_id=call.call_id,
                utterance_id=str(uuid7()),
                seq=self._next_seq(call),
                leg_id=event.leg_id,
                speaker=Speaker.APP,
                text=event.text,
                start=None,
                end=None,
                said_at=event.at,
                final=True,
                confidence=None,
                vendor=event.vendor,
            )
        )

    def _next_seq(self, call: Call) -> int:
        finals = self._finals.get(call.call_id)
        if finals is None:
            finals = self._finals[call.call_id] = []
        return finals[-1].seq + 1 if finals else 1

    def _keep(self, utterance: Utterance) -> None:
        self._finals[utterance.call_id].append(utterance)
        self._hub.publish(utterance)

    def _started(self, event: RecogniserStarted) -> None:
        ears = self._ears.setdefault((event.origin, event.server, event.leg_id), {})
        for (stream, _), ear in ears.items():
            if stream == event.stream:
                # Its times begin at 0.0 again, so nothing heard before can be compared with them.
                ear.zero, ear.final_end = event.at, None
        ears.setdefault((event.stream, 0), _Ear(event.at))

    def _began(self, event: SpeechBegan) -> None:
        ears = self._ears.setdefault((event.origin, event.server, event.leg_id), {})
        ears.setdefault((event.stream, 0), _Ear()).began_at = event.at

    # What begins again, and what ends

    def _appeared(self, changed: CallChanged) -> None:
        finals = self._recalled.pop(changed.call.call_id, None) if self._recalled else None
        if finals is not None:
            self._finals[changed.call.call_id] = finals
            self._hub.publish(TranscriptRecalled(changed.call.call_id))

    def _leg_ended(self, event: LegEnded) -> None:
        for ear in self._ears.get((event.origin, event.server, event.leg_id), {}).values():
            self._withdraw(ear)

    def _withdraw(self, ear: _Ear) -> None:
        ear.began_at = None
        if ear.open is not None:
            withdrawn, ear.open = ear.open, None
            self._hub.publish(msgspec.structs.replace(withdrawn, text=""))

    def _forget(self, forgotten: CallForgotten) -> None:
        call = forgotten.call
        self._finals.pop(call.call_id, None)
        for leg in call.legs:
            self._ears.pop((call.origin, call.server, leg.leg_id), None)


def _seq(utterance: Utterance) -> int:
    return utterance.seq


def _speaker(call: Call, leg: Leg, channel: int) -> Speaker:
    """The person on the leg: who stands on the call's first leg called. Channel 1 is the leg's other side."""
    on_first = call.legs[0] is leg
    return Speaker.CALLER if on_first is (channel == 0) else Speaker.CALLEE


def _said_at(result: RecognitionResult, heard_at: float, ear: _Ear, leg: Leg) -> float:
    """When the stretch began, Unix seconds, never later than it was heard and never before there was a leg to hear.

    Without times that is when speech was noticed or first heard. With times, the recogniser's zero is its media bug's
    start where the switch told it, else what the first result says: it ended no later than it arrived, and what it
    heard was said no earlier than the answer. A zero that puts speech into the future was another bug's.
    """
    if result.start is None or result.end is None:
        return heard_at if ear.began_at is None else ear.began_at
    if ear.zero is None or ear.zero + result.end > heard_at + 1.0:
        ear.zero = heard_at - result.end
        earliest = leg.created_at if leg.answered_at is None else leg.answered_at
    else:
        earliest = leg.created_at
    return min(max(ear.zero + result.start, earliest), heard_at)
