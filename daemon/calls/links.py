"""The state of the long-lived connections that calls come over, as people are shown it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class LinkState(StrEnum):
    """What a link is doing. ``REFUSED`` means the other side rejects us (password, ACL): an operator must act.
    ``SLOW`` is READY, but its answers take longer than they should."""

    CONNECTING = "connecting"
    READY = "ready"
    SLOW = "slow"
    AWAY = "away"
    REFUSED = "refused"
    STOPPED = "stopped"

    @property
    def is_up(self) -> bool:
        """Whether the other side answers, be it slowly."""
        return self in (LinkState.READY, LinkState.SLOW)


class LinkStatus(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One link's state, published on the hub whenever it changes.

    ``link`` is ``"switch:<name>"``, ``"pbx:gateway"`` or ``"pbx:<server>"`` and unique; ``since`` is when this state
    began and ``last_event_at`` when the other side was last heard of, both Unix seconds of our clock. ``detail`` says
    why it is away or refused, in words for an operator, without secrets. ``gap`` is set while it is READY after an
    outage: the seconds before ``since`` of which we know nothing. ``round_trip`` is how long the last answer took in
    seconds, where the link is asked regularly.
    """

    link: str
    server: str
    state: LinkState
    since: float
    last_event_at: float | None = None
    detail: str = ""
    gap: float | None = None
    round_trip: float | None = None
