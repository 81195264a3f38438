"""Finding stored calls again when a switch shows us what it has.

After a restart the registry is empty and the switch is not: its calls keep the ids, and their transcripts the
utterances, that were stored before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from daemon.calls.registry import Registry
from daemon.stores.calls import calls_by_legs, end_lost_calls
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.utterances import UtteranceRow, utterances_of
from daemon.transcripts.assembler import Transcripts
from daemon.transcripts.utterance import Speaker, Utterance

log = structlog.get_logger(__name__)

_JUST_BEGUN = 30.0
"""A call younger than this may have begun after the snapshot was taken and not be lost at all. Seconds."""


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
        self._clock = clock

    async def __call__(self, origin: str, server: str, leg_ids: Sequence[str]) -> None:
        """Adopt the stored calls of these legs, and end those that ended while nobody was looking.

        A database that is away is no reason to show nothing: the calls are then followed under new ids, and re-keyed
        when it is back. This may take as long as the database does; whoever asks bounds it.
        """
        await self._replayed()
        unknown = [leg_id for leg_id in leg_ids if self._registry.find(origin, server, leg_id) is None]
        followed = [leg.leg_id for leg in self._registry.live_legs(origin, server)]
        try:
            async with self._database.transaction() as connection:
                known = await calls_by_legs(connection, origin, server, unknown)
                finals = {
                    call_id: await utterances_of(connection, call_id)
                    for call_id in set(known.values())
                    if not self._transcripts.knows(call_id)
                }
                before = self._clock() - _JUST_BEGUN
                lost = await end_lost_calls(connection, origin, server, living_legs=[*leg_ids, *followed], at=before)
        except DatabaseAwayError as error:
            log.warning("calls_not_recalled", server=server, legs=len(unknown), error=str(error))
            return
        self._registry.adopt(known, origin, server)
        for call_id, rows in finals.items():
            self._transcripts.adopt(call_id, [final_of(row) for row in rows])
        if known or lost:
            log.info("calls_recalled", server=server, calls=len(finals), lost=len(lost))


def final_of(row: UtteranceRow) -> Utterance:
    """A stored final as the transcripts hold it."""
    fields = msgspec.structs.asdict(row)
    return Utterance(**fields | {"speaker": Speaker(row.speaker)}, final=True)
