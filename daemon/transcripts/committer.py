"""Records become rows: in order, each once, one bad one without harm to the others.

**Found again.** A call whose legs the store knows under another id (the database was away when Parley was started
anew, so the call was given a fresh id) is stored under the id it has had all along. The *alias* from the fresh id to
the stored one is itself stored, with the seq from which the fresh id's utterances go on, so that every record that
still names the fresh id lands in the right place, in this process or a later one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.calls import CallAlias, CallRow, add_alias, aliases_of, calls_by_legs, save_calls, stored_call_ids
from daemon.stores.database import Database, RowRefusedError
from daemon.stores.utterances import (
    UtteranceRow,
    add_utterances,
    last_seq,
    seq_is_taken,
    utterance_is_stored,
    utterances_of,
)
from daemon.transcripts.records import CallRecord, Record, UtteranceRecord

log = structlog.get_logger(__name__)

Rekey = Callable[[str, str, list[UtteranceRow]], None]
"""Told (old call id, stored call id, the finals stored before the old id's own, in order of seq)."""

_MOST_REMEMBERED = 50_000


class _Recent:
    """The call ids used last."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._ids

    def add(self, call_ids: Iterable[str]) -> None:
        for call_id in call_ids:
            self._ids[call_id] = None
            self._ids.move_to_end(call_id)
        while len(self._ids) > _MOST_REMEMBERED:
            self._ids.popitem(last=False)


class _FoundAgain(msgspec.Struct, frozen=True):
    """The record at ``index`` is the first of a call that the store knows as ``stored_id``."""

    index: int
    call_id: str
    stored_id: str


class Committer:
    """Writes records into the database.

    ``rekey`` is called once for every call of this process (``is_ours`` says which are) that turned out to be stored
    under another id. ``last_given`` says the last seq that this process gave out under a call id, 0 for none: not all
    of it need be stored. ``reject`` is given what the database refuses, and why.
    """

    def __init__(
        self,
        database: Database,
        *,
        rekey: Rekey,
        is_ours: Callable[[str], bool],
        last_given: Callable[[str], int],
        reject: Callable[[Record, str], Awaitable[None]],
    ) -> None:
        self.committed = 0
        self.rekeyed = 0
        self.resequenced = 0
        """Utterances that came under a seq another one had, stored under the next free one."""
        self._database = database
        self._rekey = rekey
        self._is_ours = is_ours
        self._last_given = last_given
        self._reject = reject
        self._stored = _Recent()  # calls that have a row
        self._no_alias = _Recent()  # ids that stand for themselves
        self._aliases: dict[str, CallAlias] = {}
        self._followed: set[str] = set()  # old ids whose alias the live side knows, if it had to

    async def commit(self, records: Sequence[Record]) -> None:
        """Store ``records`` in their order.

        Raises ``DatabaseAwayError``. Then some of them may be stored: commit all of them again, which is harmless.
        """
        rest = records
        while rest:
            rest = rest[await self._commit_some(rest) :]

    async def _commit_some(self, records: Sequence[Record]) -> int:
        """Store as many of the first records as can be at once, and say how many."""
        try:
            return await self._attempt(records)
        except RowRefusedError as refused:
            if len(records) == 1:
                await self._refused(records[0], refused)
                return 1
            half = len(records) // 2
            await self.commit(records[:half])
            return half

    async def _attempt(self, records: Sequence[Record]) -> int:
        told: list[tuple[CallAlias, list[UtteranceRow]]] = []
        async with self._database.transaction() as connection:
            for alias in await self._learn_aliases(connection, records):
                told.append((alias, await _rows_before(connection, alias)))
            found = await self._first_found_again(connection, records)
            part = records if found is None else records[: found.index]
            if found is not None and found.index == 0:
                alias = await self._new_alias(connection, found)
                told.append((alias, await _rows_before(connection, alias)))
            await self._write(connection, part)
        for alias, rows in told:
            self._follow(alias, rows)
        self._stored.add(record.row.call_id for record in part if isinstance(record, CallRecord))
        self.committed += len(part)
        return len(part)

    async def _write(self, connection: AsyncConnection, records: Sequence[Record]) -> None:
        calls = [self._call(record.row) for record in records if isinstance(record, CallRecord)]
        await save_calls(connection, calls)
        said = [self._utterance(record.row) for record in records if isinstance(record, UtteranceRecord)]
        await add_utterances(connection, said)

    def _call(self, row: CallRow) -> CallRow:
        alias, merged = self._aliases.get(row.call_id), self._aliases.get(row.merged_into)
        if alias is not None:
            row = msgspec.structs.replace(row, call_id=alias.call_id)
        if merged is not None:
            row = msgspec.structs.replace(row, merged_into=merged.call_id)
        return row

    def _utterance(self, row: UtteranceRow) -> UtteranceRow:
        alias = self._aliases.get(row.call_id)
        if alias is None:
            return row
        return msgspec.structs.replace(row, call_id=alias.call_id, seq=row.seq + alias.seq_offset)

    # Calls found again

    async def _learn_aliases(self, connection: AsyncConnection, records: Sequence[Record]) -> list[CallAlias]:
        """Know every alias among ``records``; returns those that the live side was not told of."""
        named = {record.row.call_id for record in records}
        named.update(record.row.merged_into for record in records if isinstance(record, CallRecord))
        unknown = [one for one in named if one and one not in self._aliases and one not in self._no_alias]
        if unknown:
            self._aliases.update(await aliases_of(connection, unknown))
            self._no_alias.add(one for one in unknown if one not in self._aliases)
        return [self._aliases[one] for one in named if one in self._aliases and one not in self._followed]

    async def _first_found_again(self, connection: AsyncConnection, records: Sequence[Record]) -> _FoundAgain | None:
        """The first call among ``records`` that is new by its id and known by its first leg."""
        calls = [(index, record.row) for index, record in enumerate(records) if isinstance(record, CallRecord)]
        new = {row.call_id: row for _, row in calls if row.call_id not in self._stored}
        new = {call_id: row for call_id, row in new.items() if call_id not in self._aliases}
        if not new:
            return None
        stored = await stored_call_ids(connection, new)
        self._stored.add(stored)
        owners: dict[tuple[str, str, str], str] = {}
        for origin, server in {(row.origin, row.server) for row in new.values()}:
            first_legs = [row.other_id for row in new.values() if (row.origin, row.server) == (origin, server)]
            by_legs = await calls_by_legs(connection, origin, server, first_legs)
            owners.update({(origin, server, leg_id): call_id for leg_id, call_id in by_legs.items()})
        for index, row in calls:
            kept = self._call(row)
            owner = owners.get((row.origin, row.server, row.other_id), row.call_id)
            if row.call_id in new and row.call_id not in stored and owner not in (row.call_id, kept.merged_into):
                return _FoundAgain(index, row.call_id, owner)
            for leg_id in (row.other_id, *(leg.leg_id for leg in row.legs)):
                owners[row.origin, row.server, leg_id] = kept.merged_into or kept.call_id
        return None

    async def _new_alias(self, connection: AsyncConnection, found: _FoundAgain) -> CallAlias:
        offset = max(await last_seq(connection, found.stored_id), self._last_given(found.stored_id))
        await add_alias(connection, CallAlias(found.call_id, found.stored_id, offset))
        # An earlier attempt may have stored it without our hearing so.
        return (await aliases_of(connection, [found.call_id]))[found.call_id]

    def _follow(self, alias: CallAlias, rows: list[UtteranceRow]) -> None:
        self._aliases[alias.old_call_id] = alias
        self._followed.add(alias.old_call_id)
        if not self._is_ours(alias.old_call_id):
            return
        self.rekeyed += 1
        log.info("call_found_again", old_call_id=alias.old_call_id, call_id=alias.call_id, utterances=len(rows))
        try:
            self._rekey(alias.old_call_id, alias.call_id, rows)
        except Exception:
            log.exception("rekey_failed", old_call_id=alias.old_call_id, call_id=alias.call_id)

    # Rows that are refused

    async def _refused(self, record: Record, refused: RowRefusedError) -> None:
        if isinstance(record, UtteranceRecord):
            try:
                if await self._store_under_next_seq(self._utterance(record.row)):
                    return
            except RowRefusedError as error:
                refused = error
        log.error("row_refused", kind=type(record).__name__, call_id=record.row.call_id, cause=refused.cause)
        await self._reject(record, refused.cause)

    async def _store_under_next_seq(self, row: UtteranceRow) -> bool:
        """Store an utterance whose seq is another's. False: that is not what is wrong with it."""
        async with self._database.transaction() as connection:
            if await utterance_is_stored(connection, row.call_id, row.utterance_id):
                return True
            if not await seq_is_taken(connection, row.call_id, row.seq):
                return False
            free = await last_seq(connection, row.call_id) + 1
            await add_utterances(connection, [msgspec.structs.replace(row, seq=free)])
        self.committed += 1
        self.resequenced += 1
        log.warning("utterance_resequenced", call_id=row.call_id, seq=row.seq, stored_seq=free)
        return True


async def _rows_before(connection: AsyncConnection, alias: CallAlias) -> list[UtteranceRow]:
    rows = await utterances_of(connection, alias.call_id)
    return [row for row in rows if row.seq <= alias.seq_offset]
