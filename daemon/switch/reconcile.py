"""Brings the calls we follow in line with those the switch has.

After an outage, and now and then: legs that began unseen appear, and legs that ended unseen end. ``uuid_exists`` is the
truth about the latter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from daemon.calls.registry import Registry
from daemon.switch.command_link import CommandLink
from daemon.switch.legs import ORIGIN, Legs
from daemon.switch.snapshot import Channel, denied, list_channels, read_channels
from protocols.esl.events import ChannelRow

log = structlog.get_logger(__name__)

Recall = Callable[[str, str, Sequence[str]], Awaitable[None]]
"""Told (origin, server, leg ids) of a snapshot before it is applied, so that stored calls are found again."""

_RECALL_TIMEOUT = 2.0
"""Speech does not wait longer than this for a slow database."""

_GRACE = 1.0
"""Seconds for which a leg that the switch denies is still kept: its own hangup, with the cause, may be on its way."""


class Reconciler:
    """Compares the legs of ``server`` in ``registry`` with the switch's, and tells ``legs`` what was missed."""

    def __init__(
        self,
        server: str,
        commands: CommandLink,
        legs: Legs,
        registry: Registry,
        recall: Recall,
        *,
        grace: float = _GRACE,
    ) -> None:
        self._server = server
        self._commands = commands
        self._legs = legs
        self._registry = registry
        self._recall = recall
        self._grace = grace

    async def snapshot(self) -> None:
        """Learn every channel of the switch.

        :raises SnapshotFailedError: when the switch could not be asked. Some channels may have been learnt.
        """
        await self._learn(await list_channels(self._commands))

    async def compare(self) -> None:
        """Learn the channels that are not known yet, and end the legs that are gone.

        :raises SnapshotFailedError: when the switch could not be asked.
        """
        rows = await list_channels(self._commands)
        unknown = [row for row in rows if not self._legs.is_known(row.unique_id)]
        if unknown:
            await self._learn(unknown)
        await self.end_denied()

    async def end_denied(self) -> None:
        """End the legs that the switch denies.

        :raises SnapshotFailedError: when the switch could not be asked.
        """
        gone = await denied(self._commands, self._live())
        if not gone:
            return
        await asyncio.sleep(self._grace)
        live = set(self._live())
        for leg_id in gone:
            if leg_id in live:
                log.info("leg_ended_unseen", switch=self._server, leg_id=leg_id)
                self._legs.lose(leg_id)
                self._commands.leg_ended(leg_id)

    async def _learn(self, rows: list[ChannelRow]) -> None:
        try:
            async with asyncio.timeout(_RECALL_TIMEOUT):
                await self._recall(ORIGIN, self._server, [row.unique_id for row in rows])
        except TimeoutError:
            log.warning("calls_not_recalled", switch=self._server, legs=len(rows), error="too slow")
        except Exception as error:
            log.warning("calls_not_recalled", switch=self._server, legs=len(rows), error=type(error).__name__)
        await read_channels(self._commands, rows, self._found)

    def _found(self, channel: Channel) -> None:
        known = self._registry.find(ORIGIN, self._server, channel.data.unique_id)
        # While something is played to a parked leg, the switch names that application in place of park.
        still_parked = known is not None and known[1].parked and known[1].callee == channel.data.destination
        at_park = channel.row.application == "park" or channel.data.channel_state == "CS_PARK"
        self._legs.find(channel.data, code=channel.code, parked=at_park or still_parked)

    def _live(self) -> list[str]:
        return [leg.leg_id for leg in self._registry.live_legs(ORIGIN, self._server)]
