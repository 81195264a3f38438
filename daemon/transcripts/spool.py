"""A journal on disk: records go in at one end and out at the other, in order, whatever kills the process between.

The folder holds *segments*, files numbered in the order they were begun. A segment is :data:`MAGIC` and then records:
length and CRC-32 (both little-endian 32 bits, the CRC over length and payload), then the payload. A record that was
appended outlives the process at once (it stands in the kernel's page cache), a loss of power only once the kernel has
written it. A segment is deleted when all of it is consumed; the one being written is emptied instead, so that nothing
of what was said stays behind.

Everything here waits for the disk: call it from one thread that may.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import zlib
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

MAGIC = b"PARLEY1\n"
_HEAD = struct.Struct("<II")
_CHUNK = 262_144
SEGMENT_BYTES = 4_194_304
"""A segment that has grown past this is not appended to any more."""


class SpoolInUseError(RuntimeError):
    """Another process has the spool open: two writers would destroy each other's records."""


def frame(payload: bytes) -> bytes:
    """A record as it stands in a segment. Payloads have at least one byte."""
    length = len(payload).to_bytes(4, "little")
    return length + zlib.crc32(payload, zlib.crc32(length)).to_bytes(4, "little") + payload


def parse(data: bytes | memoryview, start: int = 0, limit: int | None = None) -> tuple[list[bytes], list[int]]:
    """The whole records of ``data`` from ``start`` on, at most ``limit``, and where each ends.

    Stops without a word at the first that is cut off or damaged: what comes after it has no known border.
    """
    payloads: list[bytes] = []
    ends: list[int] = []
    at, size = start, len(data)
    while at + _HEAD.size <= size and (limit is None or len(payloads) < limit):
        length, expected = _HEAD.unpack_from(data, at)
        end = at + _HEAD.size + length
        if length == 0 or end > size:
            break
        payload = bytes(data[at + _HEAD.size : end])
        if zlib.crc32(payload, zlib.crc32(data[at : at + 4])) != expected:
            break
        payloads.append(payload)
        ends.append(end)
        at = end
    return payloads, ends


class _Segment:
    """One file: its whole records end at ``size``, and those from ``offset`` on (``waiting`` of them) are not consumed.

    ``damaged`` says that something stands after ``size`` that is no record.
    """

    def __init__(self, path: Path, *, size: int = len(MAGIC), waiting: int = 0, damaged: bool = False) -> None:
        self.path = path
        self.offset = len(MAGIC)
        self.size = size
        self.waiting = waiting
        self.damaged = damaged

    @classmethod
    def found(cls, path: Path) -> _Segment:
        """A file that an earlier process left."""
        data = path.read_bytes()
        if not data.startswith(MAGIC):
            return cls(path, damaged=len(data) > 0)
        _, ends = parse(data, len(MAGIC))
        size = ends[-1] if ends else len(MAGIC)
        return cls(path, size=size, waiting=len(ends), damaged=size < len(data))

    def read(self, offset: int, limit: int) -> tuple[list[bytes], list[int]]:
        """Some of the records from ``offset`` on, and where each ends; none where the file is damaged there."""
        with self.path.open("rb") as file:
            size = min(_CHUNK, self.size - offset)
            payloads, ends = parse(os.pread(file.fileno(), size, offset), 0, limit)
            if not payloads and size < self.size - offset:
                # One record longer than a chunk.
                payloads, ends = parse(os.pread(file.fileno(), self.size - offset, offset), 0, limit)
        return payloads, [offset + end for end in ends]


