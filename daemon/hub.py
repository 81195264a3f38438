"""Ordered fan-out inside the process: who publishes never waits, who listens sees everything in order.

There are two kinds of listeners. A *tap* is a plain function, called while ``publish`` runs: for listeners that only
note or encode (the live view, metrics). A *subscription* is a bounded queue read by a task: for listeners that wait
for something slow. What happens when its queue is full is the subscriber's own decision, told by an
:class:`Overflow`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from enum import Enum
from typing import Any

import structlog

log = structlog.get_logger(__name__)

Message = Any
"""Whatever its publisher defines: ``CallChanged``, ``Utterance``, ``LinkStatus`` …"""


class Overflow(Enum):
    """What a full subscription does with the next message."""

    DROP_OLDEST = "drop_oldest"
    CLOSE = "close"
    """End the subscription: its reader sees :class:`SubscriptionOverflowError` after what is queued."""


class SubscriptionOverflowError(Exception):
    """A subscriber with ``Overflow.CLOSE`` fell more than its bound behind; what came after is not in its queue."""


class Subscription:
    """A bounded queue of the messages of some types. Iterate it; ``close`` ends the iteration."""

    def __init__(self, hub: Hub, types: tuple[type, ...], bound: int, overflow: Overflow) -> None:
        self._hub = hub
        self._types = types
        self._bound = bound
        self._overflow = overflow
        self._queue: deque[Message] = deque()
        self._ready = asyncio.Event()
        self._closed = False
        self._overflowed = False
        self.dropped = 0

    def _offer(self, message: Message) -> None:
        if self._closed:
            return
        if len(self._queue) >= self._bound:
            self.dropped += 1
            if self._overflow is Overflow.CLOSE:
                self._overflowed = True
                self.close()
                return
            self._queue.popleft()
        self._queue.append(message)
        self._ready.set()

    def close(self) -> None:
        """Take no more messages. What is queued can still be read."""
        if not self._closed:
            self._closed = True
            self._hub._remove(self._types, self._offer)
            self._ready.set()

    def __len__(self) -> int:
        return len(self._queue)

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        while not self._queue:
            if self._overflowed:
                raise SubscriptionOverflowError(f"fell {self._bound} messages behind")
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._queue.popleft()


class Hub:
    """Carries messages from those who know to those who want to. Single-threaded: use it from the event loop only."""

    def __init__(self) -> None:
        self._taps: dict[type, tuple[Callable[[Message], None], ...]] = {}

    def publish(self, message: Message) -> None:
        """Give ``message`` to every listener of its exact type, in the order they began to listen.

        A tap that raises is logged and does not keep the message from the others: one listener's mistake must not
        stop the switch link that is publishing.
        """
        for tap in self._taps.get(type(message), ()):
            try:
                tap(message)
            except Exception:
                log.exception("hub_tap_failed", message_type=type(message).__name__)

    def tap(self, types: tuple[type, ...], function: Callable[[Message], None]) -> Callable[[], None]:
        """Call ``function`` with every message of ``types``; the returned function ends it."""
        for kind in types:
            self._taps[kind] = (*self._taps.get(kind, ()), function)
        return lambda: self._remove(types, function)

    def subscribe(self, types: tuple[type, ...], *, bound: int, overflow: Overflow = Overflow.CLOSE) -> Subscription:
        """Queue up to ``bound`` messages of ``types`` for a task to read."""
        subscription = Subscription(self, types, bound, overflow)
        self.tap(types, subscription._offer)
        return subscription

    def _remove(self, types: tuple[type, ...], function: Callable[[Message], None]) -> None:
        for kind in types:
            self._taps[kind] = tuple(tap for tap in self._taps.get(kind, ()) if tap != function)
