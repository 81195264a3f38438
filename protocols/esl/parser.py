"""Cuts the byte stream of an event socket into frames.

A frame is a block of header lines that end in LF, a blank line, and a body of exactly as many bytes as the header
``Content-Length`` says; nothing stands between a body and the next frame. Source: ``mod_event_socket.c``.
"""

from __future__ import annotations

import msgspec

from protocols.errors import LimitError, RemoteError

JSON = b"text/event-json"
PLAIN = b"text/event-plain"

_LF = 0x0A
_BLANK = b"\r\n"
_END = b"\n\n"
_EVENT_HEAD = b"Content-Length: "
_EVENT_TAIL = b"\nContent-Type: " + JSON
_LENGTH = b"content-length"
_TYPE = b"content-type"
_LONGEST_NUMBER = 18
"""More digits than any limit can have; ``int`` of an unbounded string would cost more than it is worth."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One frame. ``headers`` is the header block as it came, without its blank line; ``body`` is raw.

    ``content_type`` is the value of the outer ``Content-Type``, ``b""`` where there is none.
    """

    headers: bytes
    body: bytes
    content_type: bytes


class FrameParser:
    """Incremental: feed it whatever arrives, in pieces of any size; the frames are the same for every cutting.

    ``max_headers`` bounds a header block and ``max_body`` a body, both in bytes. No more than one of each is ever
    held back, and no byte is searched twice. Blank lines between frames are tolerated.
    """

    def __init__(self, *, max_headers: int = 65_536, max_body: int = 16_777_216) -> None:
        self._max_headers = max_headers
        self._max_body = max_body
        self._partial = bytearray()
        self._open: tuple[bytes, bytes] | None = None
        self._missing = 0
        self._error: RemoteError | None = None

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._partial) + (len(self._open[0]) if self._open is not None else 0)

    @property
    def broken(self) -> bool:
        """Whether the stream broke the protocol: the next call raises why."""
        return self._error is not None

    def feed(self, data: bytes | bytearray | memoryview) -> list[Frame]:
        """Take in ``data`` and return the frames that are now whole, in wire order.

        :raises RemoteError: for a ``Content-Length`` that is no number, or stands there twice.
        :raises LimitError: for headers or a body larger than their limit; nothing of them is kept.

        Frames that came before the fault are not lost with it: they are returned, and the next call raises. An error
        is for good: every later call raises it again.
        """
        if self._error is not None:
            raise self._error
        frames: list[Frame] = []
        try:
            self._cut(bytes(data), frames)
        except RemoteError as error:
            self._error = error
            self._partial.clear()
            self._open = None
            if not frames:
                raise
        return frames

    def close(self) -> None:
        """Say that the stream has ended.

        :raises RemoteError: when it ended within a frame, or was broken before.
        """
        if self._error is not None:
            raise self._error
        if self._partial or self._open is not None:
            self._error = RemoteError("the stream ended within a frame")
            raise self._error

    def _cut(self, data: bytes, frames: list[Frame]) -> None:
        """Append the whole frames of ``data`` to ``frames`` and keep what begins another."""
        at, size = 0, len(data)
        if self._open is not None:
            at = self._resume_body(data, frames)
        elif self._partial:
            at = self._resume_headers(data, frames)
        while at < size:
            if data[at] in _BLANK:
                at += 1
                continue
            end = data.find(_END, at)
            if end < 0:
                self._hold_headers(data[at:])
                return
            headers = data[at:end]
            length, content_type = self._measure(headers)
            at = end + 2
            end = at + length
            if end > size:
                self._open = headers, content_type
                self._missing = end - size
                self._partial += data[at:]
                return
            frames.append(Frame(headers, data[at:end], content_type))
            at = end

    def _resume_body(self, data: bytes, frames: list[Frame]) -> int:
        """Complete the body that was cut; return how much of ``data`` it took."""
        assert self._open is not None  # noqa: S101 - only called with a frame open
        taken = min(self._missing, len(data))
        self._partial += data[:taken]
        self._missing -= taken
        if not self._missing:
            headers, content_type = self._open
            frames.append(Frame(headers, bytes(self._partial), content_type))
            self._open = None
            self._partial.clear()
        return taken

    def _resume_headers(self, data: bytes, frames: list[Frame]) -> int:
        """Complete the header block that was cut; return how much of ``data`` it took."""
        if not data:
            return 0
        if data[0] == _LF and self._partial[-1] == _LF:
            end = -1
        else:
            end = data.find(_END)
            if end < 0:
                self._hold_headers(data)
                return len(data)
        self._partial += data[: end + 1]
        headers = bytes(self._partial[:-1])
        length, content_type = self._measure(headers)
        self._partial.clear()
        self._open = headers, content_type
        self._missing = length
        return end + 2 + self._resume_body(data[end + 2 : end + 2 + length], frames)

    def _hold_headers(self, piece: bytes) -> None:
        self._partial += piece
        if len(self._partial) - (self._partial[-1] == _LF) > self._max_headers:
            raise LimitError("max_headers", self._max_headers)

    def _measure(self, headers: bytes) -> tuple[int, bytes]:
        """The length of the body and the content type that ``headers`` announce."""
        if len(headers) > self._max_headers:
            raise LimitError("max_headers", self._max_headers)
        # Nearly every frame is a json event, which has these two headers in this order and nothing else.
        if headers.endswith(_EVENT_TAIL) and headers.startswith(_EVENT_HEAD):
            digits = headers[len(_EVENT_HEAD) : -len(_EVENT_TAIL)]
            if digits.isdigit() and len(digits) <= _LONGEST_NUMBER:
                return self._allowed(int(digits)), JSON
        length: int | None = None
        content_type = b""
        for line in headers.split(b"\n"):
            name, separator, value = line.partition(b":")
            if not separator:
                continue
            name = name.lower()
            if name == _LENGTH:
                if length is not None:
                    raise RemoteError("a frame gives its Content-Length twice")
                length = _number(value.strip())
            elif name == _TYPE and not content_type:
                content_type = value.strip()
        return self._allowed(length or 0), content_type

    def _allowed(self, length: int) -> int:
        if length > self._max_body:
            raise LimitError("max_body", self._max_body)
        return length


def _number(value: bytes) -> int:
    """The number of bytes that the header value stands for."""
    if not value.isdigit() or len(value) > _LONGEST_NUMBER:
        raise RemoteError(f"a frame's Content-Length is {value[:40]!r}, not a number of bytes")
    return int(value)
