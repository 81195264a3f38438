"""The one WebSocket to the gateway: kept up, asked by ActionID, and listened to.

A gateway tells every client everything. What is nobody's costs a glance; what is ours by its ActionID is read whole.
Commands are never repeated but the few that may be: an answer that did not come says nothing of what happened.
"""

from __future__ import annotations

import asyncio
import secrets as randomness
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException

from daemon.backoff import Backoff
from daemon.calls.links import LinkState
from daemon.config import PbxConfig
from daemon.health import Part
from daemon.pbx.contract import PbxRefused, PbxTimeout, PbxUnavailable, UsageError
from daemon.pbx.requests import Request, Requests
from daemon.pbx.status import Status
from protocols.dcmiws.action_ids import ActionId, ActionIds, unique_part
from protocols.dcmiws.actions import Action
from protocols.dcmiws.frames import Frame, FrameType, decode_frame
from protocols.dcmiws.glance import Glance, glance
from protocols.errors import LocalError, RemoteError

log = structlog.get_logger(__name__)

Tap = Callable[[Glance], None]

_LARGEST_FRAME = 4_194_304
_QUEUE = 1024
"""Frames that may wait between the socket and us before the gateway is made to wait."""
_TURN = 256
"""Frames read at a stretch before the others have their turn."""
_ANSWERS = frozenset({FrameType.RESPONSE, FrameType.OUTPUT, FrameType.QUEUES})
_REFUSALS = frozenset({401, 403, 404})
"""HTTP statuses of a handshake that only an operator can do something about."""
_ALIVE_INTERVAL = 20.0
"""Seconds between two WebSocket pings; as long again may the answer take."""


