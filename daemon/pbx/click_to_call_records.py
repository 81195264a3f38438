"""Click-to-calls in the store: each has its row before the first byte goes out, and every step of it is kept."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import structlog
from uuid_utils import uuid7

from daemon.actor import Actor
from daemon.config import ClickToCallConfig
from daemon.pbx.click_to_call_progress import RESTARTED, Progress
from daemon.pbx.contract import CallStep, ClickToCallRequest, TooManyCalls, UsageError
from daemon.pbx.tenants import Tenant
from daemon.stores.click_to_calls import (
    ClickToCallRow,
    StepRow,
    add_click_to_call,
    click_to_call_before,
    get_click_to_call,
    latest_click_to_calls,
    open_click_to_calls,
    save_click_to_call,
)
from daemon.stores.database import Database, DatabaseAwayError, RowRefusedError
from daemon.stores.placed_calls import Asked, HourlyLimits, KeyUsedError, TooManyPlacedError

log = structlog.get_logger(__name__)

_RETRY: Final = 1.0


class CallRecords:
    """Reserves, saves and finds. ``clock`` gives Unix seconds."""

    def __init__(self, database: Database, config: ClickToCallConfig, clock: Callable[[], float]) -> None:
        self._database = database
        self._limits = HourlyLimits(config.per_user_per_hour, config.per_hour)
        self._clock = clock
        self._unsaved: dict[str, Progress] = {}
        self._to_save = asyncio.Event()

    async def reserve(
        self, request: ClickToCallRequest, tenant: Tenant, actor: Actor, key: str
    ) -> tuple[ClickToCallRow, bool]:
        """A row of a call to be placed now, or the one that was placed with that key within a day.

        Raises :class:`UsageError` where that was for another request, and :class:`TooManyCalls`.
        """
        now = self._clock()
        asked = hashlib.sha256(msgspec.json.encode(request, order="sorted")).hexdigest()
        row = ClickToCallRow(
            click_to_call_id=str(uuid7()),
            actor=actor.name,
            request_key=key,
            request=asked,
            tenant=tenant.name,
            caller=request.caller,
            callee=request.callee,
            created_at=now,
            steps=[StepRow(CallStep.REQUESTED, now)],
        )
        async with self._database.transaction() as connection:
            try:
                placed = await click_to_call_before(connection, Asked(actor.name, key, asked, now), self._limits)
            except KeyUsedError as error:
                raise UsageError(str(error)) from error
            except TooManyPlacedError as error:
                raise TooManyCalls(str(error), retry_after=error.retry_after) from error
            if placed is not None:
                return placed, False
            await add_click_to_call(connection, row)
        return row, True

    # Saving

    def changed(self, progress: Progress) -> None:
        """It is to be saved."""
        self._unsaved[progress.click_to_call_id] = progress
        self._to_save.set()

    async def save(self, progress: Progress) -> None:
        """Save it now; where the store is away, as soon as it is back."""
        try:
            await self._save(progress)
        except DatabaseAwayError as error:
            log.warning("click_to_call_not_saved", click_to_call=progress.click_to_call_id, error=str(error))

    async def run(self, is_followed: Callable[[str], bool]) -> None:
        """Save what changes until cancelled; what an earlier process left open ends as unknown."""
        await self._patiently(lambda: self._close_open(is_followed))
        while True:
            await self._to_save.wait()
            self._to_save.clear()
            await self._patiently(self._save_all)

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except DatabaseAwayError:
                await asyncio.sleep(_RETRY)
            else:
                return

    async def _close_open(self, is_followed: Callable[[str], bool]) -> None:
        async with self._database.transaction() as connection:
            for row in await open_click_to_calls(connection):
                if not is_followed(row.click_to_call_id):
                    step = StepRow(CallStep.OUTCOME_UNKNOWN, self._clock(), RESTARTED)
                    over = msgspec.structs.replace(row, steps=[*row.steps, step], ended_at=step.at)
                    await save_click_to_call(connection, over)

    async def _save_all(self) -> None:
        for progress in list(self._unsaved.values()):
            await self._save(progress)

    async def _save(self, progress: Progress) -> None:
        self._unsaved.pop(progress.click_to_call_id, None)
        try:
            async with self._database.transaction() as connection:
                await save_click_to_call(connection, progress.row())
        except DatabaseAwayError:
            self.changed(progress)
            raise
        except RowRefusedError as error:
            # Another try would be refused too, and the others are to be saved all the same.
            log.error("click_to_call_row_refused", click_to_call=progress.click_to_call_id, error=str(error))

    # Finding

    async def get(self, click_to_call_id: str) -> ClickToCallRow | None:
        """That row."""
        async with self._database.read() as connection:
            return await get_click_to_call(connection, click_to_call_id)

    async def latest(self, limit: int) -> list[ClickToCallRow]:
        """The newest, newest first."""
        async with self._database.read() as connection:
            return await latest_click_to_calls(connection, limit)
