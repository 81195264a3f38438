"""FreeSWITCH's events as call events: one function per event name, found by a table.

A leg ends at ``CHANNEL_HANGUP``, since that is when people stop talking; the two events after it say it again, for
those who missed the first. ``code`` is read only from events without another leg: others may carry that leg's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from daemon.calls.events import (
    AppFellSilent,
    AppSpoke,
    CallEvent,
    DigitPressed,
    LegAnswered,
    LegHeld,
    LegProgressed,
    LegsBridged,
    LegsUnbridged,
)
from daemon.switch.clock import SwitchClock
from daemon.switch.doubles import Doubles
from daemon.switch.legs import Legs
from daemon.switch.speech import Speech
from daemon.switch.spoken import spoken
from protocols.esl.events import EslEvent

_DIGITS = frozenset("0123456789*#ABCD")


class Translator:
    """The events of one switch, told to ``emit`` as call events of ``server``, in the order they came.

    ``brain_sample_rate`` is what ``brain_stt`` counts as a second. ``words_of`` tells what Parley itself says by the
    application of that Application-UUID; ``None`` where it is not Parley's, or nobody knows.
    """

    def __init__(
        self,
        server: str,
        emit: Callable[[CallEvent], None],
        *,
        clock: SwitchClock,
        brain_sample_rate: int,
        words_of: Callable[[str], str | None] = lambda uuid: None,
    ) -> None:
        self.doubles = Doubles()
        self.legs = Legs(server, emit, clock)
        self.speech = Speech(self.legs, emit, brain_sample_rate=brain_sample_rate)
        self._emit = emit
        self._words_of = words_of
        self._saying: dict[str, dict[str, bool]] = {}  # leg id → Application-UUID → whether it was broken off
        self._handlers: Mapping[str, Callable[[EslEvent], None]] = {
            "CUSTOM": self.speech.recognised,
            "DETECTED_SPEECH": self.speech.detected,
            "MEDIA_BUG_START": self.speech.media_bug_started,
            "CHANNEL_CREATE": self._created,
            "CHANNEL_PROGRESS": self._progressed,
            "CHANNEL_PROGRESS_MEDIA": self._progressed,
            "CHANNEL_ANSWER": self._answered,
            "CHANNEL_PARK": self._parked,
            "CHANNEL_UNPARK": self._unparked,
            "CHANNEL_BRIDGE": self._bridged,
            "CHANNEL_UNBRIDGE": self._unbridged,
            "CHANNEL_HOLD": self._held,
            "CHANNEL_UNHOLD": self._held,
            "CHANNEL_EXECUTE": self._executes,
            "CHANNEL_EXECUTE_COMPLETE": self._executed,
            "CHANNEL_HANGUP": self._ended,
            "CHANNEL_HANGUP_COMPLETE": self._ended,
            "CHANNEL_DESTROY": self._ended,
            "DTMF": self._digit,
        }

    def take(self, event: EslEvent) -> None:
        """An event arrived. Doubles, and events that concern no call, are ignored."""
        core_uuid, sequence = event.core_uuid, event.sequence
        if core_uuid != self.legs.core and core_uuid:
            self.legs.meet_core(event)
        if sequence.isdecimal() and self.doubles.seen(core_uuid, int(sequence)):
            return
        if self.legs.moved is not None:
            self.legs.moved.update((event.unique_id, event.other_leg_id))
        handler = self._handlers.get(event.name)
        if handler is not None:
            handler(event)

    def broken_off(self, leg_id: str) -> None:
        """What Parley is saying to that leg is told to stop."""
        saying = self._saying.get(leg_id, {})
        saying.update(dict.fromkeys(saying, True))

    def _created(self, event: EslEvent) -> None:
        # A leg that a snapshot has told of is not new, and one that has ended stays so.
        self.legs.is_live(event)

    def _progressed(self, event: EslEvent) -> None:
        if self.legs.is_live(event):
            self._emit(LegProgressed(**self.legs.of(event), early=event.name == "CHANNEL_PROGRESS_MEDIA"))

    def _answered(self, event: EslEvent) -> None:
        if self.legs.is_live(event):
            self._emit(LegAnswered(**self.legs.of(event)))

    def _parked(self, event: EslEvent) -> None:
        if self.legs.is_live(event):
            self.legs.detect(event)
            self.legs.park(event)

    def _unparked(self, event: EslEvent) -> None:
        if self.legs.is_live(event):
            self.legs.unpark(event)

    def _held(self, event: EslEvent) -> None:
        if self.legs.is_live(event):
            self._emit(LegHeld(**self.legs.of(event), held=event.name == "CHANNEL_HOLD"))

    def _bridged(self, event: EslEvent) -> None:
        other = _other_of_bridge(event)
        if other and self.legs.is_live(event):
            self._emit(LegsBridged(**self.legs.of(event), other_leg_id=other))

    def _unbridged(self, event: EslEvent) -> None:
        other = _other_of_bridge(event)
        if other and self.legs.is_live(event):
            self._emit(LegsUnbridged(**self.legs.of(event), other_leg_id=other))

    def _executes(self, event: EslEvent) -> None:
        if not self.legs.is_live(event):
            return
        self.legs.compare(event)
        said = spoken(event.application, event.application_data)
        if said is None:
            return
        text, vendor = said
        words = self._words_of(event.application_uuid)
        if words is None:
            self._emit(AppSpoke(**self.legs.of(event), text=text, vendor=vendor))
            return
        self._saying.setdefault(event.unique_id, {})[event.application_uuid] = False
        said_id = event.application_uuid
        self._emit(AppSpoke(**self.legs.of(event), text=words, vendor=vendor, said_id=said_id))

    def _executed(self, event: EslEvent) -> None:
        if self.legs.is_live(event):
            broken_off = self._saying.get(event.unique_id, {}).pop(event.application_uuid, None)
            if broken_off is not None:
                said_id = event.application_uuid
                self._emit(AppFellSilent(**self.legs.of(event), said_id=said_id, broken_off=broken_off))
            # CHANNEL_UNPARK says so before, unless that was missed.
            if event.application == "park" and self.legs.is_parked(event.unique_id):
                self.legs.unpark(event)
            self.legs.compare(event)
            self.legs.detect(event)

    def _ended(self, event: EslEvent) -> None:
        self._saying.pop(event.unique_id, None)
        self.legs.end(event)

    def _digit(self, event: EslEvent) -> None:
        digit = event.dtmf_digit.upper()
        if digit in _DIGITS and self.legs.is_live(event):
            self._emit(DigitPressed(**self.legs.of(event), digit=digit))


def _other_of_bridge(event: EslEvent) -> str:
    """The leg that the event's own leg is bridged to."""
    if event.bridge_b_id == event.unique_id:
        return event.bridge_a_id
    return event.bridge_b_id or event.other_leg_id