class Gateway:
    """Asks and listens. ``servers`` gives the ``AMIServerID`` of each name, ``headers`` go with the handshake."""

    def __init__(
        self, config: PbxConfig, servers: Mapping[str, int], status: Status, *, headers: Mapping[str, str] | None = None
    ) -> None:
        self._config = config
        self._servers = dict(servers)
        self._names = {server_id: name for name, server_id in servers.items()}
        self._headers = dict(headers or {})
        self._ids = ActionIds(randomness.token_hex(4))
        self._requests = Requests(lambda: PbxTimeout(f"no answer within {config.request_timeout:g} s"))
        self._outcomes = Requests(lambda: PbxTimeout("the outcome of the call was not told in time"))
        self._taps: dict[str, tuple[Tap, ...]] = {}
        self._connected: list[Callable[[], None]] = []
        self._lost: list[Callable[[str], None]] = []
        self._connection: ClientConnection | None = None
        self.status = status
        self.received = 0
        self.ignored = 0
        self.damaged = 0
        self.unreadable = 0

    # What there is to know

    @property
    def in_flight(self) -> int:
        """Requests that wait for their answer."""
        return len(self._requests)

    @property
    def late_answers(self) -> int:
        """Answers that nobody waited for any more."""
        return self._requests.unmatched

    @property
    def answered(self) -> int:
        """Requests that were answered."""
        return self._requests.answered

    @property
    def timed_out(self) -> int:
        """Requests whose answer did not come in time."""
        return self._requests.timed_out

    def condition(self) -> Part:
        """For health: the link, and what came over it.

        ``ignored`` frames concern nobody here, the text of ``damaged`` ones was not all UTF-8, ``unreadable`` are none.
        """
        numbers = {
            "requests_in_flight": float(self.in_flight),
            "requests_answered": float(self.answered),
            "requests_timed_out": float(self.timed_out),
            "late_answers": float(self.late_answers),
            "frames_received": float(self.received),
            "frames_ignored": float(self.ignored),
            "frames_damaged": float(self.damaged),
            "frames_unreadable": float(self.unreadable),
        }
        part = self.status.part()
        return Part(part.condition, part.detail, part.numbers | numbers)

    def server_name(self, server_id: int) -> str | None:
        """The name in the configuration of the server with that id; ``None`` for one that is not ours to look at."""
        return self._names.get(server_id)

    def on_event(self, names: Iterable[str], tap: Tap) -> None:
        """Call ``tap`` with every event of these names, in order."""
        for name in names:
            self._taps[name] = (*self._taps.get(name, ()), tap)

    def on_connected(self, told: Callable[[], None]) -> None:
        """Call ``told`` each time the link is made."""
        self._connected.append(told)

    def on_lost(self, told: Callable[[str], None]) -> None:
        """Call ``told`` with the reason each time the link is lost, or could not be made."""
        self._lost.append(told)

    # Its life

    async def run(self) -> None:
        """Keep the link up until cancelled."""
        backoff = Backoff(self._config.reconnect_first, self._config.reconnect_cap)
        loop = asyncio.get_running_loop()
        try:
            while True:
                began = loop.time()
                await self._once()
                if loop.time() - began > self._config.reconnect_cap:
                    backoff.reset()
                await asyncio.sleep(backoff.next())
        finally:
            self._fail_all("Parley stops")

    async def _once(self) -> None:
        """Connect and listen until the link is lost."""
        try:
            async with asyncio.timeout(self._config.connect_timeout):
                connection = await self._connect()
        except (OSError, TimeoutError, WebSocketException, ssl.SSLError, ValueError) as error:
            # A ValueError is an address that is none, which the configuration's check need not have seen.
            state = LinkState.REFUSED if _is_refusal(error) else LinkState.AWAY
            self._away(state, _why(error))
            return
        self._connection = connection
        self.status.become(LinkState.READY)
        log.info("pbx_link_up", link=self.status.now.link)
        for told in self._connected:
            told()
        try:
            reason = await self._listen(connection)
        finally:
            self._connection = None
            connection.transport.abort()
            self._fail_all("the link to the gateway was lost")
        log.warning("pbx_link_lost", link=self.status.now.link, error=reason)
        self._away(LinkState.AWAY, reason)

    async def _connect(self) -> ClientConnection:
        return await connect(
            self._config.url,
            ssl=_tls(self._config),
            additional_headers=self._headers,
            compression=None,
            open_timeout=None,
            ping_interval=_ALIVE_INTERVAL,
            ping_timeout=_ALIVE_INTERVAL,
            close_timeout=1.0,
            max_size=_LARGEST_FRAME,
            max_queue=_QUEUE,
            proxy=None,
        )

    def _away(self, state: LinkState, reason: str) -> None:
        self.status.become(state, reason)
        for told in self._lost:
            told(reason)

    def _fail_all(self, reason: str) -> None:
        for requests in (self._requests, self._outcomes):
            requests.fail_all(lambda: PbxUnavailable(reason, sent=True))

    # Listening

    async def _listen(self, connection: ClientConnection) -> str:
        """Take in frames until there are no more; returns why."""
        try:
            while True:
                for _ in range(_TURN):
                    self._take(await connection.recv(decode=False))
                await asyncio.sleep(0)
        except ConnectionClosed as closed:
            # The gateway never says goodbye: 1006 is how it always ends.
            return f"the gateway closed the link ({closed.rcvd.code})" if closed.rcvd else "the gateway is gone"

    def _take(self, raw: bytes) -> None:
        self.received += 1
        try:
            seen, damaged = glance(raw)
            is_ours = bool(seen.data.action_id) and self._ids.is_ours(seen.data.action_id)
            if is_ours:
                self._take_ours(seen, raw)
        except RemoteError as error:
            self.unreadable += 1
            log.warning("pbx_frame_unreadable", error=str(error))
            return
        self.damaged += damaged
        data = seen.data
        if not data.event and data.message == "Authentication accepted":
            # No event, but it tells as much as one: the gateway has signed in to that server again.
            self._tell("FullyBooted", seen)
        elif data.event in self._taps:
            self._tell(data.event, seen)
        elif not is_ours:
            self.ignored += 1

    def _take_ours(self, seen: Glance, raw: bytes) -> None:
        action_id = seen.data.action_id
        is_event = seen.type == FrameType.EVENT
        if is_event and seen.data.event == "OriginateResponse":
            self._outcomes.take(action_id, decode_frame(raw))
        elif seen.type in _ANSWERS or (is_event and self._requests.waits(action_id)):
            self._requests.take(action_id, decode_frame(raw))

    def _tell(self, name: str, seen: Glance) -> None:
        for tap in self._taps.get(name, ()):
            try:
                tap(seen)
            except Exception:
                log.exception("pbx_tap_failed", frame=name)

    # Asking

    async def ask(
        self,
        server: str,
        action: Action,
        *,
        feature: str,
        tenant: str = "",
        extension: str = "",
        what: str = "",
        attempts: int | None = None,
    ) -> Frame:
        """Ask one server and return its response, whatever it says.

        ``tenant`` (its id), ``extension`` and ``what`` go into the ActionID. An action that may be repeated is asked
        up to ``attempts`` times (the configured number) where no answer comes. Raises :class:`PbxUnavailable`,
        :class:`PbxTimeout`, and :class:`UsageError` for what cannot be sent.
        """
        tries = (attempts or self._config.attempts) if action.repeatable else 1
        named = {"tenant": tenant, "extension": extension, "what": what}
        for left in reversed(range(tries)):
            try:
                return (await self._ask_once(server, action, Request(), feature, named))[0]
            except PbxTimeout:
                if left == 0:
                    raise
        raise AssertionError("there is always a last try")

    async def ask_list(self, server: str, action: Action, *, feature: str) -> list[Frame]:
        """Ask for a list; returns its events, without the response before and the one that completes it.

        Raises as :meth:`ask`, and :class:`PbxRefused`.
        """
        frames = await self._ask_once(server, action, Request(is_list=True), feature, {})
        if frames[0].get("Response") == "Error":
            raise PbxRefused(frames[0].get("Message") or "the server refused the list")
        return [frame for frame in frames if frame.type is FrameType.EVENT and not frame.get("EventList")]

    async def originate(
        self,
        server: str,
        action: Action,
        *,
        outcome_within: float,
        told: Callable[[asyncio.Future[list[Frame]]], object],
        tenant: str = "",
        extension: str = "",
    ) -> None:
        """Have a call placed. ``told`` is called with what became of the extension's phone: the ``OriginateResponse``
        alone, :class:`PbxTimeout` after ``outcome_within`` seconds, :class:`PbxUnavailable` when the link is lost.

        Raises as :meth:`ask`, and :class:`PbxRefused` where nothing was placed. After :class:`PbxTimeout` the call may
        have been placed, and ``told`` will be called.
        """
        outcome = Request()
        outcome.answer.add_done_callback(told)
        action_id = self._ids.make("C2C", server=server, tenant=tenant, extension=extension)
        self._outcomes.add(action_id.text(), outcome, outcome_within)
        try:
            response = (await self._send(server, action, Request(), action_id))[0]
        except PbxTimeout:
            raise
        except BaseException:
            self._outcomes.forget(action_id.text())
            raise
        if response.get("Response") != "Success":
            self._outcomes.forget(action_id.text())
            raise PbxRefused(response.get("Message") or "the server refused the call")

    async def _ask_once(
        self, server: str, action: Action, request: Request, feature: str, named: Mapping[str, str]
    ) -> list[Frame]:
        return await self._send(server, action, request, self._ids.make(feature, server=server, **named))

    async def _send(self, server: str, action: Action, request: Request, action_id: ActionId) -> list[Frame]:
        try:
            raw = action.encode(self._servers[server], action_id)
        except LocalError as error:
            raise UsageError(str(error)) from error
        connection = self._connection
        if connection is None:
            raise PbxUnavailable(f"the gateway is away: {self.status.now.detail or 'no link yet'}")
        key = action_id.text()
        self._requests.add(key, request, self._config.request_timeout)
        try:
            async with asyncio.timeout(self._config.request_timeout):
                await connection.send(raw, text=True)
            return await request.answer
        except ConnectionClosed as error:
            raise PbxUnavailable("the link to the gateway was lost", sent=True) from error
        except TimeoutError as error:
            # It waits behind others that the gateway does not read; it may be read yet.
            raise self._requests.late() from error
        except PbxTimeout:
            log.info("pbx_request_unanswered", action=action.name, server=server, unique=unique_part(key))
            raise
        finally:
            self._requests.forget(key)


def _tls(config: PbxConfig) -> ssl.SSLContext | None:
    if not config.url.startswith("wss:"):
        return None
    context = ssl.create_default_context()
    if config.ca_file:
        context.load_verify_locations(config.ca_file)
    return context


def _is_refusal(error: BaseException) -> bool:
    if isinstance(error, InvalidStatus):
        return error.response.status_code in _REFUSALS
    return isinstance(error, ssl.SSLCertVerificationError)


def _why(error: BaseException) -> str:
    """Why there is no link, in words for an operator, without the address, which may hold a secret."""
    if isinstance(error, InvalidStatus):
        return f"the gateway refuses the link: HTTP {error.response.status_code}"
    if isinstance(error, InvalidHandshake):
        return f"what answers there is no WebSocket ({type(error).__name__})"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, OSError):
        with suppress(ValueError, TypeError):
            if error.errno:
                return f"cannot connect: {error.strerror or error}"
        return f"cannot connect: {type(error).__name__}"
    return f"cannot connect: {type(error).__name__}"
