"""Calls of Vox.ai whose people opted out: what must not be kept is taken out before the first write.

Each event of such a call says so by itself, mostly. One that does not is known by an earlier one, which was remembered
before anything of it was stored. What still earlier ones left in the store is the handler's to take out.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import Final

from daemon.inbox.large_bodies import look_through
from daemon.stores.database import Database
from daemon.stores.opt_outs import add_opt_out, has_opted_out
from protocols.webhooks.voxai_redaction import redact

_MOST: Final = 10_000


class OptOuts:
    """Of the calls of all sources."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def storable(self, source: str, key: str | None, body: bytes) -> tuple[bytes, bool]:
        """``body`` as it may be stored, and whether its call is one that opted out. ``key`` stands for the call.

        Raises ``DatabaseAwayError``: what cannot be looked up could not be stored either.
        """
        opted_out = key is not None and await self._opted_out(source, key)
        kept, redacted = await look_through(body, partial(redact, opted_out=opted_out))
        if redacted and key is not None and not opted_out:
            async with self._database.transaction() as connection:
                await add_opt_out(connection, source, key)
            self._remember(source, key)
        return kept, redacted

    async def _opted_out(self, source: str, key: str) -> bool:
        if (source, key) in self._known:
            return True
        async with self._database.read() as connection:
            found = await has_opted_out(connection, source, key)
        if found:
            self._remember(source, key)
        return found

    def _remember(self, source: str, key: str) -> None:
        self._known[source, key] = None
        self._known.move_to_end((source, key))
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
