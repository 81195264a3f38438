"""Calls and finals on their way into the database, which may be slow, hung or away.

Whoever publishes never waits. What was published is noted in memory, written to the spool on disk every
``flush_interval``, and committed to the database from there, in order and in batches. So a database that is away
grows nothing but the spool, and a kill costs what was published since the last flush.

Where the spool's disk refuses (full, gone), rows wait in memory, go into the database directly, and past
``memory_rows`` are lost and counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from daemon.backoff import Backoff
from daemon.calls.call import CallChanged, CallForgotten
from daemon.config import RecorderConfig
from daemon.health import Part
from daemon.hub import Hub
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.utterances import UtteranceRow
from daemon.transcripts.backlog import Backlog, Taken
from daemon.transcripts.committer import Committer, Rekey
from daemon.transcripts.dead_letters import DeadLetters
from daemon.transcripts.records import Record, RecordError, decode_record, encode_record
from daemon.transcripts.spool import Spool, SpoolInUseError
from daemon.transcripts.troubles import Troubles, Waiting
from daemon.transcripts.utterance import Utterance

log = structlog.get_logger(__name__)

T = TypeVar("T")

COMMIT_INTERVAL = 0.2
"""Seconds between two commits while less than a batch waits: what is live comes from memory, so rows may gather."""
_REFUSED_RETRY = 0.5
_PING_INTERVAL = 10.0
_STOP_PATIENCE = 3.0


class Recorder:
    """Records what the hub carries, from the moment it is made.

    ``rekey`` is called on the loop for a call that turned out to be stored under another id (see
    :mod:`daemon.transcripts.committer`); from then on it is published under that id. ``spool_dir`` belongs to this
    recorder alone.
    """

    def __init__(
        self,
        hub: Hub,
        database: Database,
        config: RecorderConfig,
        *,
        spool_dir: Path,
        rekey: Rekey,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._config = config
        self._clock = clock
        self._backlog = Backlog(config.memory_rows)
        self._spool = Spool(spool_dir)
        self._dead_letters = DeadLetters(spool_dir / "rejected.jsonl")
        self._ours: dict[str, int] = {}  # calls of this process's memory → the last seq given out
        self._rekey = rekey
        self._committer = Committer(
            database,
            rekey=self._found_again,
            is_ours=self._ours.__contains__,
            last_given=lambda call_id: self._ours.get(call_id, 0),
            reject=self._reject,
        )
        self._disk = ThreadPoolExecutor(1, "parley-spool")
        self._order = asyncio.Lock()  # rows leave the backlog one way at a time
        self._noted = asyncio.Event()
        self._work = asyncio.Event()
        self._hurry = asyncio.Event()
        self._settled = asyncio.Event()
        self._replayed = asyncio.Event()
        self._left_behind = 0  # records of an earlier process that are not stored yet
        self._rejected = 0
        self._oldest_at: float | None = None  # of the batch in hand
        self._set_aside: set[bytes] = set()  # what of the batch in hand was rejected already
        self._troubles = Troubles(clock)
        hub.tap((CallChanged,), self._note_call)
        hub.tap((CallForgotten,), self._forget_call)
        hub.tap((Utterance,), self._note_utterance)

    # From the hub

    def _note_call(self, changed: CallChanged) -> None:
        self._ours.setdefault(changed.call.call_id, 0)
        self._backlog.note_call(self._clock(), changed.call)
        self._settled.clear()
        self._noted.set()

    def _found_again(self, old_call_id: str, call_id: str, stored: list[UtteranceRow]) -> None:
        last = max(self._ours.get(call_id, 0), stored[-1].seq if stored else 0)
        self._ours[call_id] = last + self._ours.pop(old_call_id, 0)
        self._rekey(old_call_id, call_id, stored)

    def _forget_call(self, forgotten: CallForgotten) -> None:
        self._ours.pop(forgotten.call.call_id, None)

    def _note_utterance(self, utterance: Utterance) -> None:
        if utterance.final:
            if utterance.call_id in self._ours:
                self._ours[utterance.call_id] = utterance.seq
            self._backlog.note_utterance(self._clock(), utterance)
            self._settled.clear()
            self._noted.set()

    # The two tasks

    async def run(self) -> None:
        """Record until cancelled; then store what can be within some seconds, and leave the rest in the spool.

        Raises ``SpoolInUseError`` where another process has the spool.
        """
        try:
            await self._open()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._flush_for_ever())
                tasks.create_task(self._store_for_ever())
        except SpoolInUseError:
            self._disk.shutdown(wait=False)
            raise
        except BaseException:
            await self._finish()
            raise

    async def _open(self) -> None:
        try:
            await self._on_disk(self._spool.open)
        except OSError as error:
            self._troubles.spool_refuses(error)
        self._left_behind = self._spool.waiting
        if self._left_behind:
            log.info("spool_replayed", rows=self._left_behind)
        else:
            self._replayed.set()

    async def _flush_for_ever(self) -> None:
        while True:
            await self._noted.wait()
            await self._pause(self._config.flush_interval if self._troubles.spool is None else _REFUSED_RETRY)
            await self._flush()

    async def _store_for_ever(self) -> None:
        backoff = Backoff(0.1, 2.0)
        while True:
            try:
                stored = await self._store_next()
            except (DatabaseAwayError, OSError) as error:
                self._troubles.database_away(error)
                await self._pause(backoff.next())
                continue
            backoff.reset()
            self._troubles.database_back()
            if not stored:
                await self._wait_for_work()
            elif stored < self._config.batch_rows:
                await self._pause(COMMIT_INTERVAL)

    async def _finish(self) -> None:
        await self._flush()
        with suppress(DatabaseAwayError, OSError, TimeoutError):
            async with asyncio.timeout(_STOP_PATIENCE):
                while await self._store_next():
                    pass
        if self._backlog:
            log.error("rows_lost", rows=len(self._backlog))
        await self._on_disk(self._spool.close)
        self._disk.shutdown(wait=False)

    # Memory → spool

    async def _flush(self) -> None:
        async with self._order:
            taken = self._backlog.take()
            self._noted.clear()
            if taken:
                writing = asyncio.get_running_loop().run_in_executor(self._disk, self._write, taken)
                # A callback, so that the outcome counts even where the one who waits for it is cancelled.
                writing.add_done_callback(partial(self._written, taken))
                with suppress(OSError):
                    await asyncio.shield(writing)
        self._work.set()

    def _write(self, taken: Taken) -> None:
        self._spool.append([encode_record(record) for record in taken.records()])

    def _written(self, taken: Taken, writing: asyncio.Future[None]) -> None:
        error = writing.exception()
        if error is None:
            self._troubles.spool_accepts()
            return
        self._backlog.put_back(taken)
        self._noted.set()
        self._troubles.spool_refuses(error)

    # Spool → database

    async def _store_next(self) -> int:
        """Store what is oldest; returns how many rows, 0 where nothing waits."""
        if self._spool.waiting:
            return await self._store_from_spool()
        if self._troubles.spool is not None and self._backlog:
            async with self._order:
                if not self._spool.waiting:
                    return await self._store_from_memory()
        if self._troubles.database is not None:
            await self._database.ping()
        self._oldest_at = None
        if not self._backlog and not self._order.locked():
            self._settled.set()
        return 0

    async def _store_from_spool(self) -> int:
        payloads = await self._on_disk(self._spool.read, self._config.batch_rows)
        records: list[Record] = []
        for payload in payloads:
            try:
                records.append(decode_record(payload))
            except RecordError as error:
                await self._reject(payload, f"not readable: {error}")
        if records:
            self._oldest_at = records[0].at
            await self._committer.commit(records)
        self._set_aside.clear()
        await self._on_disk(self._spool.consume, len(payloads))
        # They are the oldest, so no more of them can be left than wait at all: some may have become unreadable.
        self._left_behind = min(self._left_behind - len(payloads), self._spool.waiting)
        if self._left_behind <= 0:
            self._replayed.set()
        return len(payloads)

    async def _store_from_memory(self) -> int:
        taken = self._backlog.take(self._config.batch_rows)
        try:
            await self._committer.commit(taken.records())
        except BaseException:
            self._backlog.put_back(taken)
            raise
        self._set_aside.clear()
        return len(taken)

    async def _wait_for_work(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PING_INTERVAL):
                await self._work.wait()
            self._work.clear()
            return
        try:
            await self._database.ping()
        except DatabaseAwayError as error:
            self._troubles.database_away(error)

    async def _reject(self, refused: Record | bytes, cause: str) -> None:
        payload = refused if isinstance(refused, bytes) else encode_record(refused)
        if payload in self._set_aside:
            return  # the batch is being committed again
        self._set_aside.add(payload)
        self._rejected += 1
        try:
            await self._on_disk(self._dead_letters.add, self._clock(), cause, refused)
        except OSError as error:
            self._backlog.lost += 1
            log.error("dead_letter_lost", error=str(error))

    async def _on_disk(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, partial(function, *arguments))

    async def _pause(self, seconds: float) -> None:
        """Wait, but not long where there is a hurry."""
        if self._hurry.is_set():
            await asyncio.sleep(min(seconds, 0.05))
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()

    # What others ask

    async def drain(self, timeout: float) -> bool:  # noqa: ASYNC109 - what a timeout means is for this to say
        """Hurry: flush to the spool now, and wait up to ``timeout`` seconds until everything is in the database.

        True where it is. To be called while :meth:`run` runs, after whoever publishes has stopped.
        """
        self._hurry.set()
        self._settled.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._flush()
                await self._settled.wait()
        self._hurry.clear()
        return self._settled.is_set()

    async def replayed(self) -> None:
        """Wait until everything that an earlier process left in the spool is in the database.

        Before that the store does not know all that was said, and must not be asked how a call's seqs go on.
        """
        await self._replayed.wait()

    def condition(self) -> Part:
        """For health; see :meth:`daemon.transcripts.troubles.Troubles.part`."""
        since = [at for at in (self._oldest_at, self._backlog.oldest_at) if at is not None]
        waiting = Waiting(
            rows=self._spool.waiting + len(self._backlog), since=min(since, default=None), full=self._backlog.is_full
        )
        counts = {
            "lost": self._backlog.lost,
            "rejected": self._rejected,
            "damaged": self._spool.damaged,
            "unreadable": self._spool.unreadable,
            "stored": self._committer.committed,
            "resequenced": self._committer.resequenced,
            "rekeyed": self._committer.rekeyed,
        }
        return self._troubles.part(waiting, counts)
