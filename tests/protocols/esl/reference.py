"""The event socket read and written in the most naive way, to hold the real code against.

Nothing here is shared with :mod:`protocols.esl`: the reader goes line by line through a whole recording at once, and
the encoders write what ``mod_event_socket.c`` writes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

Headers = Sequence[tuple[str, str | list[str]]]

# What the switch leaves as it is in a plain value; a recording of odd values shows it.
UNQUOTED = "/~'()*!$,._-"


class Read(NamedTuple):
    """A frame: its header lines and its body."""

    lines: list[bytes]
    body: bytes

    @property
    def is_event(self) -> bool:
        return any(line.startswith(b"Content-Type: text/event-") for line in self.lines)


def read_frames(data: bytes) -> list[Read]:
    """Every whole frame of ``data``."""
    stream = io.BytesIO(data)
    frames = []
    lines: list[bytes] = []
    while line := stream.readline():
        if line != b"\n":
            lines.append(line[:-1])
        elif lines:
            lengths = [int(line[15:]) for line in lines if line.startswith(b"Content-Length:")]
            frames.append(Read(lines, stream.read(lengths[0]) if lengths else b""))
            lines = []
    return frames


def json_frame(headers: Headers, body: str | None = None) -> bytes:
    """An event frame as a subscriber to json gets it; a header may stand in ``headers`` twice."""
    items = [*headers, *([("Content-Length", str(len(body.encode()))), ("_body", body)] if body is not None else [])]
    members = ",".join(f"{json.dumps(name)}:{json.dumps(value, ensure_ascii=False)}" for name, value in items)
    return event_frame(b"json", ("{" + members + "}").encode())


def plain_frame(headers: Headers, body: str | None = None) -> bytes:
    """An event frame as a subscriber to plain gets it."""
    return event_frame(b"plain", plain_event(headers, body))


def plain_event(headers: Headers, body: str | None = None) -> bytes:
    """A serialised event: percent-encoded headers, a blank line, and a raw body."""
    lines = [f"{name}: {quote(_plain(value), safe=UNQUOTED)}\n" for name, value in headers]
    if body is None:
        return "".join([*lines, "\n"]).encode()
    return "".join([*lines, f"Content-Length: {len(body.encode())}\n\n", body]).encode()


def event_frame(form: bytes, serialised: bytes) -> bytes:
    """``serialised`` in the outer frame of an event, whose length stands before its type."""
    return b"Content-Length: %d\nContent-Type: text/event-%s\n\n%s" % (len(serialised), form, serialised)


def _plain(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "ARRAY::" + "|:".join(value)
