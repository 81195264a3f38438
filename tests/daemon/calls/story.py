"""A registry with a hub that remembers, and a short way to say what happens to legs."""

from __future__ import annotations

from typing import Any

from daemon.calls.call import Call, CallChanged
from daemon.calls.events import (
    Direction,
    LegAnswered,
    LegAppeared,
    LegEnded,
    LegEvent,
    LegParked,
    LegsBridged,
)
from daemon.calls.registry import Registry
from daemon.hub import Hub


class Story:
    """Tells a registry what happens on one switch, a second between events."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.hub = Hub()
        self.registry = Registry(self.hub, clock=lambda: self.now, keep_ended=60.0)
        self.states: list[tuple[str, str]] = []
        self.hub.tap((CallChanged,), lambda message: self.states.append((message.call.other_id, message.call.state)))

    def tell(self, kind: type[LegEvent], leg_id: str, **fields: Any) -> None:
        self.now += 1
        self.registry.apply(
            kind(origin="freeswitch", server="main", leg_id=leg_id, at=self.now, **fields)  # type: ignore[arg-type]
        )

    def appear(self, leg_id: str, call_key: str = "", **fields: Any) -> None:
        defaults: dict[str, Any] = {
            "call_key": call_key or leg_id,
            "direction": Direction.OUTBOUND if call_key else Direction.INBOUND,
            "created_at": self.now + 1,
            "caller": "01012345678",
            "callee": "07000001004",
        }
        self.tell(LegAppeared, leg_id, **{**defaults, **fields})

    def answer(self, leg_id: str) -> None:
        self.tell(LegAnswered, leg_id)

    def park(self, leg_id: str, code: str = "") -> None:
        self.tell(LegParked, leg_id, code=code)

    def bridge(self, leg_id: str, other_leg_id: str) -> None:
        self.tell(LegsBridged, leg_id, other_leg_id=other_leg_id)

    def end(self, leg_id: str, cause: str = "NORMAL_CLEARING", **fields: Any) -> None:
        self.tell(LegEnded, leg_id, cause=cause, **fields)

    def call(self, leg_id: str) -> Call:
        call = self.registry.call_of("freeswitch", "main", leg_id)
        assert call is not None
        return call
