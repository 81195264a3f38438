"""The live view: calls and their dialogues to every browser that watches, over socket.io's namespace ``/live``.

It listens to the hub by taps, so publishing never waits for a browser: an event is encoded once for each view that
somebody has, gathered with the others of the same turn, and written as one piece of bytes to every member of an
:class:`~web.live_audience.Audience`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from aiohttp import web

from daemon.accounts.accounts import Accounts
from daemon.calls.call import AppMoved, CallChanged
from daemon.calls.links import LinkStatus
from daemon.config import LiveConfig
from daemon.hub import Hub
from daemon.stores.database import DatabaseAwayError
from daemon.transcripts.utterance import TranscriptRecalled, TranscriptsRekeyed, Utterance
from web.identity import IDENTITY, Identity, still_known
from web.live_audience import Audiences
from web.live_client import LiveClient, Past
from web.live_connection import LiveConnection
from web.live_events import call_event, calls_frames, link_event, merged_event, reset_frames, utterance_event
from web.live_frames import DISCONNECT, NAMESPACE, Event, text_frame
from web.live_outbox import LiveCounts
from web.live_server import LiveServer
from web.payloads import Unwatch, Watch
from web.problems import ProblemError
from web.views import View, call_payload

log = structlog.get_logger(__name__)

_GOING_AWAY = 1001
_POLICY = 1008

_SIGNED_OUT = text_frame(DISCONNECT)


class Live:
    """All browsers of the process; every listener's application shares it.

    ``view_of`` says what an account may see, ``links`` tells the state of every link, and ``keep_ended`` is how many
    seconds the registry keeps an ended call. ``clock`` gives Unix seconds. Every ``recheck_interval`` seconds the
    sessions and tokens of those who watch are looked up again: who is not known any more, or as another, is cut off.
    """

    def __init__(
        self,
        limits: LiveConfig,
        *,
        past: Past,
        hub: Hub,
        accounts: Accounts,
        links: Callable[[], list[LinkStatus]],
        view_of: Callable[[Identity], View],
        keep_ended: float,
        clock: Callable[[], float] = time.time,
        recheck_interval: float = 15.0,
    ) -> None:
        self.counts = LiveCounts()
        self._past = past
        self._hub = hub
        self._accounts = accounts
        self._links = links
        self._view_of = view_of
        self._keep_ended = keep_ended
        self._clock = clock
        self._recheck_interval = recheck_interval
        self._audiences = Audiences(self.counts)
        self._clients: dict[str, LiveClient] = {}
        self._server = LiveServer(limits, self.counts)
        self._server.on("connect", self._connect, namespace=NAMESPACE)
        self._server.on("disconnect", self._disconnect, namespace=NAMESPACE)
        self._server.on("watch", self._watch, namespace=NAMESPACE)
        self._server.on("unwatch", self._unwatch, namespace=NAMESPACE)
        self._untap: list[Callable[[], None]] = []
        self._rechecking: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    # Its life

    async def start(self) -> None:
        """Listen to the hub and take browsers. Starting what runs does nothing."""
        if self._rechecking is not None:
            return
        self._untap = [
            self._hub.tap((Utterance,), self._said),
            self._hub.tap((CallChanged, AppMoved), self._call_changed),
            self._hub.tap((LinkStatus,), self._link_changed),
            self._hub.tap((TranscriptRecalled,), self._recalled),
            self._hub.tap((TranscriptsRekeyed,), self._rekeyed),
        ]
        self._rechecking = asyncio.create_task(self._recheck_for_ever())

    async def stop(self) -> None:
        """Take nobody more, and end every connection within a few seconds; browsers come back by themselves."""
        if self._rechecking is None:
            return
        for untap in self._untap:
            untap()
        rechecking, self._rechecking = self._rechecking, None
        rechecking.cancel()
        await asyncio.wait({rechecking})
        await asyncio.gather(*(connection.end(_GOING_AWAY) for connection in self._server.connections()))

    def set_limits(self, limits: LiveConfig) -> None:
        """Other bounds, from now on and for those connected too."""
        self._server.eio.limits = limits
        for connection in self._server.connections():
            connection.outbox.limits = limits

    # Who is here

    @property
    def clients(self) -> int:
        """Browsers connected now."""
        return len(self._server.connections())

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket of somebody who was recognised (``request[IDENTITY]``); returns when it ends.

        Raises :class:`~web.problems.ProblemError` 503 when it is full or not running.
        """
        if self._rechecking is None or self.clients >= self._server.eio.limits.max_clients:
            raise ProblemError(503, "No room for another browser", "Try again later.", {"Retry-After": "10"})
        response: web.StreamResponse = await self._server.handle_request(request)
        return response

    def cut_off(self, token: str) -> None:
        """Whoever is connected by that session or API token is signed out."""
        for connection, identity in self._identities():
            if identity.token == token:
                self._end(connection)

    def _identities(self) -> list[tuple[LiveConnection, Identity]]:
        environs: dict[str, Any] = self._server.environ
        sockets = self._server.eio.sockets
        return [
            (sockets[eio_sid], environ["aiohttp.request"][IDENTITY])
            for eio_sid, environ in environs.items()
            if eio_sid in sockets
        ]

    def _end(self, connection: LiveConnection) -> None:
        task = asyncio.create_task(connection.end(_POLICY, last=_SIGNED_OUT))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _recheck_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._recheck_interval)
            try:
                await self.recheck()
            except DatabaseAwayError:
                continue  # who was let in stays while nobody can be asked
            except Exception:
                log.exception("live_recheck_failed")

    async def recheck(self) -> None:
        """Sign out whoever is connected by a session or token that has ended, or whose role has changed.

        Raises ``DatabaseAwayError`` when nobody can tell; it is done by itself again and again.
        """
        connected: dict[Identity, list[LiveConnection]] = {}
        for connection, identity in self._identities():
            connected.setdefault(identity, []).append(connection)
        for identity, connections in connected.items():
            if not await still_known(self._accounts, identity):
                for connection in connections:
                    self._end(connection)

    # What browsers say

    def _connect(self, sid: str, *_: Any) -> None:
        connection = self._server.connection(sid)
        # From the server's own record: a client can send an event of this name with any arguments.
        identity: Identity = self._server.environ[connection.sid]["aiohttp.request"][IDENTITY]
        client = self._clients[sid] = LiveClient(connection, self._view_of(identity), self._past, self._audiences)
        transcripts, registry = self._past.transcripts, self._past.registry
        frames = calls_frames(
            registry.calls(),
            self._links(),
            client.view,
            epoch=transcripts.epoch,
            now=self._clock(),
            keep_ended=self._keep_ended,
        )
        client.welcome(frames)

    def _disconnect(self, sid: str, *_: Any) -> None:
        client = self._clients.pop(sid, None)
        if client is not None:
            client.leave()

    async def _watch(self, sid: str, *arguments: Any) -> dict[str, Any]:
        client = self._clients.get(sid)
        if client is None:
            return _GONE
        try:
            await client.watch(msgspec.convert(arguments[0], Watch))
        except ProblemError as error:
            return _error(error.title, error.detail)
        except (msgspec.ValidationError, IndexError):
            return _error("Not understood", "watch takes {call_id, after, epoch}.")
        except Exception:
            log.exception("live_watch_failed")
            return _error("Something went wrong here", "It has been logged.")
        return {"ok": True, "epoch": self._past.transcripts.epoch}

    async def _unwatch(self, sid: str, *arguments: Any) -> dict[str, Any]:
        client = self._clients.get(sid)
        if client is None:
            return _GONE
        try:
            wish = msgspec.convert(arguments[0], Unwatch)
        except (msgspec.ValidationError, IndexError):
            return _error("Not understood", "unwatch takes {call_id}.")
        client.unwatch(wish.call_id)
        return {"ok": True, "epoch": self._past.transcripts.epoch}

    # What browsers are told

    def _said(self, utterance: Utterance) -> None:
        if self._audiences.watchers(utterance.call_id):
            self._audiences.tell_watchers(utterance.call_id, utterance_event(utterance))

    def _call_changed(self, changed: CallChanged | AppMoved) -> None:
        for view in self._audiences.views():
            self._audiences.tell_all(view, call_event(call_payload(changed.call, view)))

    def _link_changed(self, link: LinkStatus) -> None:
        event = link_event(link)
        for view in self._audiences.views():
            self._audiences.tell_all(view, event)

    def _rekeyed(self, rekeyed: TranscriptsRekeyed) -> None:
        """A call goes on under another id: the old one is merged into it, and its dialogue is told anew."""
        old, new = rekeyed.old_call_id, rekeyed.call_id
        by_outbox = {client.outbox: client for client in self._clients.values()}
        for outbox in self._audiences.watching(old):
            by_outbox[outbox].watch_too(new)
        call = self._past.registry.get(new)
        if call is not None:
            for view in self._audiences.views():
                self._audiences.tell_all(view, merged_event(call, view, old))
        for frame in reset_frames(rekeyed.epoch, old, ()):
            self._audiences.tell_watchers(old, Event(frame))
        self._tell_anew(new)

    def _recalled(self, recalled: TranscriptRecalled) -> None:
        """Who watched before the call was found again was told what the store had then, or nothing."""
        if self._audiences.watchers(recalled.call_id):
            self._tell_anew(recalled.call_id)

    def _tell_anew(self, call_id: str) -> None:
        transcripts = self._past.transcripts
        for frame in reset_frames(transcripts.epoch, call_id, transcripts.finals(call_id)):
            self._audiences.tell_watchers(call_id, Event(frame))
        for interim in transcripts.interims(call_id):
            self._audiences.tell_watchers(call_id, utterance_event(interim))


def _error(title: str, detail: str) -> dict[str, Any]:
    """The acknowledgement of what cannot be done."""
    return {"error": {"title": title, "detail": detail}}


_GONE = _error("Gone", "The connection has ended.")
