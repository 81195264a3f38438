"""A browser's end of a WebSocket, as cheap as Python can make it: the benchmarks must not measure their own clients.

It speaks Socket.IO just far enough to be let in and to ask, offers compression as every browser does, and then only
cuts what arrives into frames and counts those that carry an utterance.
"""

from __future__ import annotations

import json
import os
import socket
import zlib

MARK = b'42/live,["utterance"'
"""How the packet of an utterance begins, in every server measured."""

_UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n{headers}\r\n"
)
_COMPRESSED = 0x40
_LARGEST_CONTROL = 12
"""A data frame no longer than this is a ping: an utterance is longer, even compressed."""


class FrameCount:
    """Cuts a server's frames and counts them. ``rest`` is what waits for the rest of its frame."""

    def __init__(self) -> None:
        self.rest = b""
        self.pings = 0

    def feed(self, data: bytes) -> int:
        """Take what arrived; the number of utterances in it. ``pings`` is how many more wait for an answer."""
        buffer = self.rest + data if self.rest else data
        position, size, found = 0, len(buffer), 0
        while size - position >= 2:
            length, start = buffer[position + 1], position + 2
            if length == 126:
                length, start = int.from_bytes(buffer[start : start + 2]), start + 2
            elif length == 127:
                length, start = int.from_bytes(buffer[start : start + 8]), start + 8
            end = start + length
            if end > size:
                break
            if length <= _LARGEST_CONTROL:
                self.pings += 1
            elif buffer[position] & _COMPRESSED or buffer.startswith(MARK, start):
                found += 1
            position = end
        self.rest = buffer[position:]
        return found


class WebSocketReader:
    """One client. ``utterances`` is how many have arrived; :meth:`read` says how many more there are."""

    def __init__(self, port: int, path: str, headers: dict[str, str]) -> None:
        self.utterances = 0
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.socket.sendall(_UPGRADE.format(path=path, port=port, headers=lines).encode())
        self._inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        self._frames = FrameCount()
        head, self._frames.rest = self._read_until(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise ConnectionError(f"the server does not upgrade: {head[:200]!r}")
        self.compressed = b"permessage-deflate" in head.lower()

    def enter(self, event: str, argument: object) -> None:
        """Join the namespace, send ``event`` with ``argument``, and wait for its acknowledgement."""
        self._send("40/live,")
        self._wait_for("40/live,")
        self._send("42/live,0" + json.dumps([event, argument]))
        self._wait_for("43/live,0")

    def read(self) -> int:
        """Take what has arrived; the number of utterances in it. Raises ``ConnectionError`` at the end."""
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionError("the server closed a watcher's connection")
        found = self._frames.feed(data)
        for _ in range(self._frames.pings):
            self._send("3")
        self._frames.pings = 0
        self.utterances += found
        return found

    # The beginning, where it is read and not only counted

    def _wait_for(self, packet: str) -> None:
        while not self._message().startswith(packet.encode()):
            pass

    def _message(self) -> bytes:
        first, second = self._take(2)
        length = second
        if second == 126:
            length = int.from_bytes(self._take(2))
        elif second == 127:
            length = int.from_bytes(self._take(8))
        payload = self._take(length)
        if first & _COMPRESSED:
            return self._inflate.decompress(payload + b"\x00\x00\xff\xff")
        return payload

    def _take(self, count: int) -> bytes:
        frames = self._frames
        while len(frames.rest) < count:
            data = self.socket.recv(65_536)
            if not data:
                raise ConnectionError("the server closed the connection in its handshake")
            frames.rest += data
        taken, frames.rest = frames.rest[:count], frames.rest[count:]
        return taken

    def _read_until(self, end: bytes) -> tuple[bytes, bytes]:
        read = b""
        while end not in read:
            data = self.socket.recv(65_536)
            if not data:
                raise ConnectionError("the server closed the connection in its handshake")
            read += data
        head, _, rest = read.partition(end)
        return head, rest

    def _send(self, text: str) -> None:
        """One masked text frame, as clients must."""
        payload, mask = text.encode(), os.urandom(4)
        size = len(payload)
        head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2)
        self.socket.sendall(head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload)))
