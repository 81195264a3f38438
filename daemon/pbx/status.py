"""The state of the gateway's link, or of one server behind it, published whenever it changes."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from daemon.calls.links import LinkState, LinkStatus
from daemon.health import Condition, Part
from daemon.hub import Hub

GATEWAY = "gateway"


class Status:
    """The status of the link ``pbx:<name>``. ``clock`` gives Unix seconds."""

    def __init__(self, name: str, hub: Hub, clock: Callable[[], float]) -> None:
        self._hub = hub
        self._clock = clock
        self.now = LinkStatus(link=f"pbx:{name}", server=name, state=LinkState.CONNECTING, since=clock())
        self._down_since: float | None = None

    @property
    def is_up(self) -> bool:
        """Whether the other side answers, be it slowly."""
        return self.now.state.is_up

    def become(self, state: LinkState, detail: str = "", *, round_trip: float | None = None) -> None:
        """It is in ``state`` now. How long nothing was known of it stands with it as its gap while it is up."""
        now = self._clock()
        since, gap = self.now.since, self.now.gap
        if state is not self.now.state:
            since = now
            was_up = self.now.state.is_up
            if not state.is_up:
                gap = None
                self._down_since = now if was_up or self._down_since is None else self._down_since
            elif not was_up:
                first = self.now.state is LinkState.CONNECTING and self.now.last_event_at is None
                gap = None if first or self._down_since is None else now - self._down_since
                self._down_since = None
        heard = now if state.is_up else self.now.last_event_at
        status = msgspec.structs.replace(
            self.now, state=state, since=since, detail=detail, gap=gap, round_trip=round_trip, last_event_at=heard
        )
        if status != self.now:
            self.now = status
            self._hub.publish(status)

    def heard(self) -> None:
        """The other side has just shown that it is there: tell since when that is known."""
        if self.is_up:
            self.become(self.now.state, self.now.detail, round_trip=self.now.round_trip)

    def part(self) -> Part:
        """For health: a PBX that is away or slow degrades Parley, which works on without it."""
        numbers = {} if self.now.round_trip is None else {"round_trip_seconds": self.now.round_trip}
        if self.now.state is LinkState.READY:
            return Part(Condition.OK, numbers=numbers)
        return Part(Condition.DEGRADED, self.now.detail or self.now.state, numbers)
