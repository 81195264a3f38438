"""A client's session on an event socket, without the socket: bytes in, notices out, bytes to send.

The switch asks for a password, we answer, and from then on commands go out and events and replies come in. Replies
come strictly in the order of the commands and carry no id, so the session keeps a FIFO of who awaits one. Source:
``mod_event_socket.c`` and recordings of FreeSWITCH 1.10.12.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum, StrEnum
from typing import Union

import msgspec

from protocols.errors import LocalError, RemoteError
from protocols.esl import commands, messages
from protocols.esl.commands import Command
from protocols.esl.events import EslEvent, decode_event
from protocols.esl.messages import ApiResponse, CommandReply, LogData
from protocols.esl.parser import JSON, PLAIN, Frame, FrameParser


class Phase(StrEnum):
    """Where the session is. Commands can be sent in ``READY`` only; events still come in ``LEAVING``."""

    AUTH = "auth"
    READY = "ready"
    LEAVING = "leaving"
    """The switch has said goodbye or refused us; what it had queued may follow before the end of the stream."""
    CLOSED = "closed"


class Ready(msgspec.Struct, frozen=True, gc=False):
    """The password was accepted: commands can be sent."""


class AuthRefused(msgspec.Struct, frozen=True, gc=False):
    """The password was refused; ``text`` is the switch's answer. The switch closes the connection next."""

    text: str


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """The switch's access list turned our address away before it asked for a password."""

    text: str


class Answered(msgspec.Struct, frozen=True, gc=False):
    """The reply to the command that :meth:`Connection.send` gave ``token`` for."""

    token: int
    reply: CommandReply | ApiResponse


class UnawaitedReply(msgspec.Struct, frozen=True, gc=False):
    """A reply nobody waits for. ``token`` is that of a command which was forgotten, ``None`` if there was none."""

    reply: CommandReply | ApiResponse
    token: int | None


class BrokenEvent(msgspec.Struct, frozen=True, gc=False):
    """An event frame of ``size`` bytes that could not be read. Count it: the stream itself is whole."""

    reason: str
    size: int


class UnknownFrame(msgspec.Struct, frozen=True, gc=False):
    """A frame of a content type that this session does not know. Count it: the stream itself is whole."""

    content_type: str


class Disconnected(msgspec.Struct, frozen=True, gc=False):
    """The switch says goodbye; events may still follow. With ``linger`` it is not the end, and commands go on."""

    text: str
    linger: bool


class Closed(msgspec.Struct, frozen=True):
    """The stream is over: the last notice of every session.

    ``pending_tokens`` are the commands that will have no answer, forgotten ones left out, oldest first; those of them
    in ``unsent_tokens`` were never taken by :meth:`Connection.data_to_send`. ``clean`` says that the switch had said
    goodbye and the stream ended between two frames. ``error`` is what the switch did wrong, if that is why. Close the
    socket in any case.
    """

    pending_tokens: list[int]
    clean: bool
    unsent_tokens: list[int] = []
    error: RemoteError | None = None


Notice = Union[
    Ready,
    AuthRefused,
    Rejected,
    EslEvent,
    Answered,
    UnawaitedReply,
    BrokenEvent,
    UnknownFrame,
    LogData,
    Disconnected,
    Closed,
]


class _State(Enum):
    CONNECTED = "connected"
    AUTHENTICATING = "authenticating"
    READY = "ready"
    LEAVING = "leaving"
    CLOSED = "closed"


_PHASES = {
    _State.CONNECTED: Phase.AUTH,
    _State.AUTHENTICATING: Phase.AUTH,
    _State.READY: Phase.READY,
    _State.LEAVING: Phase.LEAVING,
    _State.CLOSED: Phase.CLOSED,
}


