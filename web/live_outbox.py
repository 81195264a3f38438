"""The one way to a browser: what it can take is written at once, what it cannot waits here, within bounds.

Everything a client is sent passes its :class:`Outbox` (events, catch-up, acknowledgements, pings), so it arrives in
the order in which it was said. A client that reads is written to directly: no task, no queue, no copy. Only when the
transport holds more than :data:`HIGH_WATER` bytes does the rest wait. Then interims give way first: a newer one
replaces the older, and when the bounds are reached they go altogether. When what remains still does not fit, the
client is cut off: it can come back and ask for what it missed, which is better than a queue that grows.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import count
from typing import Protocol

import msgspec
import structlog

from daemon.config import LiveConfig
from web.live_frames import Event

log = structlog.get_logger(__name__)

HIGH_WATER = 65_536
"""Bytes the transport may hold before it is taken for blocked."""

_SLICE = 65_536
"""How much of what waits is written at a time."""


class LiveCounts(msgspec.Struct):
    """What became of events, over all clients since the start."""

    deliveries: int = 0
    """Events handed to a client, times clients."""
    interims_dropped: int = 0
    cut_off: int = 0
    """Clients whose connection was ended because they did not read."""


class WritingProtocol(Protocol):
    """The protocol object of a connection: aiohttp's says whether its transport is full."""

    @property
    def writing_paused(self) -> bool: ...


def _nothing() -> None:
    return None


async def _at_once() -> None:
    return None


