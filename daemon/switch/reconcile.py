"""Brings the calls we follow in line with those the switch has.

After an outage, and now and then: legs that began unseen appear, and legs that ended unseen end. ``uuid_exists`` is the
truth about the latter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog

from daemon.calls.call import Leg, LegState
from daemon.calls.registry import Registry
from daemon.switch.command_link import CommandLink
from daemon.switch.legs import ORIGIN, Legs, can_park, is_unborn
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
        self._unborn: list[ChannelRow] = []
        self._unsure: list[ChannelRow] = []
        self._recalled = True
        self._doubted: set[asyncio.Task[None]] = set()
        legs.is_stored = lambda leg_id: registry.is_stored(ORIGIN, server, leg_id)

    async def snapshot(self) -> None:
        """Learn every channel of the switch.

        :raises SnapshotFailedError: when the switch could not be asked. Some channels may have been learnt.
        """
        rows = await list_channels(self._commands)
        self._unborn, self._unsure, self._recalled = [], [], False
        await self._learn(rows, new_only=False)

    async def compare(self) -> None:
        """Learn the channels that are not known yet, and end the legs that are gone.

        :raises SnapshotFailedError: when the switch could not be asked.
        """
        rows = await list_channels(self._commands)
        unknown = [row for row in rows if not self._legs.is_known(row.unique_id)]
        if unknown:
            await self._learn(unknown, new_only=True)
        await self.settle()

    async def settle(self) -> None:
        """Look again at what a snapshot caught half done, and end the legs that the switch denies.

        A leg that was not born yet is told of by its next event, unless that came before we listened. Two legs are
        bridged, and the event says so, a moment before their data do.

        :raises SnapshotFailedError: when the switch could not be asked.
        """
        unborn, self._unborn = [row for row in self._unborn if not self._legs.is_known(row.unique_id)], []
        if unborn:
            await self._learn(unborn, new_only=True)
        self._unsure = [row for row in self._unsure if self._is_alone(row.unique_id)]
        await read_channels(self._commands, self._unsure, self._bridge)
        await self.end_denied()
        if not self._recalled:
            # Of what was listed, some was gone already: stored calls that nothing is left of end now.
            await self._recall_calls(self._live())
            self._recalled = True

    async def end_denied(self) -> None:
        """End the legs that the switch denies.

        :raises SnapshotFailedError: when the switch could not be asked.
        """
        gone = await denied(self._commands, self._live())
        if not gone:
            return
        await asyncio.sleep(self._grace)
        self._end(gone)

    def doubt(self, leg_id: str) -> None:
        """The switch has just denied that leg: it ends a moment later, unless its own hangup is told until then."""
        task = asyncio.get_running_loop().create_task(self._end_doubted(leg_id))
        self._doubted.add(task)
        task.add_done_callback(self._doubted.discard)

    def close(self) -> None:
        """Nobody follows this switch any more."""
        for task in self._doubted:
            task.cancel()

    async def _end_doubted(self, leg_id: str) -> None:
        await asyncio.sleep(self._grace)
        self._end([leg_id])

    def _end(self, gone: Iterable[str]) -> None:
        live = set(self._live())
        for leg_id in gone:
            if leg_id in live:
                log.info("leg_ended_unseen", switch=self._server, leg_id=leg_id)
                self._legs.lose(leg_id)
                self._commands.leg_ended(leg_id)

    async def _recall_calls(self, leg_ids: list[str]) -> None:
        try:
            async with asyncio.timeout(_RECALL_TIMEOUT):
                await self._recall(ORIGIN, self._server, leg_ids)
        except TimeoutError:
            log.warning("calls_not_recalled", switch=self._server, legs=len(leg_ids), error="too slow")
        except Exception as error:
            log.warning("calls_not_recalled", switch=self._server, legs=len(leg_ids), error=type(error).__name__)

    async def _learn(self, rows: list[ChannelRow], *, new_only: bool) -> None:
        self._legs.moved = set()
        channels: list[Channel] = []

        def take(channel: Channel) -> None:
            self._legs.clock.note_arrival(channel.data.core_uuid, channel.data.at)
            channels.append(channel)

        try:
            await self._recall_calls([row.unique_id for row in rows])
            await read_channels(self._commands, rows, take)
        finally:
            self._tell(channels, rows, new_only=new_only)
            self._legs.moved = None

    def _tell(self, channels: list[Channel], rows: list[ChannelRow], *, new_only: bool) -> None:
        """Tell of ``channels``, those first that were there first: a leg after the leg whose call it belongs to.

        The switch's clock goes in steps; within one it lists channels in the order of their creation. ``new_only``
        leaves out those that events have told of since they were listed.
        """
        place = {row.unique_id: number for number, row in enumerate(rows)}
        known = self._legs.is_known
        living = [
            channel
            for channel in channels
            if self._legs.can_live(channel.data) and not (new_only and known(channel.data.unique_id))
        ]
        found = [channel for channel in living if not is_unborn(channel.data)]
        self._unborn += [channel.row for channel in living if is_unborn(channel.data)]
        found.sort(key=lambda channel: (channel.data.created_at or 0.0, place[channel.row.unique_id]))
        peers = _peers(found, self._live())
        for channel in found:
            standing = self._moved(channel.data.unique_id)
            if standing is not None:
                self._legs.find_moved(channel.data, channel.row, standing, code=channel.code)
                continue
            peer_id = peers.get(channel.data.unique_id, "")
            self._legs.find(
                channel.data, channel.row, code=channel.code, parked=self._is_parked(channel), peer_id=peer_id
            )
        self._unsure += [
            channel.row
            for channel in found
            if channel.data.other_leg_id and channel.data.answered_at and channel.data.unique_id not in peers
        ]

    def _moved(self, leg_id: str) -> Leg | None:
        """The leg as it stands, if events have told of it while its data were asked for: those are older then."""
        known = self._registry.find(ORIGIN, self._server, leg_id)
        return known[1] if known is not None and leg_id in (self._legs.moved or ()) else None

    def _is_parked(self, channel: Channel) -> bool:
        known = self._registry.find(ORIGIN, self._server, channel.data.unique_id)
        # While something is played to a parked leg, the switch names that application in place of park.
        still_parked = known is not None and known[1].parked and known[1].callee == channel.data.destination
        at_park = channel.row.application == "park" or channel.data.channel_state == "CS_PARK"
        return (at_park or still_parked) and can_park(channel.data)

    def _bridge(self, channel: Channel) -> None:
        """What was read again shows a leg to be bridged that is not yet, as far as we know."""
        if self._is_alone(channel.data.unique_id) and self._is_alone(channel.data.bridged_to):
            self._legs.bridge(channel.data)

    def _is_alone(self, leg_id: str) -> bool:
        """Whether we know that leg to live, and not to be bridged."""
        known = self._registry.find(ORIGIN, self._server, leg_id)
        return known is not None and known[1].state is not LegState.ENDED and not known[1].peer_id

    def _live(self) -> list[str]:
        return [leg.leg_id for leg in self._registry.live_legs(ORIGIN, self._server)]


def _peers(found: list[Channel], live: list[str]) -> dict[str, str]:
    """The leg that each bridged one is bridged to. One whose other side is gone is bridged to nobody any more."""
    there = {channel.data.unique_id for channel in found}.union(live)
    peers: dict[str, str] = {}
    for channel in found:
        leg_id, peer_id = channel.data.unique_id, channel.data.bridged_to
        if peer_id in there:
            peers[leg_id] = peer_id
            peers.setdefault(peer_id, leg_id)
    return peers
