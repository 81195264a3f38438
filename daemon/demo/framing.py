"""The server's side of the event socket's framing: commands in, replies and notices out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

AUTH_REQUEST = b"Content-Type: auth/request\n\n"
GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
SHUTTING_DOWN = "The system is being shut down.\n"
ACCESS_DENIED = "Access Denied, go away.\n"
REPLY_LIMIT = 511
"""A ``Reply-Text`` is cut at so many bytes; the body of an ``api/response`` never is."""

_END = re.compile(rb"\r?\n\r?\n")


def command_reply(text: str, *, job_uuid: str = "") -> bytes:
    """The reply to any command but ``api``."""
    line = text.encode("utf-8", "surrogateescape")[:REPLY_LIMIT]
    job = f"Job-UUID: {job_uuid}\n".encode() if job_uuid else b""
    return b"Content-Type: command/reply\nReply-Text: %b\n%b\n" % (line, job)


def api_response(body: bytes) -> bytes:
    """The reply to ``api``: only a body."""
    return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(body), body)


def notice(kind: str, text: str) -> bytes:
    """``text/disconnect-notice`` or ``text/rude-rejection``."""
    return b"Content-Type: %b\nContent-Length: %d\n\n%b" % (kind.encode(), len(text.encode()), text.encode())


@dataclass(frozen=True)
class ClientCommand:
    """What a client sent up to a blank line: the command itself, then ``Name: value`` lines, then perhaps a body."""

    line: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def word(self) -> str:
        """The command's name, in lower case: FreeSWITCH does not mind the case."""
        return self.line.split(" ", 1)[0].lower()

    @property
    def rest(self) -> str:
        """What stands after the name, unchanged."""
        return self.line.partition(" ")[2]

    def header(self, name: str) -> str:
        """A header's value by its name in any case, ``""`` where there is none."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


class CommandParser:
    """Splits a client's bytes into commands. Blank lines between commands and CRLF are tolerated, as on the switch."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def partial(self) -> bool:
        """Whether half a command is waiting: the switch withholds all events of that connection meanwhile."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[ClientCommand]:
        """Take bytes as they came; return the commands they completed, in order."""
        self._buffer += data
        commands = []
        while (command := self._take()) is not None:
            commands.append(command)
        return commands

    def _take(self) -> ClientCommand | None:
        start = len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))
        del self._buffer[:start]
        end = _END.search(self._buffer)
        if end is None:
            return None
        lines = self._buffer[: end.start()].decode("utf-8", "surrogateescape").split("\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.rstrip("\r").partition(":")
            headers[name.strip()] = value.strip()
        command = ClientCommand(lines[0].strip("\r").lstrip(" "), headers)
        announced = command.header("Content-Length")
        length = int(announced) if announced.isdecimal() else 0
        if len(self._buffer) < end.end() + length:
            return None
        body = self._buffer[end.end() : end.end() + length].decode("utf-8", "surrogateescape")
        del self._buffer[: end.end() + length]
        return ClientCommand(command.line, headers, body)
