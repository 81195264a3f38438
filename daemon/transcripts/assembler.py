"""Recognition results become utterances: in order, each once, whatever the vendor sends.

A *stretch* is one speaker's speech from the first interim to the final. Its interims share the utterance id that the
final will carry, so whoever shows them replaces one by the next. A stretch that comes to nothing (an empty final, the
recogniser stops or starts anew, the leg or the call ends) is withdrawn by an interim whose text is empty. A final that
comes all the same is another utterance.

What Parley says itself is shown as an interim while it is said and becomes a final when it is over, with a mark where
it was broken off (:mod:`daemon.transcripts.saying`). What other programs say is a final at once: nobody tells when it
stopped.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import msgspec
from uuid_utils import uuid7

from daemon.calls.call import Call, CallChanged, CallForgotten, Leg, LegState
from daemon.calls.events import (
    AppFellSilent,
    AppSpoke,
    CallEvent,
    LegEnded,
    LegEvent,
    RecogniserFailed,
    RecogniserStarted,
    RecogniserStopped,
    SpeechBegan,
    SpeechRecognised,
)
from daemon.calls.registry import LegKey, Registry
from daemon.hub import Hub
from daemon.transcripts.ear import Ear
from daemon.transcripts.saying import Sayings, said_by_app
from daemon.transcripts.utterance import Speaker, SpeechNoticed, TranscriptRecalled, TranscriptsRekeyed, Utterance


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
        self._ears: dict[LegKey, dict[tuple[str, int], Ear]] = {}
        self._sayings = Sayings()
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
        """What is being said on a call at this moment, at most one per recogniser and side, and one by Parley."""
        call = self._registry.get(call_id)
        if call is None:
            return []
        keys = [(call.origin, call.server, leg.leg_id) for leg in call.legs]
        said = [saying for key in keys if (saying := self._sayings.of(key))]
        heard = [ear.open for key in keys for ear in self._ears.get(key, {}).values() if ear.open]
        return [utterance for utterance in (*said, *heard) if utterance.call_id == call_id]

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

        What was heard since follows them with its seq continued; where a call of that id is in memory already, it
        follows that one's finals. Seqs given out before no longer hold, so the epoch changes, and
        :class:`TranscriptsRekeyed` says so.
        """
        finals = self._finals.get(call_id, [])
        # The store may have got some of them before it was asked for that call's.
        there = {utterance.utterance_id for utterance in finals}
        finals = finals or list(stored)
        last = finals[-1].seq if finals else 0
        for utterance in self._finals.pop(old_call_id, []):
            if utterance.utterance_id not in there:
                finals.append(msgspec.structs.replace(utterance, call_id=call_id, seq=last + utterance.seq))
        self._finals[call_id] = finals
        for of_leg in self._ears.values():
            for ear in of_leg.values():
                if ear.open is not None and ear.open.call_id == old_call_id:
                    ear.open = msgspec.structs.replace(ear.open, call_id=call_id)
        self._sayings.rekey(old_call_id, call_id)
        self.epoch = str(uuid7())
        self._hub.publish(TranscriptsRekeyed(self.epoch, old_call_id, call_id))

    def apply(self, event: CallEvent) -> None:
        """Take in one event; those that say nothing about speech are ignored."""
        kind = type(event)
        if kind is SpeechRecognised:
            self._recognised(event)  # type: ignore[arg-type]
        elif kind is AppSpoke:
            self._app_spoke(event)  # type: ignore[arg-type]
        elif kind is AppFellSilent:
            self._fell_silent(event)  # type: ignore[arg-type]
        elif kind is RecogniserStarted:
            self._started(event)  # type: ignore[arg-type]
        elif kind is SpeechBegan:
            self._began(event)  # type: ignore[arg-type]
        elif kind is LegEnded:
            self._leg_ended(event)  # type: ignore[arg-type]
        elif kind is RecogniserFailed:
            self._failed(event)  # type: ignore[arg-type]
        elif kind is RecogniserStopped:
            self._stopped(event)  # type: ignore[arg-type]

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
            ear = ears[event.stream, result.channel] = Ear(started.zero if started else None)
        ear.vendor = event.vendor
        if ear.open is not None and ear.open.call_id != call.call_id:
            self._withdraw(ear.interrupt(event.at))
        if ear.is_stale(event.at):
            self._withdraw(ear.close())
        if result.end is not None and ear.is_new_run(result, event.at):
            self._withdraw(ear.close())
            ear.start(event.at - result.end)
        if result.final:
            self._final(event, call, leg, ear)
        elif leg.state is not LegState.ENDED and not ear.is_late(result, event.at):
            self._interim(event, call, leg, ear)

    def _final(self, event: SpeechRecognised, call: Call, leg: Leg, ear: Ear) -> None:
        result, opened = event.result, ear.open
        if not result.text:
            self._withdraw(ear.close())
            return
        said_at = ear.place(result, event.at, leg)
        ear.finish(result, event.at)
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

    def _interim(self, event: SpeechRecognised, call: Call, leg: Leg, ear: Ear) -> None:
        result, opened = event.result, ear.open
        if not result.text:
            return
        interim = Utterance(
            call_id=call.call_id,
            utterance_id=opened.utterance_id if opened else str(uuid7()),
            seq=0,
            leg_id=event.leg_id,
            speaker=_speaker(call, leg, result.channel),
            text=result.text,
            start=result.start,
            end=result.end,
            said_at=ear.place(result, event.at, leg),
            final=False,
            confidence=result.confidence,
            vendor=event.vendor,
        )
        ear.show(interim, event.at)
        self._hub.publish(interim)

    def _app_spoke(self, event: AppSpoke) -> None:
        key = (event.origin, event.server, event.leg_id)
        call = self._registry.call_of(*key)
        if call is None:
            self.orphans += 1
            return
        if not event.said_id:
            self._keep(said_by_app(event, call, seq=self._next_seq(call)))
            return
        self._finish_saying(key, event.at)  # its end was missed
        said = said_by_app(event, call, seq=0)
        self._sayings.begin(key, event.said_id, said)
        self._hub.publish(said)

    def _fell_silent(self, event: AppFellSilent) -> None:
        key = (event.origin, event.server, event.leg_id)
        self._finish_saying(key, event.at, said_id=event.said_id, cut=event.broken_off)

    def _finish_saying(self, key: LegKey, at: float, *, said_id: str = "", cut: bool = False) -> None:
        """What Parley was saying to that leg, if anything, is over."""
        said, call = self._sayings.end(key, at, said_id=said_id, cut=cut), self._registry.call_of(*key)
        if said is None or call is None:
            return
        if said.call_id != call.call_id:
            self._withdraw(said)
        self._keep(msgspec.structs.replace(said, call_id=call.call_id, seq=self._next_seq(call), final=True))

    def _next_seq(self, call: Call) -> int:
        finals = self._finals.get(call.call_id)
        if finals is None:
            finals = self._finals[call.call_id] = []
        return finals[-1].seq + 1 if finals else 1

    def _keep(self, utterance: Utterance) -> None:
        self._finals[utterance.call_id].append(utterance)
        self._hub.publish(utterance)

    # What recognisers tell of themselves

    def _started(self, event: RecogniserStarted) -> None:
        ears = self._ears_of(event)
        for (stream, _), ear in ears.items():
            if stream == event.stream:
                self._withdraw(ear.interrupt(event.at))
                ear.start(event.at)
        ears.setdefault((event.stream, 0), Ear(event.at))

    def _began(self, event: SpeechBegan) -> None:
        ear = self._ears_of(event).setdefault((event.stream, 0), Ear())
        if ear.is_stale(event.at):
            self._withdraw(ear.close())
        ear.begin(event.at)
        call = self._registry.call_of(event.origin, event.server, event.leg_id)
        if call is not None:
            self._hub.publish(SpeechNoticed(call.call_id, event.leg_id))

    def _failed(self, event: RecogniserFailed) -> None:
        self.failures += 1
        if not event.error.goes_on:
            self._stopped(event)

    def _stopped(self, event: RecogniserFailed | RecogniserStopped) -> None:
        for (stream, _), ear in self._ears.get((event.origin, event.server, event.leg_id), {}).items():
            # Where the bug is not named, the vendor says whose it is.
            if stream == event.stream if event.stream else ear.vendor in ("", event.vendor):
                self._withdraw(ear.interrupt(event.at))
                ear.stopped_at = event.at

    def _ears_of(self, event: LegEvent) -> dict[tuple[str, int], Ear]:
        key = (event.origin, event.server, event.leg_id)
        if self._registry.find(*key) is None:
            return {}  # of a leg that no call in memory has nothing is kept: no call would take it along
        return self._ears.setdefault(key, {})

    # What begins again, and what ends

    def _appeared(self, changed: CallChanged) -> None:
        finals = self._recalled.pop(changed.call.call_id, None) if self._recalled else None
        if finals is not None:
            self._finals[changed.call.call_id] = finals
            self._hub.publish(TranscriptRecalled(changed.call.call_id))

    def _leg_ended(self, event: LegEnded) -> None:
        key = (event.origin, event.server, event.leg_id)
        for ear in self._ears.get(key, {}).values():
            self._withdraw(ear.interrupt(event.at))
        self._finish_saying(key, event.at, cut=True)

    def _withdraw(self, stretch: Utterance | None) -> None:
        if stretch is not None:
            self._hub.publish(msgspec.structs.replace(stretch, text=""))

    def _forget(self, forgotten: CallForgotten) -> None:
        call = forgotten.call
        self._finals.pop(call.call_id, None)
        for leg in call.legs:
            self._ears.pop((call.origin, call.server, leg.leg_id), None)
            self._sayings.forget((call.origin, call.server, leg.leg_id))


def _seq(utterance: Utterance) -> int:
    return utterance.seq


def _speaker(call: Call, leg: Leg, channel: int) -> Speaker:
    """The person on the leg: who stands on the call's first leg called. Channel 1 is the leg's other side.

    That leg need not be in memory: it may have ended before a restart, or nothing was heard of it yet.
    """
    on_first = leg.leg_id == call.other_id
    return Speaker.CALLER if on_first is (channel == 0) else Speaker.CALLEE