class Spool:
    """The journal in ``folder``. Every method opens it first where that has not been possible yet."""

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.waiting = 0
        """Records that are not consumed."""
        self.damaged = 0
        """Segments with something after their last whole record: cut off by a kill, or damaged on disk."""
        self.unreadable = 0
        """Records that waited and cannot be read any more; the file that held them is kept as ``.damaged``."""
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._segments: deque[_Segment] = deque()
        self._handed_out: deque[tuple[_Segment, int]] = deque()  # where each record of the last read ends
        self._writer: int | None = None  # appends to the last segment
        self._lock: int | None = None
        self._next_number = 1

    def open(self) -> None:
        """Find what an earlier process left behind. Raises :class:`SpoolInUseError` or ``OSError``."""
        if self._lock is not None:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            segments = [_Segment.found(path) for path in sorted(self._folder.glob("*.spool"))]
        except BlockingIOError:
            os.close(lock)
            raise SpoolInUseError(f"{self._folder} is in use by another process") from None
        except OSError:
            os.close(lock)
            raise
        self._lock = lock
        self._segments.extend(segments)
        self._next_number = int(segments[-1].path.stem) + 1 if segments else 1
        self.waiting = sum(segment.waiting for segment in segments)
        self.damaged += sum(segment.damaged for segment in segments)
        self._drop_consumed()

    def append(self, payloads: Sequence[bytes]) -> None:
        """Add records after all others, by one write. Raises ``OSError``, and then none of them was added."""
        self.open()
        segment, writer = self._writing()
        data = memoryview(b"".join(map(frame, payloads)))
        written = 0
        try:
            while written < len(data):
                written += os.write(writer, data[written:])
        except OSError:
            self._take_back(segment, writer)
            raise
        segment.size += len(data)
        segment.waiting += len(payloads)
        self.waiting += len(payloads)

    def _writing(self) -> tuple[_Segment, int]:
        """The segment to append to, begun now where there is none or the last one is full."""
        if self._writer is not None and self._segments[-1].size >= self._segment_bytes:
            self._stop_writing()
        if self._writer is not None:
            return self._segments[-1], self._writer
        path = self._folder / f"{self._next_number:016d}.spool"
        writer = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._next_number += 1
        try:
            if os.write(writer, MAGIC) < len(MAGIC):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.close(writer)
            path.unlink()
            raise
        self._writer = writer
        self._segments.append(_Segment(path))
        return self._segments[-1], writer

    def _take_back(self, segment: _Segment, writer: int) -> None:
        """What a failed write left must not stand between whole records."""
        try:
            os.ftruncate(writer, segment.size)
        except OSError:
            segment.damaged = True
            self._stop_writing()

    def _stop_writing(self) -> None:
        if self._writer is not None:
            os.close(self._writer)
            self._writer = None

    def read(self, limit: int) -> list[bytes]:
        """The oldest records, at most ``limit``, and the same again until they are consumed. Raises ``OSError``."""
        self.open()
        payloads: list[bytes] = []
        self._handed_out.clear()
        for segment in self._segments:
            offset = segment.offset
            while offset < segment.size and len(payloads) < limit:
                found, ends = segment.read(offset, limit - len(payloads))
                if not found:
                    self._give_up(segment, offset)
                    break
                payloads += found
                self._handed_out.extend((segment, end) for end in ends)
                offset = ends[-1]
        return payloads

    def _give_up(self, segment: _Segment, offset: int) -> None:
        """The file was damaged after it was found or written: nothing from ``offset`` on can be read."""
        readable = sum(1 for of, _ in self._handed_out if of is segment)
        self.waiting -= segment.waiting - readable
        self.unreadable += segment.waiting - readable
        segment.waiting, segment.size, segment.damaged = readable, offset, True
        self.damaged += 1
        if segment is self._segments[-1]:
            self._stop_writing()

    def consume(self, count: int) -> None:
        """The first ``count`` records of the last :meth:`read` are done with. Raises ``OSError``.

        They are done with even when it raises; then the file that held them could not be deleted or emptied yet.
        """
        for _ in range(count):
            segment, end = self._handed_out.popleft()
            segment.offset = end
            segment.waiting -= 1
        self.waiting -= count
        self._drop_consumed()

    def _drop_consumed(self) -> None:
        while self._segments and self._segments[0].waiting == 0:
            segment = self._segments[0]
            if len(self._segments) == 1 and self._writer is not None:
                if segment.size > len(MAGIC):
                    os.ftruncate(self._writer, len(MAGIC))
                    segment.size = segment.offset = len(MAGIC)
                return
            if segment.damaged:
                # It may hold what somebody wants to look for by hand.
                aside = segment.path.with_suffix(".damaged")
                segment.path.rename(aside)
                log.warning("spool_segment_damaged", kept_as=aside.name)
            else:
                segment.path.unlink(missing_ok=True)
            self._segments.popleft()

    def close(self) -> None:
        """Let another process have it."""
        self._stop_writing()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        self._segments.clear()
        self._handed_out.clear()
        self.waiting = 0
