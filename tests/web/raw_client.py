"""A watcher that is no good browser: a bare socket that may stop reading, or says what no browser says."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from base64 import b64encode

from aiohttp.test_utils import TestServer


class RawClient:
    """A WebSocket spoken by hand. Its receive buffer is small, so that what it does not read backs up soon."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, server: TestServer, headers: dict[str, str], extra: str = "") -> RawClient:
        """Open the WebSocket and enter the namespace, up to the event ``calls``."""
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, (server.host, server.port))
        # A small limit: the stream stops reading from the socket once it holds that much unread.
        reader, writer = await asyncio.open_connection(sock=raw, limit=4096)
        client = cls(reader, writer)
        lines = [
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
            f"Host: {server.host}:{server.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {b64encode(os.urandom(16)).decode()}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        writer.write("\r\n".join([*lines, extra] if extra else lines).encode() + b"\r\n\r\n")
        client.answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert client.answer.startswith("HTTP/1.1 101"), client.answer
        assert (await client.read()).startswith("0{")
        client.send("40/live,")
        assert (await client.read()).startswith("40/live,")
        assert (await client.read()).startswith('42/live,["calls"')
        return client

    answer = ""

    def send(self, text: str) -> None:
        """A text frame with a mask of zeros."""
        payload = text.encode()
        size = len(payload)
        head = bytes([0x81, 0x80 | size]) if size < 126 else bytes([0x81, 0xFE]) + size.to_bytes(2, "big")
        self._writer.write(head + b"\0\0\0\0" + payload)

    def watch(self, call_id: str = "*") -> None:
        wish = json.dumps(["watch", {"call_id": call_id, "after": {}, "epoch": None}])
        self.send(f"42/live,1{wish}")

    async def read(self) -> str:
        """The next frame's text. Raises ``EOFError`` or ``ConnectionError`` at the end of the connection."""
        try:
            opcode, size = await self._reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await self._reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self._reader.readexactly(8), "big")
            payload = await self._reader.readexactly(size)
        except asyncio.IncompleteReadError as error:
            raise EOFError from error
        if opcode == 0x88:
            raise EOFError(int.from_bytes(payload[:2], "big"))
        return payload.decode()

    async def read_events(self, name: str, count: int) -> list[object]:
        """The payloads of the next ``count`` events of that name."""
        found: list[object] = []
        while len(found) < count:
            text = await self.read()
            if text.startswith(f'42/live,["{name}",'):
                found.append(json.loads(text[len("42/live,") :])[1])
        return found

    async def read_to_the_end(self) -> int:
        """Read on until the connection is over. Returns the closing frame's code, 0 where there was none."""
        try:
            while True:
                await self.read()
        except EOFError as error:
            return int(error.args[0]) if error.args else 0
        except ConnectionError:
            return 0

    async def close(self) -> None:
        self._writer.transport.abort()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return