class Outbox:
    """What waits for one client.

    Before :meth:`open` everything waits; after :meth:`close` everything is thrown away. ``limits`` bounds the events
    that wait and their bytes, the transport's own buffer included; past them the connection is aborted, which its
    reader notices.
    """

    def __init__(self, limits: LiveConfig, counts: LiveCounts) -> None:
        self.limits = limits
        self.flush_first: Callable[[], None] = _nothing
        """What must be written before anything that is said to this client alone: its audience's pending events."""
        self._counts = counts
        self._transport: asyncio.Transport | None = None
        self._protocol: WritingProtocol | None = None
        self._writable: Callable[[], Awaitable[None]] = _at_once
        self._waiting: OrderedDict[int | str, bytes | Iterator[bytes]] = OrderedDict()
        self._waiting_bytes = 0
        self._keys = count()
        self._pasts = 0
        self._told = asyncio.Event()
        self._told.set()
        self._drainer: asyncio.Task[None] | None = None
        self._written = 0
        self._closed = False

    # What is known of it

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait here and in the transport."""
        return self._waiting_bytes + self._buffered()

    @property
    def accepted_bytes(self) -> int:
        """How much the operating system has taken so far: it grows while a backed-up client reads."""
        return self._written - self._buffered()

    @property
    def backed_up(self) -> bool:
        """Whether the client reads more slowly than it is written to."""
        return bool(self._waiting) or self._buffered() > 0

    def _buffered(self) -> int:
        return 0 if self._transport is None or self._closed else self._transport.get_write_buffer_size()

    # Its life

    def open(
        self, transport: asyncio.Transport, protocol: WritingProtocol, writable: Callable[[], Awaitable[None]]
    ) -> None:
        """The connection stands. ``writable`` waits until the transport's buffer has room again."""
        transport.set_write_buffer_limits(high=HIGH_WATER)
        self._transport, self._protocol, self._writable = transport, protocol, writable
        self._pump()

    def close(self) -> None:
        """Forget what waits and take nothing more. The transport is left to its owner."""
        self._closed = True
        self._waiting.clear()
        self._waiting_bytes = 0
        self._told.set()
        self.flush_first = _nothing

    def abort(self) -> None:
        """Close, and end the connection without waiting for the other side."""
        transport = self._transport
        self.close()
        if transport is not None:
            transport.abort()

    # What it is given

    def deliver(self, joined: bytes, events: Sequence[Event]) -> None:
        """Several events, also as one piece of bytes. The hot path: called for every member of an audience."""
        if not self._waiting and self._protocol is not None and not self._protocol.writing_paused:
            self._write(joined)
            return
        for event in events:
            self._enqueue(event)
        self._drain_soon()

    def send(self, frame: bytes) -> None:
        """One frame for this client alone, after all that was said before it."""
        self.flush_first()
        if not self._waiting and self._protocol is not None and not self._protocol.writing_paused:
            self._write(frame)
        else:
            self._enqueue(Event(frame))
            self._drain_soon()

    def send_now(self, frame: bytes) -> None:
        """A frame that belongs to no order (a ping, the closing frame): before what waits."""
        if self._transport is not None:
            self._write(frame)

    def feed(self, frames: Iterator[bytes]) -> None:
        """Frames that are made while the client takes them: the past, however long it is. What follows waits."""
        self.flush_first()
        if self._has_room(0):
            self._waiting[next(self._keys)] = frames
            self._pasts += 1
            self._told.clear()
            self._pump()

    async def told(self) -> None:
        """Wait until every past that was fed is made and written, or the client is gone."""
        await self._told.wait()

    def _enqueue(self, event: Event) -> None:
        if event.utterance_id:
            self._drop(event.utterance_id)
        size = len(event.frame)
        if event.droppable and self._full(size):
            self._counts.interims_dropped += 1
        elif self._has_room(size):
            self._waiting[event.utterance_id if event.droppable else next(self._keys)] = event.frame
            self._waiting_bytes += size

    def _has_room(self, size: int) -> bool:
        """Whether something that must not be dropped fits in, if need be in the place of interims.

        When it does not, the client is cut off.
        """
        if self._closed:
            return False
        if self._full(size):
            for key in [key for key in self._waiting if isinstance(key, str)]:
                self._drop(key)
        if self._full(size):
            self._counts.cut_off += 1
            log.warning("live_client_cut_off", waiting=len(self._waiting), waiting_bytes=self.waiting_bytes)
            self.abort()
        return not self._closed

    def _full(self, size: int) -> bool:
        return len(self._waiting) >= self.limits.queue_packets or self.waiting_bytes + size > self.limits.queue_bytes

    def _drop(self, utterance_id: str) -> None:
        dropped = self._waiting.pop(utterance_id, None)
        if isinstance(dropped, bytes):
            self._waiting_bytes -= len(dropped)
            self._counts.interims_dropped += 1

    # How it gets out

    def _write(self, data: bytes) -> None:
        if self._closed or self._transport is None:
            return
        try:
            self._transport.write(data)
        except RuntimeError:
            # uvloop says so of a transport that is gone already; whoever reads from it will close us.
            self.close()
        else:
            self._written += len(data)

    def _take(self) -> bytes:
        """The next piece of what waits, whole frames."""
        pieces: list[bytes] = []
        size = 0
        while self._waiting and size < _SLICE:
            key, item = next(iter(self._waiting.items()))
            if isinstance(item, bytes):
                frame = item
                self._waiting_bytes -= len(frame)
            else:
                frame = next(item, b"")
            if frame is item or not frame:
                del self._waiting[key]
            if not frame:
                self._past_told()
            pieces.append(frame)
            size += len(frame)
        return b"".join(pieces)

    def _past_told(self) -> None:
        self._pasts -= 1
        if self._pasts == 0:
            self._told.set()

    def _pump(self) -> None:
        """Write a piece at once if the client can take it, and leave the rest to the drainer."""
        if self._protocol is not None and not self._protocol.writing_paused:
            self._write(self._take())
        self._drain_soon()

    def _drain_soon(self) -> None:
        if self._waiting and self._drainer is None and self._protocol is not None:
            self._drainer = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._writable()
                self._write(self._take())
                await asyncio.sleep(0)  # the others' turn, however much there is to catch up
        except ConnectionError:
            self.close()
        except Exception:
            # A past that cannot be told would be tried for ever.
            log.exception("live_outbox_failed")
            self.abort()
        finally:
            self._drainer = None
