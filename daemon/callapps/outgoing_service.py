"""Places calls into apps, each once, within limits, and tells what becomes of them.

A row of it stands in the store, and the id of its leg in that row, before the switch is asked for it: a request that
is sent again places no second call, and after a restart the leg is known. A call that rings through a restart is led by
its app when it is answered; one that was led gets the fall-back, as every caller does. When Parley stops, what no app
leads yet is called off: nobody is to answer to silence.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final
from uuid import uuid4

import msgspec
import structlog
from uuid_utils import uuid7

from daemon.actor import Actor
from daemon.callapps.marks import Stage
from daemon.callapps.outgoing import (
    OutgoingCall,
    OutgoingRequest,
    OutgoingState,
    SwitchAwayError,
    TooManyOutgoingError,
)
from daemon.callapps.outgoing_legs import OutgoingLegs, Place
from daemon.callapps.outgoing_progress import Progress, told
from daemon.callapps.outgoing_records import OutgoingRecords, patiently
from daemon.callapps.outgoing_rules import OutgoingRules
from daemon.callapps.placements import Placements
from daemon.callapps.room import CallApps
from daemon.calls.control import CallControl
from daemon.calls.numbers import mask_number
from daemon.calls.registry import Registry
from daemon.config import OutgoingConfig
from daemon.hub import Hub
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.outgoing_calls import OutgoingCallRow

log = structlog.get_logger(__name__)

_FULL_FOR: Final = 30.0
"""When to ask again where all places are taken, in seconds."""


class OutgoingCalls:
    """``controls`` act on the legs of each switch, by its origin and name. ``callapps`` leads what is answered of
    ``placements``. ``instance`` tells this Parley from others, over its restarts. ``clock`` gives Unix seconds."""

    def __init__(
        self,
        config: OutgoingConfig,
        callapps: CallApps,
        placements: Placements,
        *,
        controls: Mapping[Place, CallControl],
        database: Database,
        registry: Registry,
        hub: Hub,
        instance: Callable[[], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._callapps = callapps
        self._rules = OutgoingRules(config, controls, callapps.definitions)
        self._records = OutgoingRecords(database, config)
        self._instance = instance
        self._clock = clock
        self._stopping = False
        self.ended: Counter[OutgoingState] = Counter()
        """How many came to which end since this process began."""
        self._legs = OutgoingLegs(
            config,
            placements,
            controls=controls,
            registry=registry,
            hub=hub,
            mark=lambda app: callapps.marks.of(app, Stage.PLACED),
            save=self._changed,
            clock=clock,
        )

    # Its life

    async def begin(self, patience: float) -> None:
        """Follow legs from now on, those that an earlier process left among them; called before any is known.

        A store that is away is not waited for longer than ``patience`` seconds here.
        """
        self._legs.begin()
        resuming = self._legs.do(patiently(self._resume))
        await asyncio.wait({resuming}, timeout=patience)

    async def run(self) -> None:
        """Keep what becomes of the calls until cancelled."""
        try:
            await self._records.run()
        finally:
            await self._legs.end()
            with contextlib.suppress(DatabaseAwayError):
                await self._records.save_all()

    async def close(self) -> None:
        """Place no more, and call off what no app leads yet. Returns when that is certain."""
        self._stopping = True
        await self._legs.close()

    async def _resume(self) -> None:
        for row in await self._records.open(self._instance()):
            self._legs.resume(row)

    def _changed(self, progress: Progress) -> None:
        if progress.is_over:
            self.ended[progress.state] += 1
        self._records.changed(progress)

    # Placing

    async def place(self, request: OutgoingRequest, *, actor: Actor, key: str) -> OutgoingCall:
        """Place a call, and return when the switch has made a leg for it, or will not; a ``key`` used within a day by
        the same actor places no second one, and returns what became of the first.

        Who asked may go away meanwhile: it is placed all the same. Raises an
        :class:`~daemon.callapps.outgoing.OutgoingError`, and ``DatabaseAwayError``.
        """
        return await asyncio.shield(self._legs.do(self._place(request, actor, key)))

    async def _place(self, request: OutgoingRequest, actor: Actor, key: str) -> OutgoingCall:
        number, places = self._rules.check(request)
        row = OutgoingCallRow(
            call_id=str(uuid7()),
            actor=actor.name,
            request_key=key,
            request=hashlib.sha256(msgspec.json.encode(request, order="sorted")).hexdigest(),
            holder=self._instance(),
            server=places[0][1],
            leg_id=str(uuid4()),
            app=request.app,
            number=number,
            variables=dict(request.variables),
            state=OutgoingState.DIALLING.value,
            created_at=self._clock(),
        )
        try:
            stored, is_new = await self._records.reserve(row, actor, lambda: self._admit(row))
        except BaseException:
            self._legs.forget(row)
            raise
        if not is_new:
            return await self.get(stored.call_id) or told(stored)
        log.info("outgoing_call", call_id=row.call_id, app=row.app, number=mask_number(number), actor=actor.name)
        return told(await self._legs.dial(row, places))

    def _admit(self, row: OutgoingCallRow) -> None:
        """Take a place for one more call, if it may be placed now."""
        self._rules.check_hours(row.created_at)
        if self._stopping:
            raise SwitchAwayError("Parley is stopping")
        if len(self._legs) >= self._config.at_once or self._callapps.is_full:
            text = "as many calls as may be at the same time are under way"
            raise TooManyOutgoingError(text, retry_after=_FULL_FOR)
        self._legs.follow(row)

    # Asking

    @property
    def under_way(self) -> int:
        """How many are not over."""
        return len(self._legs)

    async def get(self, call_id: str) -> OutgoingCall | None:
        """What came of it; ``None`` for an id that is not known."""
        row = self._known(call_id) or await self._records.get(call_id)
        return None if row is None else told(row)

    async def latest(self, limit: int) -> list[OutgoingCall]:
        """The newest, newest first."""
        return [told(self._known(row.call_id) or row) for row in await self._records.latest(limit)]

    def _known(self, call_id: str) -> OutgoingCallRow | None:
        """That call, where this process knows better than the store."""
        return self._legs.rows.get(call_id) or self._records.unsaved(call_id)
