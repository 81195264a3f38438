"""The tool ``call_history``: which calls there were, in words and figures that can be said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from daemon.calls.numbers import NumberError, mask_number, normal_number, spellings
from daemon.stores.calls import CallFilter, CallRow, page_calls
from daemon.stores.database import Database
from daemon.tools.contract import ToolError


class PastCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call. ``started`` is local time (ISO 8601), ``talked_for`` seconds; a number not asked about is masked."""

    started: str
    caller: str
    called: str
    state: str
    answered: bool
    talked_for: int


class PastCalls(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    count: int
    calls: list[PastCall]


async def call_history(
    number: Annotated[str, Meta(description="The caller's phone number; without it, calls of all callers.")] = "",
    limit: Annotated[int, Meta(ge=1, le=20, description="How many calls at most.")] = 5,
    *,
    database: Database,
) -> PastCalls:
    """The newest calls, of one caller or of all. Numbers that were not asked about are masked."""
    callers: tuple[str, ...] = ()
    if number:
        try:
            callers = spellings(normal_number(number))
        except NumberError as error:
            raise ToolError(str(error)) from error
    async with database.read() as connection:
        found, _ = await page_calls(connection, CallFilter(callers=callers, sensitive=False), limit)
    calls = [_past(row, frozenset(callers)) for row in found]
    return PastCalls(count=len(calls), calls=calls)


def _past(row: CallRow, asked: frozenset[str]) -> PastCall:
    talked = (row.ended_at or 0.0) - (row.answered_at or 0.0) if row.answered_at and row.ended_at else 0.0
    return PastCall(
        started=datetime.fromtimestamp(row.created_at, UTC).astimezone().isoformat(timespec="seconds"),
        caller=row.caller if row.caller in asked else mask_number(row.caller),
        called=mask_number(row.did or row.callee),
        state=row.disposition or row.state,
        answered=row.answered_at is not None,
        talked_for=max(0, round(talked)),
    )
