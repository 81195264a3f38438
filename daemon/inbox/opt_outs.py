"""Calls of Vox.ai whose people opted out: what must not be kept is taken out before the first write.

Each event of such a call says so by itself, mostly. One that does not is known by an earlier one: from memory, else
from the store, where its call or a delivery of it says so. What earlier ones left there is the handler's to take out.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from daemon.inbox.voxai_calls import ORIGIN
from daemon.stores.agent_calls import find_agent_call, has_redacted_delivery
from daemon.stores.database import Database
from protocols.webhooks.voxai_redaction import redact

_MOST: Final = 10_000


class OptOuts:
    """Of the calls of all sources."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def storable(self, source: str, call_id: str | None, body: bytes) -> tuple[bytes, bool]:
        """``body`` as it may be stored, and whether something was taken out of it. ``call_id`` is Vox.ai's.

        Raises ``DatabaseAwayError``: what cannot be looked up could not be stored either.
        """
        opted_out = call_id is not None and await self._opted_out(source, call_id)
        kept, redacted = redact(body, opted_out=opted_out)
        if redacted and call_id is not None:
            self._remember(source, call_id)
        return kept, redacted

    async def _opted_out(self, source: str, call_id: str) -> bool:
        if (source, call_id) in self._known:
            return True
        async with self._database.read() as connection:
            found = await find_agent_call(connection, ORIGIN, source, call_id)
            if found is not None and found[1]:
                return True
            # The call's row is written when a delivery is handled, which may not have come yet.
            return await has_redacted_delivery(connection, source, call_id)

    def _remember(self, source: str, call_id: str) -> None:
        self._known[source, call_id] = None
        self._known.move_to_end((source, call_id))
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
