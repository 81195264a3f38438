"""One connection to a switch's event socket: reads, feeds the session, writes, hands up. Nothing is decided here.

Everything that arrives is handed up synchronously, in wire order, before the next read: no queue that could fill up and
no task per event, so the socket is always drained (a subscriber that stops reading freezes the switch's event socket
for everybody).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import structlog

from protocols.errors import LocalError
from protocols.esl.commands import Command
from protocols.esl.connection import (
    Answered,
    AuthRefused,
    BrokenEvent,
    Closed,
    Connection,
    Disconnected,
    Notice,
    Phase,
    Ready,
    Rejected,
    UnawaitedReply,
)
from protocols.esl.events import EslEvent
from protocols.esl.messages import ApiResponse, CommandReply

log = structlog.get_logger(__name__)


_NOT_LET_IN = "the switch refuses the password: it must be the one in its event_socket.conf.xml"
_NOT_ON_THE_LIST = (
    "the switch refuses our address: the list in apply-inbound-acl of its event_socket.conf.xml must allow it"
)


class LinkLostError(Exception):
    """There is no link, and trying again may help. The message says why, for an operator."""


class LinkRefusedError(Exception):
    """The switch will not have us until an operator changes something. The message says what."""


class Link(asyncio.Protocol):
    """One connection, from :func:`connect` to its end; ``name`` is for the log.

    ``on_event`` is called with every event and must not raise; ``on_answer`` with every awaited reply and the token of
    its command; ``on_lost`` once at the end, with the tokens of the commands that will have no reply and those of them
    that were never written. ``closed`` then has the reason as its result. ``heard_at`` is when the last byte came, by
    the loop's clock.
    """

    def __init__(
        self,
        connection: Connection,
        name: str,
        *,
        on_event: Callable[[EslEvent], None],
        on_answer: Callable[[int, CommandReply | ApiResponse], None],
        on_lost: Callable[[list[int], list[int]], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.name = name
        self.ready: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[str] = loop.create_future()
        self.heard_at = loop.time()
        self.broken_events = 0
        self._now = loop.time
        self._connection = connection
        self._on_event = on_event
        self._on_answer = on_answer
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._reason = ""

    # What the owner does

    @property
    def is_open(self) -> bool:
        """Whether commands can be sent now."""
        return self._transport is not None and self._connection.phase is Phase.READY

    def send(self, command: Command) -> int:
        """Write ``command`` in one piece and return its token.

        :raises LocalError: when the link is not open, or too many commands wait already; nothing was written.
        """
        if self._transport is None:
            raise LocalError("the link is closed")
        token = self._connection.send(command)
        self._flush()
        return token

    def forget(self, token: int) -> None:
        """Nobody waits for the reply to ``token`` any more; it will not be taken for another's."""
        self._connection.forget(token)

    def drop(self, reason: str) -> None:
        """Close at once; ``closed`` will say ``reason``."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.abort()

    # What the loop does

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._now()
        on_event = self._on_event
        for notice in self._connection.receive(data):
            if type(notice) is EslEvent:
                on_event(notice)
            else:
                self._take(notice)
        self._flush()

    def eof_received(self) -> bool:
        for notice in self._connection.receive_eof():
            self._take(notice)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self._reason = self._reason or f"the connection broke: {_words(error)}"
        self.eof_received()
        self._transport = None
        reason = self._reason or "the switch closed the connection"
        if not self.ready.done():
            self.ready.set_exception(LinkLostError(reason))
        self.closed.set_result(reason)

    def _flush(self) -> None:
        data = self._connection.data_to_send()
        if data and self._transport is not None:
            self._transport.write(data)

    def _take(self, notice: Notice) -> None:
        """Everything but events."""
        match notice:
            case Answered(token, reply):
                self._on_answer(token, reply)
            case Ready():
                self._settle(None)
            case AuthRefused(text):
                self._settle(LinkRefusedError(f"{_NOT_LET_IN} ({text.strip()})"))
            case Rejected(text):
                self._settle(LinkRefusedError(f"{_NOT_ON_THE_LIST} ({text.strip()})"))
            case Disconnected(text, linger):
                # Not the end: events still follow, up to the end of the stream.
                if not linger and not self._reason:
                    self._reason = text.strip().partition("\n")[0]
            case BrokenEvent(size=size):
                self.broken_events += 1
                log.warning("switch_event_unreadable", link=self.name, bytes=size, count=self.broken_events)
            case Closed(tokens, _, unsent, fault):
                if fault is not None:
                    self.drop(f"the switch sent what is no event socket: {fault}")
                self._on_lost(tokens, unsent)
            case UnawaitedReply():
                log.debug("switch_reply_unawaited", link=self.name)
            case _:
                log.debug("switch_frame_ignored", link=self.name, kind=type(notice).__name__)

    def _settle(self, refusal: LinkRefusedError | None) -> None:
        if self.ready.done():
            return
        if refusal is None:
            self.ready.set_result(None)
        else:
            self.ready.set_exception(refusal)


async def connect(link: Link, host: str, port: int, *, within: float) -> None:
    """Connect ``link`` and sign in, within so many seconds. A link that fails is of no more use: make another.

    :raises LinkRefusedError: when the switch refuses the password or our address.
    :raises LinkLostError: when there is no connection, or it ends before it is of use.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(within):
            await loop.create_connection(lambda: link, host, port)
            await link.ready
    except TimeoutError:
        raise LinkLostError(f"no answer from {host}:{port} within {within:g} s") from None
    except OSError as error:
        raise LinkLostError(f"cannot connect to {host}:{port}: {_words(error)}") from None
    finally:
        if not link.is_open:
            link.ready.cancel()
            link.drop("not ready")


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
