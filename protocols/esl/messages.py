"""What the frames that answer us, and those of the log, say. Events have :mod:`protocols.esl.events`."""

from __future__ import annotations

import msgspec

from protocols.esl.parser import Frame


class CommandReply(msgspec.Struct, frozen=True, gc=False):
    """``command/reply``: the answer to every command but ``api``.

    ``text`` is the ``Reply-Text`` (``+OK …``, ``-ERR …``; the switch cuts it at 511 bytes); ``job_uuid`` the
    ``Job-UUID`` of a ``bgapi``, ``""`` otherwise. To a ``bgapi`` and to a ``sendmsg``, ``+OK`` says no more than that
    the switch has queued it.
    """

    text: str
    job_uuid: str = ""

    @property
    def ok(self) -> bool:
        """Whether the switch said yes."""
        return self.text.startswith("+OK")


class ApiResponse(msgspec.Struct, frozen=True, gc=False):
    """``api/response``: the whole output of an ``api`` command, whatever that command prints."""

    body: str

    @property
    def ok(self) -> bool:
        """False for ``-ERR …`` (``-ERROR`` too) and ``-USAGE …``. Some commands answer ``false``: that is an answer."""
        return not self.body.startswith(("-ERR", "-USAGE"))


class LogData(msgspec.Struct, frozen=True, gc=False):
    """``log/data``: a line of the switch's log. ``level`` is 0 (console) to 7 (debug), 7 where it is not told."""

    level: int
    text: str


def header(frame: Frame, name: str) -> str:
    """The value of the first outer header called ``name`` (in any case), ``""`` where there is none."""
    wanted = name.lower().encode() + b":"
    for line in frame.headers.split(b"\n"):
        if line[: len(wanted)].lower() == wanted:
            return text_of(line[len(wanted) :].strip())
    return ""


def text_of(raw: bytes) -> str:
    """``raw`` as text. What is not UTF-8 is replaced: names and logs carry bytes of any origin."""
    return raw.decode("utf-8", "replace")


def command_reply(frame: Frame) -> CommandReply:
    """Read a ``command/reply`` frame."""
    return CommandReply(header(frame, "Reply-Text"), header(frame, "Job-UUID"))


def api_response(frame: Frame) -> ApiResponse:
    """Read an ``api/response`` frame."""
    return ApiResponse(text_of(frame.body))


def log_data(frame: Frame) -> LogData:
    """Read a ``log/data`` frame."""
    level = header(frame, "Log-Level")
    return LogData(int(level) if level in set("01234567") else 7, text_of(frame.body))
