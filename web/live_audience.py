"""Who is told what. Browsers that are told the same form one audience, and an event is written to it as one frame.

Within one turn of the event loop the events of an audience are gathered and then written to each member as one piece:
a single utterance leaves at once, and under load a system call carries many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from web.live_frames import Event
from web.live_outbox import LiveCounts, Outbox
from web.views import View

EVERYTHING = "*"
"""The ``call_id`` that watches the dialogues of all calls."""

_MOST_PENDING = 256
"""Events gathered before they are written even though the turn is not over: bounds the piece that is made of them."""


class Audience:
    """Clients with the same view who watch the same calls."""

    __slots__ = ("_counts", "_members", "_pending", "view", "watched")

    def __init__(self, view: View, watched: frozenset[str], counts: LiveCounts) -> None:
        self.view = view
        self.watched = watched
        self._counts = counts
        self._members: dict[Outbox, None] = {}
        self._pending: list[Event] = []

    def __len__(self) -> int:
        return len(self._members)

    def add(self, outbox: Outbox) -> None:
        """From now on; what is pending was said before."""
        self.flush()
        self._members[outbox] = None
        outbox.flush_first = self.flush

    def remove(self, outbox: Outbox) -> None:
        """It gets what is pending, and nothing after."""
        self.flush()
        self._members.pop(outbox, None)

    def outboxes(self) -> list[Outbox]:
        """The members."""
        return list(self._members)

    def tell(self, event: Event) -> bool:
        """Gather ``event``; true when it is the first since the last flush."""
        self._pending.append(event)
        if len(self._pending) >= _MOST_PENDING:
            self.flush()
        return len(self._pending) == 1

    def flush(self) -> None:
        """Write what is pending to every member."""
        if not self._pending:
            return
        events, self._pending = self._pending, []
        joined = events[0].frame if len(events) == 1 else b"".join([event.frame for event in events])
        self._counts.deliveries += len(events) * len(self._members)
        for outbox in self._members:
            outbox.deliver(joined, events)


class Audiences:
    """All audiences, found by what an event is about."""

    def __init__(self, counts: LiveCounts) -> None:
        self._counts = counts
        self._of: dict[Outbox, Audience] = {}
        self._of_view: dict[View, dict[frozenset[str], Audience]] = {}
        self._of_call: dict[str, list[Audience]] = {}
        self._told: list[Audience] = []

    def views(self) -> list[View]:
        """The views somebody has at this moment."""
        return list(self._of_view)

    def watchers(self, call_id: str) -> bool:
        """Whether anybody is told what is said on that call."""
        return EVERYTHING in self._of_call or call_id in self._of_call

    def watching(self, call_id: str) -> list[Outbox]:
        """The clients who watch that call by name."""
        return [outbox for audience in self._of_call.get(call_id, ()) for outbox in audience.outboxes()]

    def place(self, outbox: Outbox, view: View, watched: Iterable[str]) -> None:
        """Move ``outbox`` to the audience that is told of ``watched`` from now on, and has been told all before."""
        self.remove(outbox)
        key = frozenset(watched)
        audiences = self._of_view.setdefault(view, {})
        audience = audiences.get(key)
        if audience is None:
            audience = audiences[key] = Audience(view, key, self._counts)
            for call_id in audience.watched:
                self._of_call.setdefault(call_id, []).append(audience)
        audience.add(outbox)
        self._of[outbox] = audience

    def remove(self, outbox: Outbox) -> None:
        """Tell ``outbox`` nothing any more."""
        audience = self._of.pop(outbox, None)
        if audience is None:
            return
        audience.remove(outbox)
        if len(audience) == 0:
            of_view = self._of_view[audience.view]
            del of_view[audience.watched]
            if not of_view:
                del self._of_view[audience.view]
            for call_id in audience.watched:
                of_call = self._of_call[call_id]
                of_call.remove(audience)
                if not of_call:
                    del self._of_call[call_id]

    def tell_all(self, view: View, event: Event) -> None:
        """Tell everybody with that view."""
        for audience in self._of_view.get(view, {}).values():
            self._tell(audience, event)

    def tell_watchers(self, call_id: str, event: Event) -> None:
        """Tell those who watch that call, or all."""
        everything = self._of_call.get(EVERYTHING, ())
        for audience in everything:
            self._tell(audience, event)
        for audience in self._of_call.get(call_id, ()):
            if EVERYTHING not in audience.watched:
                self._tell(audience, event)

    def _tell(self, audience: Audience, event: Event) -> None:
        if audience.tell(event):
            if not self._told:
                asyncio.get_running_loop().call_soon(self._flush)
            self._told.append(audience)

    def _flush(self) -> None:
        told, self._told = self._told, []
        for audience in told:
            audience.flush()
