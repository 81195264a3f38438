"""Writing to systemd's journal with fields of its own, in its native protocol.

https://systemd.io/JOURNAL_NATIVE_PROTOCOL/
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

SOCKET = Path("/run/systemd/journal/socket")

# A datagram larger than the socket's buffer would have to travel as a sealed memory file. A log line has no business
# being that long; what is cut is the message, never a field.
_MAX_MESSAGE = 65_536


def leads_to_journal(stream: TextIO, journal_stream: str | None) -> bool:
    """Whether ``stream`` is the one that ``$JOURNAL_STREAM`` (``device:inode``) says is connected to the journal."""
    if not journal_stream:
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return journal_stream == f"{status.st_dev}:{status.st_ino}"


class Journal:
    """The journal's socket. ``send`` never waits: a journal that takes nothing must not stop the event loop."""

    def __init__(self, path: Path = SOCKET) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise

    def send(self, message: str, priority: int, fields: Mapping[str, str]) -> bool:
        """Hand over one entry; ``priority`` as in syslog (3 error … 7 debug). False: the journal did not take it.

        The names in ``fields`` are upper case, as the journal demands.
        """
        entry = [("MESSAGE", message[:_MAX_MESSAGE]), ("PRIORITY", str(priority)), ("SYSLOG_IDENTIFIER", "parley")]
        entry += fields.items()
        try:
            self._socket.send(b"".join(_field(name, value) for name, value in entry))
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Let go of the socket."""
        with contextlib.suppress(OSError):
            self._socket.close()


def _field(name: str, value: str) -> bytes:
    """One field; a value with a line break is sent by its length."""
    data = value.encode(errors="replace")
    if b"\n" in data:
        return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
    return name.encode() + b"=" + data + b"\n"
