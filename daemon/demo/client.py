"""One client's connection to the simulated event socket: reads commands, queues replies and events, writes them.

As on the switch, replies and events leave in one order; while an ``api`` runs, or half a command is waiting, the
connection's events are withheld and follow the reply.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from daemon.demo.event import Event
from daemon.demo.framing import ACCESS_DENIED, AUTH_REQUEST, GOODBYE, ClientCommand, CommandParser, notice
from daemon.demo.subscription import Subscription

if TYPE_CHECKING:
    from daemon.demo.listener import Listener

WRITE_SIZE = 65_536


class Client:
    """Belongs to a listener, which gives it events and is told when it goes."""

    def __init__(self, listener: Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.listener = listener
        self.subscription = Subscription()
        self.authenticated = False
        self.logging = False
        self.cut_next_event = False
        self.forgotten = False
        """Half-open: the switch has lost this connection and nobody has told the client."""
        self.backlog = 0
        """Events that are queued and not written."""
        self._reader = reader
        self._writer = writer
        self._parser = CommandParser()
        self._out: deque[bytes | Event] = deque()
        self._held: deque[Event] = deque()
        self._holding = False
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False

    # --- its life ---

    async def serve(self) -> None:
        """Speak to the client until it goes, is sent away, or the switch ends."""
        reading = asyncio.get_running_loop().create_task(self._read())
        try:
            await self._write()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            self._closing = True
            self._drop()
            self._writer.close()
            self.listener.left(self)

    def close(self) -> None:
        """Write what is queued, then close the connection."""
        self._closing = True
        self._wake.set()

    def abort(self) -> None:
        """Break the connection off at once, as the death of the process would: nothing queued is written."""
        self._drop()
        self.close()
        self._writer.transport.abort()

    async def flushed(self) -> None:
        """Wait until everything queued is handed to the transport, or the connection is gone."""
        await self._idle.wait()

    def _drop(self) -> None:
        self._out.clear()
        self._held.clear()
        self.backlog = 0
        self._idle.set()

    # --- out ---

    def reply(self, frame: bytes) -> None:
        """Queue a reply or notice."""
        if not self._closing and not self.forgotten:
            self._out.append(frame)
            self._idle.clear()
            self._wake.set()

    def say_goodbye(self, text: str = GOODBYE) -> None:
        """Queue the notice that ends a connection."""
        self.reply(notice("text/disconnect-notice", text))

    def offer(self, event: Event) -> None:
        """Queue an event if this client asked for it."""
        if self._closing or self.forgotten or not self.authenticated or not self.subscription.wants(event):
            return
        self.backlog += 1
        self._idle.clear()
        if self._holding:
            self._held.append(event)
        else:
            self._out.append(event)
            self._wake.set()

    def hold(self, on: bool) -> None:
        """Withhold events from now on, or let those withheld follow what is queued."""
        self._holding = on
        if not on and self._held:
            self._out.extend(self._held)
            self._held.clear()
            self._wake.set()

    async def _write(self) -> None:
        while True:
            await self.listener.faults.flowing.wait()
            chunk = self._next_chunk()
            if chunk:
                self._writer.write(chunk)
                await self._writer.drain()
                self.listener.thaw()
            elif self._closing:
                return
            else:
                if not self._held:
                    self._idle.set()
                await self._wake.wait()
                self._wake.clear()

    def _next_chunk(self) -> bytes:
        frames: list[bytes] = []
        size = 0
        while self._out and size < WRITE_SIZE:
            item = self._out.popleft()
            if isinstance(item, Event):
                self.backlog -= 1
                frame = item.frame(self.subscription.form)
                if self.cut_next_event:
                    frames.append(frame[: len(frame) // 2])
                    self._drop()
                    self._closing = True
                    break
            else:
                frame = item
            frames.append(frame)
            size += len(frame)
        return b"".join(frames)

    # --- in ---

    async def _read(self) -> None:
        await self.listener.faults.flowing.wait()
        if self.listener.faults.acl:
            self.reply(notice("text/rude-rejection", ACCESS_DENIED))
            self.say_goodbye()
            self.close()
            return
        self.reply(AUTH_REQUEST)
        timeout = asyncio.get_running_loop().call_later(self.listener.auth_timeout, self._auth_timed_out)
        try:
            while data := await self._reader.read(WRITE_SIZE):
                await self.listener.faults.flowing.wait()
                await self._take(data)
            self.close()
        except ConnectionError:
            self.abort()
        finally:
            timeout.cancel()

    async def _take(self, data: bytes) -> None:
        for command in self._parser.feed(data):
            if not self._closing and not self.forgotten:
                await self._handle(command)
        self.hold(self._parser.partial)

    async def _handle(self, command: ClientCommand) -> None:
        await self.listener.thawed.wait()
        await self.listener.commands.handle(self, command)

    def _auth_timed_out(self) -> None:
        if not self.authenticated:
            self.say_goodbye()
            self.close()
