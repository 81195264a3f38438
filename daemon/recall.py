"""Finding stored calls again when a switch shows us what it has.

After a restart the registry is empty and the switch is not: its calls keep the ids, and their transcripts the
utterances, that were stored before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.calls.registry import Registry
from daemon.stores.calls import calls_by_legs, end_lost_calls
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.utterances import UtteranceRow, utterances_of
from daemon.transcripts.assembler import Transcripts
from daemon.transcripts.utterance import Speaker, Utterance

log = structlog.get_logger(__name__)

_AGAIN = 2.0
"""Seconds between two tries to settle what the database could not be asked about."""


class Recall:
    """Brings what the database knows of a snapshot's legs into memory, before the snapshot is applied.

    ``replayed`` is awaited first: what an earlier process left in the spool is not known to the database yet.
    """

    def __init__(
        self,
        database: Database,
        registry: Registry,
        transcripts: Transcripts,
        *,
        replayed: Callable[[], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._replayed = replayed
        self._database = database
        self._registry = registry
        self._transcripts = transcripts
        # A call that began before, and that we do not follow, is an earlier process's.
        self._began = clock()
        self._unsettled: dict[tuple[str, str], list[str]] = {}  # (origin, server) → the legs of its snapshot
        self._unsettling = asyncio.Event()

    async def __call__(self, origin: str, server: str, leg_ids: Sequence[str]) -> None:
        """Adopt the stored calls of these legs, and end those that ended while nobody was looking.

        A database that is away is no reason to show nothing: the calls are then followed under new ids, and re-keyed
        when it is back. This may take as long as the database does; whoever asks bounds it.
        """
        self._unsettled[origin, server] = list(leg_ids)
        try:
            await self._replayed()
            await self._recall(origin, server, leg_ids)
        except DatabaseAwayError as error:
            log.warning("calls_not_recalled", server=server, legs=len(leg_ids), error=str(error))
        else:
            self._unsettled.pop((origin, server), None)
        finally:
            if self._unsettled:
                self._unsettling.set()

    async def run(self) -> None:
        """Until cancelled, end the calls that ended unseen also where the database was away when that was found out."""
        while True:
            await self._unsettling.wait()
            await self._replayed()
            try:
                for (origin, server), leg_ids in list(self._unsettled.items()):
                    async with self._database.transaction() as connection:
                        await self._end_lost(connection, origin, server, leg_ids)
                    # Another snapshot may have been taken meanwhile, which is to be settled too.
                    if self._unsettled.get((origin, server)) is leg_ids:
                        del self._unsettled[origin, server]
            except DatabaseAwayError:
                await asyncio.sleep(_AGAIN)
            if not self._unsettled:
                self._unsettling.clear()

    async def _recall(self, origin: str, server: str, leg_ids: Sequence[str]) -> None:
        unknown = [leg_id for leg_id in leg_ids if self._registry.find(origin, server, leg_id) is None]
        async with self._database.transaction() as connection:
            known = await calls_by_legs(connection, origin, server, unknown)
            finals = {
                call_id: await utterances_of(connection, call_id)
                for call_id in set(known.values())
                if not self._transcripts.knows(call_id)
            }
            await self._end_lost(connection, origin, server, leg_ids)
        self._registry.adopt(known, origin, server)
        for call_id, rows in finals.items():
            self._transcripts.adopt(call_id, [final_of(row) for row in rows])
        if known:
            log.info("calls_recalled", server=server, calls=len(finals))

    async def _end_lost(self, connection: AsyncConnection, origin: str, server: str, leg_ids: Sequence[str]) -> None:
        """End what an earlier process followed, and neither the snapshot shows nor we follow."""
        followed = [leg.leg_id for leg in self._registry.live_legs(origin, server)]
        lost = await end_lost_calls(connection, origin, server, living_legs=[*leg_ids, *followed], at=self._began)
        if lost:
            log.info("calls_ended_unseen", server=server, calls=len(lost))


def final_of(row: UtteranceRow) -> Utterance:
    """A stored final as the transcripts hold it."""
    fields = msgspec.structs.asdict(row)
    return Utterance(**fields | {"speaker": Speaker(row.speaker)}, final=True)
