"""One browser in the namespace ``/live``: what it watches, and how it is brought up to date.

Catching up and joining the audience happen in one turn of the event loop: what was said before is in the catch-up,
what is said after goes to the audience, and the outbox keeps the two in order. Only a call that left memory is read
from the store first, and then the question is asked anew, since meanwhile it may have come back.

A client is brought up to date on one thing after another, each when it has taken the one before: however much it asks
for, it costs the others no more than it reads itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from itertools import chain

import msgspec
import structlog

from daemon.calls.registry import Registry
from daemon.stores.calls import CallRow, get_call
from daemon.stores.database import Database, DatabaseAwayError, RowRefusedError
from daemon.stores.utterances import UtteranceRow, utterances_of
from daemon.transcripts.assembler import Transcripts
from daemon.transcripts.utterance import Utterance
from web.live_audience import EVERYTHING, Audiences
from web.live_connection import LiveConnection
from web.live_events import call_frames, reset_frames, utterance_frames
from web.payloads import Watch
from web.problems import ProblemError
from web.views import View

log = structlog.get_logger(__name__)

_MOST_WATCHED = 500
"""Calls one client may watch by name; whoever wants more watches all."""

_MOST_ASKED = 600
"""Questions of one client that may wait for their turn: enough to watch again, at once, all that it may watch."""

_READS = 2
"""Calls that are read from the store at the same time, for all clients together. The recorder needs its connections."""

_READ_TIMEOUT = 10.0
"""How long the store may take for a call that left memory."""


class Past(msgspec.Struct, frozen=True):
    """Where clients find what was said before they watched."""

    registry: Registry
    transcripts: Transcripts
    database: Database
    reads: asyncio.Semaphore = msgspec.field(default_factory=lambda: asyncio.Semaphore(_READS))
    """Whoever reads from the store holds it."""


class LiveClient:
    """One browser. ``view`` is what its account may see."""

    def __init__(self, connection: LiveConnection, view: View, past: Past, audiences: Audiences) -> None:
        self.connection = connection
        self.outbox = connection.outbox
        self.view = view
        self.watched: set[str] = set()
        self._past = past
        self._audiences = audiences
        self._asked: dict[str, Watch] = {}
        """By call, the last that was asked and is not answered yet."""
        self._waiting = 0
        self._turn = asyncio.Lock()

    def welcome(self, frames: Iterator[bytes]) -> None:
        """Tell it what there is, and from now on what changes."""
        self.outbox.feed(frames)
        self._join()

    def leave(self) -> None:
        """It is gone."""
        self._asked.clear()
        self._audiences.remove(self.outbox)

    async def watch(self, wish: Watch) -> None:
        """Bring it up to date on what it asks for, and tell it what is said from now on.

        Returns without a word when it has left meanwhile, or has asked otherwise about the same call. Raises
        :class:`~web.problems.ProblemError` when there is no such call or the store cannot say.
        """
        if self._waiting >= _MOST_ASKED:
            raise ProblemError(429, "Too many calls asked for at once", "Wait for the answers to the earlier ones.")
        self._asked[wish.call_id] = wish
        self._waiting += 1
        try:
            async with self._turn:
                await self.outbox.told()
                if self._still_wants(wish):
                    await self._bring_up_to_date(wish)
        finally:
            self._waiting -= 1
            if self._still_wants(wish):
                del self._asked[wish.call_id]

    def _still_wants(self, wish: Watch) -> bool:
        return self._asked.get(wish.call_id) is wish

    async def _bring_up_to_date(self, wish: Watch) -> None:
        if wish.call_id not in self.watched and len(self.watched) >= _MOST_WATCHED:
            raise ProblemError(409, "Too many calls watched", "Watch all of them (call_id *) instead.")
        if wish.call_id == EVERYTHING or self._past.transcripts.knows(wish.call_id):
            self._watch_memory(wish)
        else:
            await self._watch_store(wish)

    def unwatch(self, call_id: str) -> None:
        """Tell it no more of that call; what it does not watch does not matter."""
        self._asked.pop(call_id, None)
        if call_id in self.watched:
            self.watched.discard(call_id)
            self._join()

    def watch_too(self, call_id: str) -> None:
        """From now on also that call, which it is about to be told of."""
        self.watched.add(call_id)
        self._join()

    def _join(self) -> None:
        self._audiences.place(self.outbox, self.view, self.watched)

    def _watch_memory(self, wish: Watch) -> None:
        transcripts, registry = self._past.transcripts, self._past.registry
        call_ids = [call.call_id for call in registry.calls()] if wish.call_id == EVERYTHING else [wish.call_id]
        same_epoch = wish.epoch == transcripts.epoch
        finals: Iterable[Utterance] = chain.from_iterable(
            # Lists of what is there now: what comes later is told to the audience.
            [transcripts.finals(call_id, wish.after.get(call_id, 0) if same_epoch else 0) for call_id in call_ids]
        )
        interims = chain.from_iterable([transcripts.interims(call_id) for call_id in call_ids])
        self._catch_up(wish, same_epoch, finals, interims)

    def _catch_up(
        self,
        wish: Watch,
        same_epoch: bool,
        finals: Iterable[Utterance | UtteranceRow],
        interims: Iterable[Utterance] = (),
        before: Iterable[bytes] = (),
    ) -> None:
        if same_epoch:
            past = utterance_frames(finals)
        else:
            past = reset_frames(self._past.transcripts.epoch, wish.call_id, finals)
        self.outbox.feed(chain(before, past, utterance_frames(interims)))
        self.watch_too(wish.call_id)

    async def _watch_store(self, wish: Watch) -> None:
        call, finals = await self._read(wish.call_id)
        if not self._still_wants(wish):
            return
        asked_as = wish.call_id
        if call is not None:
            wish = msgspec.structs.replace(wish, call_id=call.call_id)
        if self._past.transcripts.knows(wish.call_id):
            self._watch_memory(wish)
            return
        if call is None:
            raise ProblemError(404, "No such call", "Neither live nor stored.")
        same_epoch = wish.epoch == self._past.transcripts.epoch
        after = wish.after.get(wish.call_id, 0) if same_epoch else 0
        missed = (final for final in finals if final.seq > after)
        self._catch_up(wish, same_epoch, missed, before=call_frames(call, self.view, asked_as))

    async def _read(self, call_id: str) -> tuple[CallRow | None, list[UtteranceRow]]:
        try:
            async with asyncio.timeout(_READ_TIMEOUT), self._past.reads, self._past.database.read() as connection:
                call = await get_call(connection, call_id)
                return call, [] if call is None else await utterances_of(connection, call.call_id)
        except RowRefusedError:
            return None, []  # an id that the store cannot even ask for
        except (DatabaseAwayError, TimeoutError) as error:
            log.warning("live_store_read_failed", error=type(error).__name__)
            raise ProblemError(503, "The store is away", "Calls that are live can be watched.") from error
