"""The audit of what people do to live calls: a row before the switch is told, and another of what became of it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import structlog

from daemon.actor import Actor
from daemon.calls.control import Certainty, Outcome
from daemon.stores.audit import AuditRow, add_audit
from daemon.stores.database import Database, DatabaseAwayError

log = structlog.get_logger(__name__)


class Deed(msgspec.Struct, frozen=True):
    """``actor`` does something to a call. ``begun`` and ``done`` are the actions of its rows.

    ``detail`` holds nothing that was said.
    """

    actor: Actor
    call_id: str
    begun: str
    done: str
    detail: dict[str, str]


class InterventionAudit:
    """Writes the rows. ``clock`` gives Unix seconds."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def begins(self, deed: Deed) -> None:
        """Who is about to do what. Raises ``DatabaseAwayError``: then nothing may be done."""
        await self._add(deed, deed.begun, deed.detail)

    async def became(self, deed: Deed, outcome: Outcome) -> None:
        """What became of it. A store that is away now does not undo it."""
        action, detail = deed.done, deed.detail
        if not outcome.ok:
            unknown = outcome.certainty is Certainty.UNKNOWN
            action = f"{deed.begun}_{'outcome_unknown' if unknown else 'failed'}"
            detail = detail | {"why": outcome.text}
        try:
            await self._add(deed, action, detail)
        except DatabaseAwayError:
            log.error("intervention_outcome_not_audited", call_id=deed.call_id, action=action)

    async def _add(self, deed: Deed, action: str, detail: dict[str, str]) -> None:
        row = AuditRow(
            at=self._clock(),
            actor=deed.actor.name,
            via=deed.actor.via,
            action=action,
            subject=deed.call_id,
            address=deed.actor.address,
            detail=detail,
        )
        async with self._database.transaction() as connection:
            await add_audit(connection, row)
