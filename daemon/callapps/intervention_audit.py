"""The audit of what people do to live calls: a row before the switch is told, and another of what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import structlog

from daemon.actor import Actor
from daemon.calls.control import Certainty, Outcome
from daemon.stores.audit import AuditRow, add_audit
from daemon.stores.database import Database, DatabaseAwayError

log = structlog.get_logger(__name__)

_BROKEN_OFF: Final = Outcome(Certainty.UNKNOWN, False, "it was broken off before the switch answered")


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

    async def witness(self, deed: Deed, act: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Write down who is about to do what, let ``act`` do it, and write down what became of it.

        Raises ``DatabaseAwayError``: then nothing was done. A store that is away after it does not undo it.
        """
        await self._add(deed, deed.begun, deed.detail)
        try:
            outcome = await act()
        except BaseException:
            await self._became(deed, _BROKEN_OFF)
            raise
        await self._became(deed, outcome)
        return outcome

    async def _became(self, deed: Deed, outcome: Outcome) -> None:
        action, detail = deed.done, deed.detail
        if not outcome.ok:
            unknown = outcome.certainty is Certainty.UNKNOWN
            action = f"{deed.begun}_{'outcome_unknown' if unknown else 'failed'}"
            detail = detail | {"why": outcome.text}
        log.info(action, call_id=deed.call_id, by=deed.actor.name)
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
