"""Placed calls in the store: each has its row, and its entry in the audit, before the first byte goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from daemon.actor import Actor
from daemon.callapps.outgoing import NotPossibleError, TooManyOutgoingError
from daemon.callapps.outgoing_progress import Progress
from daemon.config import OutgoingConfig
from daemon.stores.audit import AuditRow, add_audit
from daemon.stores.database import Database, DatabaseAwayError, RowRefusedError
from daemon.stores.outgoing_calls import (
    OutgoingCallRow,
    add_outgoing_call,
    get_outgoing_call,
    latest_outgoing_calls,
    open_outgoing_calls,
    outgoing_call_before,
    save_outgoing_call,
)
from daemon.stores.placed_calls import Asked, HourlyLimits, KeyUsedError, TooManyPlacedError

log = structlog.get_logger(__name__)

_RETRY: Final = 1.0


class OutgoingRecords:
    """Reserves, saves and finds."""

    def __init__(self, database: Database, config: OutgoingConfig) -> None:
        self._database = database
        self._limits = HourlyLimits(config.per_user_per_hour, config.per_hour)
        self._unsaved: dict[str, Progress] = {}
        self._to_save = asyncio.Event()

    async def reserve(
        self, row: OutgoingCallRow, actor: Actor, admit: Callable[[], None]
    ) -> tuple[OutgoingCallRow, bool]:
        """``row``, which is stored now, or the one that was placed with its key within a day.

        ``admit`` is asked whether another call may be placed, and raises where it may not. Raises
        :class:`NotPossibleError` where the key was used for another request, and :class:`TooManyOutgoingError`.
        """
        asked = Asked(row.actor, row.request_key or "", row.request, row.created_at)
        async with self._database.transaction() as connection:
            try:
                placed = await outgoing_call_before(connection, asked, self._limits)
            except KeyUsedError as error:
                raise NotPossibleError(str(error)) from error
            except TooManyPlacedError as error:
                raise TooManyOutgoingError(str(error), retry_after=error.retry_after) from error
            if placed is not None:
                return placed, False
            admit()
            await add_outgoing_call(connection, row)
            await add_audit(connection, _audit(row, actor))
        return row, True

    # Saving

    def changed(self, progress: Progress) -> None:
        """It is to be saved."""
        self._unsaved[progress.row.call_id] = progress
        self._to_save.set()

    async def run(self) -> None:
        """Save what changes until cancelled."""
        while True:
            await self._to_save.wait()
            self._to_save.clear()
            await patiently(self.save_all)

    async def save_all(self) -> None:
        """Save what has changed. Raises ``DatabaseAwayError``, and what is not saved is kept for the next time."""
        for call_id, progress in list(self._unsaved.items()):
            row = progress.row
            try:
                async with self._database.transaction() as connection:
                    await save_outgoing_call(connection, row)
            except RowRefusedError as error:
                # Another try would be refused too, and the others are to be saved all the same.
                log.error("outgoing_call_row_refused", call_id=call_id, error=str(error))
            if progress.row is row:  # it may have changed meanwhile
                self._unsaved.pop(call_id, None)

    # Finding

    def unsaved(self, call_id: str) -> OutgoingCallRow | None:
        """That row as it will be saved; ``None`` where the store has it as it is."""
        progress = self._unsaved.get(call_id)
        return None if progress is None else progress.row

    async def get(self, call_id: str) -> OutgoingCallRow | None:
        """That row."""
        async with self._database.read() as connection:
            return await get_outgoing_call(connection, call_id)

    async def latest(self, limit: int) -> list[OutgoingCallRow]:
        """The newest, newest first."""
        async with self._database.read() as connection:
            return await latest_outgoing_calls(connection, limit)

    async def open(self, holder: str) -> list[OutgoingCallRow]:
        """What that Parley left open."""
        async with self._database.read() as connection:
            return await open_outgoing_calls(connection, holder)


async def patiently(work: Callable[[], Awaitable[None]]) -> None:
    """Do it, as soon as the store is there."""
    while True:
        try:
            await work()
        except DatabaseAwayError:
            await asyncio.sleep(_RETRY)
        else:
            return


def _audit(row: OutgoingCallRow, actor: Actor) -> AuditRow:
    return AuditRow(
        at=row.created_at,
        actor=actor.name,
        via=actor.via,
        action="call_placing",
        subject=row.number,
        address=actor.address,
        detail={"app": row.app, "call_id": row.call_id},
    )