class Connection:
    """One session, from the first byte to the end of the stream. Not to be used again: make a new one.

    ``password`` answers the switch's request. ``max_headers`` and ``max_body`` bound a frame, in bytes;
    ``max_pending`` the commands that wait for a reply, forgotten ones included.

    ``unawaited`` counts the replies that nobody waited for.
    """

    def __init__(
        self,
        password: str,
        *,
        max_headers: int = 65_536,
        max_body: int = 16_777_216,
        max_pending: int = 10_000,
    ) -> None:
        self._auth = commands.auth(password)
        self._parser = FrameParser(max_headers=max_headers, max_body=max_body)
        self._max_pending = max_pending
        self._enter(_State.CONNECTED)
        self._awaiting: deque[int] = deque()
        """The tokens of the commands without a reply, oldest first; that of a forgotten one is negated."""
        self._last_token = 0
        self._out: list[bytes] = []
        self._unsent = 0
        """How many of the last commands in ``_awaiting`` have not left us."""
        self._goodbye = False
        self.unawaited = 0

    @property
    def phase(self) -> Phase:
        """Where the session is."""
        return _PHASES[self._state]

    def send(self, command: Command) -> int:
        """Queue ``command`` for :meth:`data_to_send`; the token returns in its :class:`Answered`.

        :raises LocalError: when the session is not ready for commands, or ``max_pending`` of them wait already.
        """
        if self._state is not _State.READY:
            raise LocalError(f"the event socket takes no command while it is {self.phase}")
        if len(self._awaiting) >= self._max_pending:
            raise LocalError(f"max_pending={self._max_pending} commands wait for their reply already")
        self._last_token += 1
        self._awaiting.append(self._last_token)
        self._unsent += 1
        self._out.append(command)
        return self._last_token

    def forget(self, token: int) -> None:
        """Say that nobody waits for the reply to ``token`` any more.

        Its place in the order is kept, so that its late reply is not taken for the next one's. A token that was
        answered already is ignored.
        """
        if token in self._awaiting:
            self._awaiting[self._awaiting.index(token)] = -token

    def data_to_send(self) -> bytes:
        """Everything queued, once. Give it to one write: half a command holds back every event."""
        data = b"".join(self._out)
        self._out.clear()
        self._unsent = 0
        return data

    def receive(self, data: bytes | bytearray | memoryview) -> list[Notice]:
        """Take in what arrived; return what it means, in wire order. Look for :meth:`data_to_send` after it.

        Never raises for what the switch sends: a fault of it ends the session with a :class:`Closed` that has an
        ``error``. After the end, data is ignored.
        """
        notices: list[Notice] = []
        if self._state is _State.CLOSED:
            return notices
        try:
            for frame in self._parser.feed(data):
                self._take(frame, notices)
            if self._parser.broken:
                self._parser.close()
        except RemoteError as error:
            notices.append(self._close(clean=False, error=error))
        return notices

    def receive_eof(self) -> list[Notice]:
        """Say that the stream has ended; return the :class:`Closed`, or nothing if there was one already."""
        if self._state is _State.CLOSED:
            return []
        try:
            self._parser.close()
        except RemoteError as error:
            return [self._close(clean=False, error=error)]
        return [self._close(clean=self._goodbye)]

    def _take(self, frame: Frame, notices: list[Notice]) -> None:
        handler = self._handlers.get(frame.content_type)
        if handler is not None:
            handler(self, frame, notices)
        elif self._state in _MAY_BE_NEWER and frame.content_type and frame.content_type not in _KNOWN:
            notices.append(UnknownFrame(frame.content_type.decode("utf-8", "replace")))
        else:
            raise RemoteError(f"a frame of type {frame.content_type[:40]!r} while the session is {self._state.value}")

    def _enter(self, state: _State) -> None:
        self._state = state
        self._handlers = _TABLE[state]

    def _on_auth_request(self, frame: Frame, notices: list[Notice]) -> None:
        self._out.append(self._auth)
        self._enter(_State.AUTHENTICATING)

    def _on_auth_reply(self, frame: Frame, notices: list[Notice]) -> None:
        reply = messages.command_reply(frame)
        if reply.ok:
            self._enter(_State.READY)
            notices.append(Ready())
        else:
            self._enter(_State.LEAVING)
            notices.append(AuthRefused(reply.text))

    def _on_rejection(self, frame: Frame, notices: list[Notice]) -> None:
        self._enter(_State.LEAVING)
        notices.append(Rejected(messages.text_of(frame.body)))

    def _on_command_reply(self, frame: Frame, notices: list[Notice]) -> None:
        notices.append(self._answer(messages.command_reply(frame)))

    def _on_api_response(self, frame: Frame, notices: list[Notice]) -> None:
        notices.append(self._answer(messages.api_response(frame)))

    def _on_event(self, frame: Frame, notices: list[Notice]) -> None:
        try:
            notices.append(decode_event(frame))
        except RemoteError as error:
            notices.append(BrokenEvent(str(error), len(frame.body)))

    def _on_log_data(self, frame: Frame, notices: list[Notice]) -> None:
        notices.append(messages.log_data(frame))

    def _on_disconnect_notice(self, frame: Frame, notices: list[Notice]) -> None:
        linger = messages.header(frame, "Content-Disposition").lower() == "linger"
        self._goodbye = True
        if not linger:
            self._enter(_State.LEAVING)
        notices.append(Disconnected(messages.text_of(frame.body), linger))

    def _answer(self, reply: CommandReply | ApiResponse) -> Answered | UnawaitedReply:
        """Whose reply this is: that of the oldest command which has left us and has none."""
        token = self._awaiting.popleft() if len(self._awaiting) > self._unsent else None
        if token is not None and token > 0:
            return Answered(token, reply)
        self.unawaited += 1
        return UnawaitedReply(reply, None if token is None else -token)

    def _close(self, *, clean: bool, error: RemoteError | None = None) -> Closed:
        commands_left = list(self._awaiting)
        unsent = commands_left[len(commands_left) - self._unsent :]
        self._awaiting.clear()
        self._unsent = 0
        self._out.clear()
        self._enter(_State.CLOSED)
        return Closed(_still_awaited(commands_left), clean, _still_awaited(unsent), error)


def _still_awaited(tokens: list[int]) -> list[int]:
    return [token for token in tokens if token > 0]


_Handler = Callable[[Connection, Frame, list[Notice]], None]

_ANY_TIME: dict[bytes, _Handler] = {b"text/disconnect-notice": Connection._on_disconnect_notice}
_SIGNED_IN: dict[bytes, _Handler] = {
    JSON: Connection._on_event,
    PLAIN: Connection._on_event,
    b"command/reply": Connection._on_command_reply,
    b"api/response": Connection._on_api_response,
    b"log/data": Connection._on_log_data,
}
_TABLE: dict[_State, dict[bytes, _Handler]] = {
    _State.CONNECTED: _ANY_TIME
    | {b"auth/request": Connection._on_auth_request, b"text/rude-rejection": Connection._on_rejection},
    _State.AUTHENTICATING: _ANY_TIME | {b"command/reply": Connection._on_auth_reply},
    _State.READY: _ANY_TIME | _SIGNED_IN,
    _State.LEAVING: _ANY_TIME | _SIGNED_IN,
    _State.CLOSED: {},
}
"""What each state does with each type of frame. A pair that is not here is a fault of the switch."""

_KNOWN = frozenset(content_type for row in _TABLE.values() for content_type in row)
_MAY_BE_NEWER = frozenset({_State.READY, _State.LEAVING})
"""Once signed in, a type that no state knows is a newer switch's, and is handed up instead."""
