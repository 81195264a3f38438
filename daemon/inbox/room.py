"""The room as a whole: built once, run as one task, and asked by the others for what the contract says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import structlog
from uuid_utils import uuid7

from daemon.address_guard import Address
from daemon.config import InboxConfig
from daemon.health import Condition, Part
from daemon.inbox.acceptor import Acceptor
from daemon.inbox.configured_handlers import configured_handlers
from daemon.inbox.contract import OWN, Claim, ClaimingInbox, Work
from daemon.inbox.counts import Counts
from daemon.inbox.destinations import open_destinations, source_of
from daemon.inbox.handlers import Handlers, NamedHandler
from daemon.inbox.headers import storable_headers
from daemon.inbox.opt_outs import OptOuts
from daemon.inbox.redactions import Redactions
from daemon.inbox.replaying import Replaying
from daemon.inbox.retries import Retries
from daemon.inbox.runs import Runner
from daemon.inbox.sources import Source, SourceRefusedError
from daemon.inbox.voxai_calls import VoxaiCallsHandler
from daemon.inbox.worker import Worker
from daemon.secrets import Secrets
from daemon.stores.bell import Bell
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.deliveries import (
    DeliveryFilter,
    DeliveryPage,
    WholeDelivery,
    count_unfinished,
    delete_ended,
    get_delivery,
    page_of_deliveries,
)
from daemon.stores.delivery_inserts import Accepted, Fate, NewDelivery, add_delivery
from daemon.stores.store_clock import StoreClock
from protocols.webhooks.delivery import Identified

log = structlog.get_logger(__name__)

_COUNT_INTERVAL: Final = 10.0
_TIDY_INTERVAL: Final = 60.0
_ROWS_READ: Final = 5_000
_BODIES_READ: Final = 2_000
"""What one page looks at, at most, and as many fresh ones again: so much takes some 20 ms."""


class InboxRoom(ClaimingInbox):
    """Takes in, works and tells. ``clock`` gives Unix seconds; all times of deliveries are those of ``store_clock``,
    which is made of it where none is given.

    ``holder`` is asked, when the work begins, for the name of this process among those that share the store: the same
    after a restart. Raises ``LocalError`` for a source or a destination that cannot work.
    """

    def __init__(
        self,
        config: InboxConfig,
        secrets: Secrets,
        database: Database,
        *,
        holder: Callable[[], str],
        clock: Callable[[], float] = time.time,
        store_clock: StoreClock | None = None,
    ) -> None:
        self._config = config
        self._database = database
        self._clock = clock
        self._store_clock = store_clock or StoreClock(clock, of_database=database.is_postgresql)
        self._retries = Retries(config.retries)
        self.handlers = Handlers()
        self.sources = {source.name: Source(source, secrets) for source in config.source if source.kind != "off"}
        self.redactions = Redactions(
            database,
            [name for name, source in self.sources.items() if source.kind == "voxai"],
            [source_of(one.name) for one in config.destination if one.url],
        )
        self.destinations = open_destinations(config.destination, secrets, clock, self.redactions.latest)
        for name, destination in self.destinations.items():
            # A source's own name has no colon: nobody can deliver to a destination past its handlers.
            self.handlers.add(
                NamedHandler(
                    name=f"send-{name}", handle=destination.send, source=source_of(name), deadline=destination.patience
                )
            )
        for name, source in self.sources.items():
            if source.kind == "voxai":
                calls = VoxaiCallsHandler(database, self.redactions)
                self.handlers.add(NamedHandler(name=f"{name}-calls", handle=calls.handle, source=name))
        self._opt_outs = OptOuts(database)
        self.counts = Counts([*self.sources, *map(source_of, self.destinations), OWN])
        runner = Runner(self.handlers, self._retries, self._store_clock)
        self.worker = Worker(
            database,
            runner,
            config,
            self._retries,
            self.counts,
            holder=holder,
            clock=self._store_clock,
            pressed=lambda: self.acceptor.pressed,
            alone=[name for name, source in self.sources.items() if not source.stores_as_is],
        )
        self._bell = Bell(database, "parley_inbox", self.worker.wake)
        self.acceptor = Acceptor(database, self._stored)
        self.replaying = Replaying(database, self._retries.attempts, self.worker.wake, self._store_clock)

    def add_configured(self, supplies: Mapping[type, object]) -> None:
        """Add the handlers that the configuration names. ``supplies`` are what functions of others may ask for.

        Raises ``PluginError``.
        """
        for handler in configured_handlers(
            self._config.handler,
            self._config.destination,
            inbox=self,
            database=self._database,
            redactions=self.redactions,
            supplies=supplies,
            clock=self._clock,
        ):
            self.handlers.add(handler)

    def add_own(self, handler: NamedHandler) -> None:
        """Add the handler of a room of ours, whose source is counted for itself.

        Raises ``ValueError`` for a name that is taken.
        """
        self.handlers.add(handler)
        self.counts.tell_apart(handler.source)

    # Taking in

    async def receive(
        self,
        source: Source,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        *,
        address: Address | None,
        url_token: str | None = None,
    ) -> Accepted:
        """Verify what a provider sent, store it, and say what became of it when that is safe.

        Raises :class:`SourceRefusedError`, and as :meth:`put`.
        """
        identified = source.identify(self.verify(source, headers, body, address=address, url_token=url_token), body)
        kept, redacted = body, False
        if not source.stores_as_is:
            kept, redacted = await self._opt_outs.storable(source.name, identified.key, body)
        await self._store_clock.known(self._database)
        kept_headers = storable_headers(headers, url_token=url_token)
        return await self.acceptor.accept(
            self._delivery(source, identified, kept_headers, kept, address, redacted=redacted)
        )

    def takes_at_once(self, source: Source) -> bool:
        """Whether :meth:`take` may be asked: nothing has to be taken out, nor to be looked up before."""
        return source.stores_as_is and self._store_clock.is_known

    def take(
        self,
        source: Source,
        headers: Sequence[tuple[str, str]],
        by_name: Mapping[str, str],
        body: bytes,
        *,
        address: Address | None,
    ) -> asyncio.Future[Accepted]:
        """As :meth:`receive`, for a source of which :meth:`takes_at_once` says so. What is refused raises at once.

        ``by_name`` has the last of ``headers`` by each name in lower case. There is no token in the address.
        """
        self._verify(source, by_name, body, address=address, url_token=None)
        identified = source.identify(by_name, body)
        return self.acceptor.accept(self._delivery(source, identified, storable_headers(headers), body, address))

    def _delivery(
        self,
        source: Source,
        identified: Identified,
        headers: str,
        body: bytes,
        address: Address | None,
        *,
        redacted: bool = False,
    ) -> NewDelivery:
        now = self._store_clock()
        return NewDelivery(
            delivery_id=str(uuid7()),
            source=source.name,
            event=identified.event,
            other_id=identified.other_id,
            order_key=identified.key,
            received_at=now,
            due_at=now,
            attempts_allowed=self._retries.attempts,
            address="" if address is None else str(address),
            redacted=redacted,
            headers=headers,
            body=body,
        )

    def verify(
        self,
        source: Source,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        *,
        address: Address | None,
        url_token: str | None = None,
    ) -> dict[str, str]:
        """See whether a request is from ``source``, and not one too many; returns its headers by lower-case name.

        Raises :class:`SourceRefusedError`.
        """
        by_name = {name.lower(): value for name, value in headers}
        self._verify(source, by_name, body, address=address, url_token=url_token)
        return by_name

    def _verify(
        self, source: Source, by_name: Mapping[str, str], body: bytes, *, address: Address | None, url_token: str | None
    ) -> None:
        now = self._clock()
        try:
            source.verify(by_name, body, address=address, url_token=url_token, now=now)
            source.admit(now)
        except SourceRefusedError as error:
            self.counts.refused(source.name, error.reason)
            raise

    async def put(self, work: Work) -> str:
        """As the contract says."""
        return (
            await self.acceptor.accept(self._of_room(work, await self._store_clock.known(self._database)))
        ).delivery_id

    async def put_claimed(self, work: Work, claim: Claim) -> bool:
        """As the contract says."""
        delivery = self._of_room(work, await self._store_clock.known(self._database))
        async with self._database.transaction() as connection:
            if not await claim(connection):
                return False
            await add_delivery(connection, delivery)
        self._stored([delivery], [Accepted(delivery.delivery_id, Fate.STORED)])
        return True

    def _of_room(self, work: Work, now: float) -> NewDelivery:
        return NewDelivery(
            delivery_id=str(uuid7()),
            source=work.source,
            event=work.event,
            other_id=work.other_id,
            order_key=work.key,
            received_at=now,
            due_at=now if work.due_at is None else work.due_at - self._clock() + now,
            attempts_allowed=self._retries.attempts,
            redacted=work.redacted,
            headers=storable_headers([("Content-Type", work.content_type)]),
            body=work.body,
        )

    # Running

    async def run(self) -> None:
        """Store, work, count and tidy until cancelled."""
        try:
            with suppress(DatabaseAwayError):
                await self._store_clock.known(self._database)
            async with asyncio.TaskGroup() as group:
                group.create_task(self.acceptor.run())
                group.create_task(self.worker.run())
                group.create_task(self._bell.run())
                group.create_task(self._regularly(_COUNT_INTERVAL, self.count))
                group.create_task(self._regularly(_TIDY_INTERVAL, self.tidy))
        finally:
            for destination in self.destinations.values():
                await destination.close()

    def _stored(self, deliveries: Sequence[NewDelivery], accepted: Sequence[Accepted]) -> None:
        for delivery, one in zip(deliveries, accepted, strict=True):
            self.counts.accepted(delivery.source, one.fate)
        if any(one.fate is not Fate.DOUBLE for one in accepted):
            # There is something to work on, for us or, where we have our hands full, for another Parley.
            self.worker.wake()
            self._bell.ring()

    async def close(self, grace: float) -> None:
        """Begin nothing new, and hand back within ``grace`` seconds and a moment what is worked on. What is put in
        is still stored, until the task is cancelled."""
        await self.worker.close(grace)

    async def count(self) -> None:
        """Count what stands in the store; done by itself every few seconds."""
        try:
            async with self._database.read() as connection:
                counted = await count_unfinished(connection)
        except DatabaseAwayError as error:
            self.counts.problem = str(error)
            raise
        self.counts.stored(counted, self._store_clock())

    async def tidy(self) -> None:
        """Delete what ended long ago, a little at a time, so that others can write between."""
        while True:
            now = self._store_clock()
            async with self._database.transaction() as connection:
                deleted = await delete_ended(
                    connection, done_before=now - self._config.keep_done, dead_before=now - self._config.keep_dead
                )
            if not deleted:
                return

    async def _regularly(self, interval: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except DatabaseAwayError as error:
                log.info("inbox_store_away", error=str(error))
            await asyncio.sleep(interval)

    # Asking

    async def page(self, wanted: DeliveryFilter, *, before: str | None, limit: int) -> DeliveryPage:
        """As the store says."""
        async with self._database.read() as connection:
            most = _BODIES_READ if wanted.body else _ROWS_READ
            return await page_of_deliveries(connection, wanted, before=before, limit=limit, most_read=most)

    async def get(self, delivery_id: str) -> WholeDelivery | None:
        """All there is of one."""
        async with self._database.read() as connection:
            return await get_delivery(connection, delivery_id)

    def condition(self) -> Part:
        """For health: whether what is accepted is also worked on."""
        counts = self.counts
        oldest = [one.oldest_pending_at for one in counts.by_source().values() if one.oldest_pending_at is not None]
        age = max(0.0, self._store_clock() - min(oldest)) if oldest else 0.0
        numbers = {
            "waiting": float(self.acceptor.waiting),
            "running": float(self.worker.running),
            "pending": float(sum(one.pending for one in counts.by_source().values())),
            "dead": float(sum(one.dead for one in counts.by_source().values())),
            "oldest_pending_seconds": age,
            "own_events_lost": float(counts.own_lost),
        }
        if self.acceptor.problem:
            return Part(Condition.DEGRADED, "nothing can be stored: providers are told to come again", numbers)
        if counts.problem:
            return Part(Condition.DEGRADED, "what stands in the store could not be counted", numbers)
        if counts.overdue() > self._config.backed_up_after:
            return Part(Condition.DEGRADED, "deliveries that are due are not worked on in time", numbers)
        if counts.own_lost_lately(self._clock()):
            return Part(Condition.DEGRADED, "events of Parley's own were lost within the last hour", numbers)
        return Part(Condition.OK, "", numbers)
