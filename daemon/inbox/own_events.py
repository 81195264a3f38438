"""Parley's own events as deliveries: ``call.started``, ``call.ended`` with its transcript, ``utterance.final``.

The body has the members of Standard Webhooks: ``{"type", "timestamp" (ISO 8601), "data"}``. What happens is noted where
it is told, in one tick, and stored as soon as the store takes it; only where a handler wants it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import structlog

from daemon.backoff import Backoff
from daemon.calls.call import Call, CallChanged, CallForgotten, CallState
from daemon.hub import Hub
from daemon.inbox.contract import OWN, Inbox, InboxFullError, Work
from daemon.inbox.counts import Counts
from daemon.inbox.handlers import Handlers
from daemon.stores.database import DatabaseAwayError, RowRefusedError
from daemon.transcripts.assembler import Transcripts
from daemon.transcripts.utterance import Utterance

log = structlog.get_logger(__name__)

STARTED: Final = "call.started"
ENDED: Final = "call.ended"
SAID: Final = "utterance.final"
EVENTS: Final = (STARTED, ENDED, SAID)

SETTLE: Final = 5.0
"""Seconds after the end of a call before its transcript is taken: recognisers finish late."""
_MOST_WAITING: Final = 20_000


class OwnEvents:
    """Notes what happens, and puts it into ``inbox``. ``clock`` gives Unix seconds.

    ``settle`` is how long after its end a call is told of, in seconds: less than it stays in memory. ``most_waiting``
    are held while the store is away; past it they are lost, and ``counts`` is told.
    """

    def __init__(
        self,
        hub: Hub,
        transcripts: Transcripts,
        inbox: Inbox,
        handlers: Handlers,
        clock: Callable[[], float],
        *,
        counts: Counts,
        settle: float = SETTLE,
        most_waiting: int = _MOST_WAITING,
    ) -> None:
        self._counts = counts
        self._settle = settle
        self._most_waiting = most_waiting
        self._transcripts = transcripts
        self._inbox = inbox
        self._handlers = handlers
        self._clock = clock
        self._open: set[str] = set()
        self._ended: set[str] = set()
        self._untold: dict[str, tuple[asyncio.Handle, Call]] = {}
        self._waiting: deque[Work] = deque()
        self._some = asyncio.Event()
        self._all_put = asyncio.Event()
        self._all_put.set()
        hub.tap((CallChanged,), self._changed)
        hub.tap((CallForgotten,), self._forgotten)
        hub.tap((Utterance,), self._said)

    async def run(self) -> None:
        """Store what happens until cancelled."""
        backoff = Backoff(0.1, 5.0)
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                try:
                    await self._inbox.put(self._waiting[0])
                except (DatabaseAwayError, InboxFullError):
                    await asyncio.sleep(backoff.next())
                    continue
                except RowRefusedError as error:
                    log.error("own_event_refused", cause=error.cause)
                    self._counts.lost_own(self._clock())
                backoff.reset()
                self._waiting.popleft()
            self._all_put.set()

    async def close(self) -> None:
        """Tell at once of calls that ended, and wait until all that happened is stored. :meth:`run` runs meanwhile."""
        for later, call in [*self._untold.values()]:
            later.cancel()
            self._settled(call)
        await self._all_put.wait()

    def _wanted(self, event: str) -> bool:
        return bool(self._handlers.of(OWN, event))

    def _changed(self, message: CallChanged) -> None:
        call = message.call
        if call.state is not CallState.ENDED:
            if call.call_id not in self._open:
                self._open.add(call.call_id)
                if self._wanted(STARTED):
                    self._note(STARTED, call.call_id, call.created_at, _call(call))
        elif call.call_id not in self._ended:
            self._open.discard(call.call_id)
            if self._wanted(ENDED):
                self._ended.add(call.call_id)
                later = asyncio.get_running_loop().call_later(self._settle, self._settled, call)
                self._untold[call.call_id] = later, call

    def _settled(self, call: Call) -> None:
        """Whoever still spoke when it ended is understood by now: the call is told as it stands in this moment."""
        self._untold.pop(call.call_id, None)
        finals = [_utterance(said) for said in self._transcripts.finals(call.call_id)]
        self._note(ENDED, call.call_id, call.ended_at or self._clock(), _call(call) | {"transcript": finals})

    def _forgotten(self, message: CallForgotten) -> None:
        self._ended.discard(message.call.call_id)

    def _said(self, utterance: Utterance) -> None:
        if utterance.final and self._wanted(SAID):
            self._note(SAID, utterance.call_id, utterance.said_at, _utterance(utterance), utterance.utterance_id)

    def _note(self, event: str, call_id: str, at: float, data: dict[str, Any], more: str = "") -> None:
        moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if len(self._waiting) >= self._most_waiting:
            now = self._clock()
            if not self._counts.own_lost_lately(now):
                log.error("own_events_lost", waiting=len(self._waiting))
            self._counts.lost_own(now)
            return
        self._waiting.append(
            Work(
                source=OWN,
                event=event,
                body=msgspec.json.encode({"type": event, "timestamp": moment, "data": data}),
                other_id=":".join(part for part in (call_id, event, more) if part),
                key=call_id,
            )
        )
        self._all_put.clear()
        self._some.set()


def _call(call: Call) -> dict[str, Any]:
    """As REST shows it, with whole numbers."""
    return {name: value for name, value in msgspec.to_builtins(call).items() if name != "other_id"}


def _utterance(utterance: Utterance) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(utterance)
    return shown
