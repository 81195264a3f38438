"""A recorder at work on a hub, and short ways to say what is published and to read what was stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import text

from daemon.calls.call import Call, CallChanged, CallState, Leg, LegState
from daemon.calls.events import Direction
from daemon.config import RecorderConfig
from daemon.hub import Hub
from daemon.stores.calls import CallRow, get_call
from daemon.stores.database import Database
from daemon.stores.utterances import UtteranceRow, utterances_of
from daemon.transcripts.recorder import Recorder
from daemon.transcripts.utterance import Speaker, Utterance


def make_leg(leg_id: str, **changes: Any) -> Leg:
    fields: dict[str, Any] = {
        "leg_id": leg_id,
        "direction": Direction.INBOUND,
        "caller": "01012345678",
        "caller_name": "홍길동",
        "callee": "0212345678",
        "code": "dev-app",
        "state": LegState.ANSWERED,
        "created_at": 1_700_000_000.0,
        "answered_at": 1_700_000_001.0,
    }
    return Leg(**(fields | changes))


def make_call(call_id: str, **changes: Any) -> Call:
    """An answered call of one leg, named after the call."""
    other_id = changes.get("other_id", f"leg-{call_id}")
    fields: dict[str, Any] = {
        "call_id": call_id,
        "origin": "freeswitch",
        "server": "main",
        "other_id": other_id,
        "state": CallState.ACTIVE,
        "caller": "01012345678",
        "caller_name": "홍길동",
        "callee": "0212345678",
        "did": "0212345678",
        "code": "dev-app",
        "app": "",
        "created_at": 1_700_000_000.0,
        "answered_at": 1_700_000_001.0,
        "ended_at": None,
        "hangup_cause": "",
        "disposition": None,
        "legs": [make_leg(other_id)],
        "merged_into": "",
    }
    return Call(**(fields | changes))


def make_final(call_id: str, seq: int, **changes: Any) -> Utterance:
    """The ``seq``-th final of a call; its id tells which it is."""
    fields: dict[str, Any] = {
        "call_id": call_id,
        "utterance_id": f"{call_id}/{seq}",
        "seq": seq,
        "leg_id": f"leg-{call_id}",
        "speaker": Speaker.CALLER,
        "text": f"네, {seq}번째 문의입니다.",
        "start": float(seq),
        "end": seq + 0.5,
        "said_at": 1_700_000_000.0 + seq,
        "final": True,
        "confidence": 0.875,
        "vendor": "brain",
    }
    return Utterance(**(fields | changes))


class Recording:
    """A recorder, the hub it listens to and the database it fills."""

    def __init__(
        self,
        database: Database,
        spool_dir: Path,
        *,
        clock: Callable[[], float] = time.time,
        rekey: Callable[[str, str, list[UtteranceRow]], None] | None = None,
        **config: Any,
    ) -> None:
        self.hub = Hub()
        self.database = database
        self.spool_dir = spool_dir
        self.rekeyed: list[tuple[str, str, list[str]]] = []
        self.recorder = Recorder(
            self.hub,
            database,
            RecorderConfig(**config),
            spool_dir=spool_dir,
            rekey=rekey or self._note_rekey,
            clock=clock,
        )
        self._task: asyncio.Task[None] | None = None

    def _note_rekey(self, old_call_id: str, call_id: str, stored: list[UtteranceRow]) -> None:
        self.rekeyed.append((old_call_id, call_id, [row.utterance_id for row in stored]))

    def start(self) -> None:
        self._task = asyncio.create_task(self.recorder.run())

    async def stop(self) -> None:
        """Cancel it, as the service does; what is in memory goes to the spool."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def call(self, call_id: str, **changes: Any) -> None:
        self.hub.publish(CallChanged(make_call(call_id, **changes)))

    def say(self, call_id: str, *seqs: int, **changes: Any) -> None:
        for seq in seqs:
            self.hub.publish(make_final(call_id, seq, **changes))

    async def settle(self) -> None:
        """Until everything published is stored."""
        assert await self.recorder.drain(60.0)

    def number(self, name: str) -> float:
        return self.recorder.condition().numbers[name]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Until something about it is so."""
        async with asyncio.timeout(60):
            while not holds():  # noqa: ASYNC110 - what it waits for tells nobody
                await asyncio.sleep(0.005)

    async def until_away(self) -> None:
        """Until it has noticed that the database is away."""
        await self.until(lambda: "the database is away" in self.recorder.condition().detail)

    async def stored(self, call_id: str) -> list[str]:
        """The utterance ids stored of a call, in order of seq, which has no gap."""
        async with self.database.read() as connection:
            rows = await utterances_of(connection, call_id)
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        return [row.utterance_id for row in rows]

    async def row(self, call_id: str) -> CallRow | None:
        async with self.database.read() as connection:
            return await get_call(connection, call_id)


def finals(call_id: str, first: int, last: int) -> list[str]:
    """The utterance ids that ``say`` gives."""
    return [f"{call_id}/{seq}" for seq in range(first, last + 1)]


@asynccontextmanager
async def recording(database: Database, spool_dir: Path, **options: Any) -> AsyncIterator[Recording]:
    """A recorder that runs until the block ends."""
    made = Recording(database, spool_dir, **options)
    made.start()
    try:
        yield made
    finally:
        await made.stop()


@asynccontextmanager
async def out_of_order(database: Database) -> AsyncIterator[None]:
    """Inside the block the database takes no utterances: on either engine, what it does for one not upgraded."""
    async with database.transaction() as connection:
        await connection.execute(text("ALTER TABLE utterances RENAME TO utterances_elsewhere"))
    yield
    async with database.transaction() as connection:
        await connection.execute(text("ALTER TABLE utterances_elsewhere RENAME TO utterances"))
