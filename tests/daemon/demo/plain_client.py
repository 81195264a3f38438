"""A client of the event socket on a plain socket, that knows nothing of the code under test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote

Pairs = list[tuple[str, str]]


class WireFrame(NamedTuple):
    """A frame as it came: its header block without the blank line, and its body."""

    head: bytes
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """The outer headers. A reply's value may run over lines: what holds no colon is left out."""
        lines = self.head.decode("utf-8", "surrogateescape").split("\n")
        return dict(line.split(": ", 1) for line in lines if ": " in line)

    @property
    def kind(self) -> str:
        """The content type."""
        return self.headers["Content-Type"]

    @property
    def reply(self) -> str:
        """The text of a command's reply, or an api's output."""
        if self.kind == "api/response":
            return self.body.decode("utf-8", "surrogateescape")
        return self.headers["Reply-Text"]

    @property
    def pairs(self) -> Pairs:
        """An event's headers in wire order, repeated names too; arrays as plain events write them; ``_body`` last."""
        return json_pairs(self.body) if self.kind == "text/event-json" else plain_pairs(self.body)

    @property
    def event(self) -> dict[str, str]:
        """An event's headers; of a repeated name the first."""
        return dict(reversed(self.pairs))


def split(data: bytes) -> list[WireFrame]:
    """All frames of whole bytes, as a recording holds them."""
    found, at = [], 0
    while at < len(data):
        if data[at : at + 1] == b"\n":
            at += 1
            continue
        end = data.index(b"\n\n", at)
        head = data[at:end]
        length = WireFrame(head, b"").headers.get("Content-Length", "0")
        found.append(WireFrame(head, data[end + 2 : end + 2 + int(length)]))
        at = end + 2 + int(length)
    return found


def is_event(frame: WireFrame) -> bool:
    return frame.kind.startswith("text/event-")


def json_pairs(text: bytes) -> Pairs:
    members: list[tuple[str, Any]] = json.loads(text.decode("utf-8", "surrogateescape"), object_pairs_hook=list)
    return [(name, value if isinstance(value, str) else "ARRAY::" + "|:".join(value)) for name, value in members]


def plain_pairs(text: bytes) -> Pairs:
    head, _, body = text.partition(b"\n\n")
    pairs = []
    for line in head.decode().split("\n"):
        name, _, quoted = line.partition(": ")
        pairs.append((name, unquote(quoted, errors="surrogateescape")))
    if body:
        pairs.append(("_body", body.decode("utf-8", "surrogateescape")))
    return pairs


class PlainClient:
    """One connection. ``replies`` and ``events`` gather what came, in order; the methods wait for what they name."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.frames: list[WireFrame] = []
        self.raw = bytearray()
        self.ended = False
        self._changed = asyncio.Condition()
        self._answers = 0
        self._task = asyncio.get_running_loop().create_task(self._read())

    @classmethod
    async def connect(cls, port: int) -> PlainClient:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        return cls(reader, writer)

    @classmethod
    async def signed_in(cls, port: int, subscription: str = "") -> PlainClient:
        """Connected, authenticated and, with ``subscription`` (``json ALL``), subscribed."""
        client = await cls.connect(port)
        await client.seen(lambda: client.kinds()[:1] == ["auth/request"])
        assert await client.ask("auth ClueCon") == "+OK accepted"
        if subscription:
            assert (await client.ask(f"event {subscription}")).startswith("+OK event listener enabled")
        return client

    async def _read(self) -> None:
        try:
            while data := await self.reader.read(65_536):
                self.raw += data
                self._split()
                await self._tell()
        except ConnectionError:
            pass
        self.ended = True
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _split(self) -> None:
        while True:
            blank = len(self.raw) - len(self.raw.lstrip(b"\n"))
            del self.raw[:blank]
            end = self.raw.find(b"\n\n")
            if end < 0:
                return
            head = bytes(self.raw[:end])
            length = int(WireFrame(head, b"").headers.get("Content-Length", "0"))
            if len(self.raw) < end + 2 + length:
                return
            self.frames.append(WireFrame(head, bytes(self.raw[end + 2 : end + 2 + length])))
            del self.raw[: end + 2 + length]

    def write(self, text: str) -> None:
        self.writer.write(text.encode("utf-8", "surrogateescape"))

    def kinds(self) -> list[str]:
        return [frame.kind for frame in self.frames]

    @property
    def replies(self) -> list[str]:
        return [frame.reply for frame in self.frames if frame.kind in ("command/reply", "api/response")]

    @property
    def events(self) -> list[WireFrame]:
        return [frame for frame in self.frames if is_event(frame)]

    def names(self) -> list[str]:
        return [frame.event["Event-Name"] for frame in self.events]

    async def seen(self, condition: Callable[[], bool]) -> None:
        """Wait until what has come fulfils ``condition``; fail when the connection ended without."""
        async with self._changed:
            await self._changed.wait_for(lambda: condition() or self.ended)
        assert condition(), f"the connection ended after {self.kinds()[-3:]}"

    async def ask(self, command: str) -> str:
        """Send one command; return the text of its reply."""
        before = len(self.replies)
        self.write(f"{command}\n\n")
        await self.seen(lambda: len(self.replies) > before)
        return self.replies[before]

    async def event(self, **wanted: str) -> dict[str, str]:
        """Wait for an event whose headers hold ``wanted`` (``Event_Name="CHANNEL_PARK"``) and return it."""
        headers = {name.replace("_", "-"): value for name, value in wanted.items()}

        def found() -> list[dict[str, str]]:
            return [frame.event for frame in self.events if headers.items() <= frame.event.items()]

        await self.seen(lambda: bool(found()))
        return found()[-1]

    async def eof(self) -> None:
        """Wait for the end of the connection."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.ended)

    async def close(self) -> None:
        self.writer.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
