"""What a translator makes of events, written so that a test can say what it expects in a line each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from daemon.calls.events import CallEvent, LegEvent
from daemon.switch.clock import SwitchClock
from daemon.switch.translate import Translator
from protocols.esl.events import EslEvent, decode_event
from protocols.esl.parser import FrameParser
from tests.wire import recordings

Line = tuple[str, str, dict[str, Any]]
"""The kind of a call event, the first eight letters of its leg, and every field that says something."""

_ALWAYS = {"origin", "server", "leg_id", "at", "created_at"}


def recorded(name: str) -> list[EslEvent]:
    """The events of a recording, in wire order."""
    frames = FrameParser().feed(recordings.read(name))
    return [decode_event(frame) for frame in frames if frame.content_type.startswith(b"text/event-")]


class Translation:
    """A translator whose clock agrees with the switch's, and what it told."""

    def __init__(self, *, now: float | None = None) -> None:
        self.events: list[CallEvent] = []
        self._now = now
        self._last = 0.0
        self.translator = Translator(
            "main", self.events.append, clock=SwitchClock("main", self._clock), brain_sample_rate=8000
        )

    def _clock(self) -> float:
        return self._last if self._now is None else self._now

    def take(self, events: Iterable[EslEvent]) -> Translation:
        for event in events:
            self._last = event.at or self._last
            self.translator.take(event)
        return self

    def lines(self) -> list[Line]:
        return [line(event) for event in self.events]


def line(event: LegEvent) -> Line:
    """``event`` without what is the same in all of them, and without what says nothing."""
    fields = {name: getattr(event, name) for name in event.__struct_fields__ if name not in _ALWAYS}
    said = {name: _plain(value) for name, value in fields.items() if value not in ("", False, None)}
    for name in ("call_key", "peer_id", "other_leg_id"):
        if name in said:
            said[name] = said[name][:8]
    return type(event).__name__, event.leg_id[:8], said


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value) if isinstance(value, msgspec.Struct) else value


def event(name: str, leg_id: str = "leg-1", **values: str) -> EslEvent:
    """An event of a channel that was called at 07000001004 and is answered."""
    defaults = {
        "core_uuid": "core",
        "timestamp": "1795199377000000",
        "unique_id": leg_id,
        "direction": "inbound",
        "call_uuid": leg_id,
        "answer_state": "answered",
        "caller_number": "01012345678",
        "destination": "07000001004",
        "created_time": "1795199370000000",
        "answered_time": "1795199375000000",
    }
    return EslEvent(name=name, **{**defaults, **values})
