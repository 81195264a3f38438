"""The audit of changed diversions: a row before the first byte goes out, and another of what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from daemon.pbx.contract import ExtensionDiversions
from daemon.pbx.diversion_change import Change, Wish, wanted, word
from daemon.stores.audit import AuditRow, add_audit
from daemon.stores.database import Database, DatabaseAwayError

log = structlog.get_logger(__name__)


class DiversionAudit:
    """Writes the rows. ``clock`` gives Unix seconds."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def changing(self, change: Change, before: ExtensionDiversions) -> None:
        """Who asks for what, and what stands. Raises ``DatabaseAwayError``: then nothing may be changed."""
        await self._add(change, "diversion_changing", before, change.wishes)

    async def changed(self, change: Change, after: ExtensionDiversions) -> None:
        """What stands now."""
        await self._add_if_possible(change, "diversion_changed", after)

    async def outcome_unknown(self, change: Change, before: ExtensionDiversions) -> None:
        """What stood, where nobody knows what does now."""
        await self._add_if_possible(change, "diversion_outcome_unknown", before, change.wishes)

    async def _add_if_possible(
        self, change: Change, action: str, state: ExtensionDiversions, wishes: Sequence[Wish] = ()
    ) -> None:
        """What became of a change that was made; a store that is away now does not undo it."""
        try:
            await self._add(change, action, state, wishes)
        except DatabaseAwayError:
            log.error("diversion_outcome_not_audited", subject=change.subject, action=action)

    async def _add(self, change: Change, action: str, state: ExtensionDiversions, wishes: Sequence[Wish]) -> None:
        """A row without the tenant's id."""
        detail = {
            f"{diversion.kind}@{stored.server}": stored.error or f"{word(stored.enabled)} {stored.destination}".strip()
            for diversion in state.diversions
            for stored in diversion.servers
        }
        detail |= {f"wanted {each.kind}": wanted(each) for each in wishes}
        row = AuditRow(
            at=self._clock(),
            actor=change.actor.name,
            via=change.actor.via,
            action=action,
            subject=change.subject,
            address=change.actor.address,
            detail=detail,
        )
        async with self._database.transaction() as connection:
            await add_audit(connection, row)
