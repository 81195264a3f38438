"""Places click-to-calls, each once, within limits, and follows what becomes of them.

A row of it stands in the store before the first byte goes out, so that a request that is sent again, or a Parley that
was killed, places no second call. A call that may have been placed is followed until its end is seen, or until it is
certain that it will not be.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from daemon.actor import Actor
from daemon.calls.call import CallState
from daemon.calls.registry import Registry
from daemon.config import PbxConfig
from daemon.pbx.click_to_call_progress import (
    BROKEN,
    ENDED_UNSEEN,
    EVENTS,
    LINK_LOST,
    SERVER_AWAY,
    Progress,
    placed_call,
)
from daemon.pbx.click_to_call_records import CallRecords
from daemon.pbx.click_to_call_rules import MARK, CallRules, call_variables
from daemon.pbx.contract import (
    CallStep,
    ClickToCall,
    ClickToCallRequest,
    Diversions,
    Forward,
    PbxError,
    PbxRefused,
    PbxTimeout,
    PbxUnavailable,
    PlacedCall,
    UsageError,
)
from daemon.pbx.gateway import Gateway
from daemon.pbx.server_calls import ORIGIN
from daemon.pbx.servers import PbxServer, PbxServers
from daemon.pbx.tenants import Tenant, Tenants
from daemon.pbx.vendor_rest import VendorRest
from daemon.stores.click_to_calls import ClickToCallRow
from daemon.stores.database import Database
from protocols.dcmiws.actions import Originate, originate
from protocols.dcmiws.diversions import DiversionKind
from protocols.dcmiws.frames import Frame
from protocols.dcmiws.glance import Glance
from protocols.errors import LocalError

log = structlog.get_logger(__name__)

_MOST_KEPT: Final = 1_000
"""How many that are over are kept in memory."""
_NOTICE_TIME: Final = 3.0
"""Seconds that reading the caller's diversions may delay a call."""


class ClickToCallService(ClickToCall):
    """Implements :class:`~daemon.pbx.contract.ClickToCall`. ``clock`` gives Unix seconds."""

    def __init__(
        self,
        gateway: Gateway,
        servers: PbxServers,
        *,
        tenants: Tenants,
        diversions: Diversions,
        config: PbxConfig,
        database: Database,
        registry: Registry,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._gateway = gateway
        self._servers = servers
        self._diversions = diversions
        self._pbx = config
        self._config = config.click_to_call
        self._rules = CallRules(self._config, tenants)
        self._rest = VendorRest(self._config)
        self._records = CallRecords(database, self._config, clock)
        self._registry = registry
        self._clock = clock
        self._placing: set[asyncio.Task[PlacedCall]] = set()
        self._followed: dict[str, Progress] = {}
        self._by_linkedid: dict[tuple[int, str], Progress] = {}
        gateway.on_event(EVENTS, self._take)
        gateway.on_lost(lambda _reason: self._lose_sight(LINK_LOST))
        servers.on_away(lambda server: self._lose_sight(SERVER_AWAY, server))

    async def run(self) -> None:
        """Keep what becomes of the calls until cancelled."""
        try:
            await self._records.run(lambda click_to_call_id: click_to_call_id in self._followed)
        finally:
            for placing in self._placing:
                placing.cancel()
            await asyncio.gather(*self._placing, return_exceptions=True)

    # Placing

    async def place(self, request: ClickToCallRequest, *, actor: Actor, key: str) -> PlacedCall:
        """As the contract says. Who asked may go away meanwhile: it is placed all the same."""
        placing = asyncio.get_running_loop().create_task(self._place(request, actor, key))
        self._placing.add(placing)
        placing.add_done_callback(self._placing.discard)
        return await asyncio.shield(placing)

    async def _place(self, request: ClickToCallRequest, actor: Actor, key: str) -> PlacedCall:
        tenant = self._rules.check(request)
        row, is_new = await self._records.reserve(request, tenant, actor, key)
        if not is_new:
            return await self.progress(row.click_to_call_id) or placed_call(row)
        progress = self._follow(row)
        try:
            progress.note(await self._forwards(request.caller, tenant))
            await self._send(progress, request, tenant)
        except (PbxTimeout, PbxUnavailable, UsageError) as error:
            if isinstance(error, UsageError) or (isinstance(error, PbxUnavailable) and not error.sent):
                progress.fail(str(error))
                await self._records.save(progress)
                raise
            # It may have been taken all the same: what is heard of it will tell.
            self._expect(progress, str(error))
        except PbxRefused as error:
            progress.take_step(CallStep.FAILED, str(error))
            await self._records.save(progress)
            raise
        except Exception:
            progress.take_step(CallStep.OUTCOME_UNKNOWN, BROKEN)
            raise
        await self._records.save(progress)
        return placed_call(progress.row())

    def _follow(self, row: ClickToCallRow) -> Progress:
        progress = Progress(
            row,
            diverted=self._pbx.destination_value.partition(",")[0],
            clock=self._clock,
            changed=self._changed,
        )
        self._followed[row.click_to_call_id] = progress
        over = [one.click_to_call_id for one in self._followed.values() if one.is_over]
        for click_to_call_id in over[: max(0, len(over) - _MOST_KEPT)]:
            del self._followed[click_to_call_id]
        return progress

    async def _forwards(self, caller: str, tenant: Tenant) -> list[Forward] | None:
        """The caller's diversions that may take the first leg elsewhere; ``None`` where they could not be read."""
        server = self._live_server_of(tenant)
        if server is None:
            return None
        try:
            async with asyncio.timeout(_NOTICE_TIME):
                read = await self._diversions.read(caller, tenant=tenant.name, server=server.name)
        except (PbxError, TimeoutError):
            return None
        found = [Forward(one.kind, one.destination) for one in read.diversions if one.in_effect]
        return [one for one in found if one.kind is DiversionKind.IMMEDIATE] or found

    async def _send(self, progress: Progress, request: ClickToCallRequest, tenant: Tenant) -> None:
        """By the first way on which anything can be sent."""
        is_open = {
            "rest": bool(self._config.rest_url and tenant.app_key),
            "websocket": bool(tenant.config.context),
        }
        ways = [way for way in self._config.ways if is_open[way]]
        if not ways:
            raise UsageError(
                f"no way to place a call is configured for the tenant {tenant.name}: give it a `context`, or set "
                "`rest_url` in [pbx.click_to_call] and give the tenant's app-key"
            )
        for number, way in enumerate(ways):
            progress.way = way
            try:
                if way == "rest":
                    await self._by_rest(progress, request, tenant)
                else:
                    await self._by_websocket(progress, request, tenant)
            except PbxUnavailable as error:
                if error.sent or number == len(ways) - 1:
                    raise
                log.info("click_to_call_way_away", way=way, error=str(error))
            else:
                return

    async def _by_rest(self, progress: Progress, request: ClickToCallRequest, tenant: Tenant) -> None:
        body = {
            "caller": request.caller,
            "callee": request.callee,
            "cos_id": _given(request.cos_id, tenant.config.cos_id),
            "cid_name": _given(request.cid_name, tenant.config.caller_name),
            "cid_number": _given(request.cid_number, tenant.config.caller_number),
            "variables": call_variables(progress.click_to_call_id, request, tenant),
        }
        await self._rest.place(body, tenant_id=tenant.id, app_key=tenant.app_key or "")
        progress.take_step(CallStep.QUEUED)
        self._expect(progress)

    async def _by_websocket(self, progress: Progress, request: ClickToCallRequest, tenant: Tenant) -> None:
        server = self._live_server_of(tenant)
        if server is None:
            raise PbxUnavailable(f"no server of the tenant {tenant.name} is up")
        first_id = f"parley-{progress.click_to_call_id}"
        try:
            action = originate(
                Originate(
                    channel=f"Local/{request.caller}@{tenant.config.context}",
                    context=tenant.config.context,
                    exten=request.callee,
                    ring_time=tenant.config.ring_time,
                    caller_name=_given(request.cid_name, tenant.config.caller_name),
                    caller_number=_given(request.cid_number, tenant.config.caller_number),
                    variables=tuple(call_variables(progress.click_to_call_id, request, tenant).items()),
                    channel_id=first_id,
                    other_channel_id=f"{first_id}-2",
                )
            )
        except LocalError as error:
            raise UsageError(str(error)) from error
        # Its events may come before the response does.
        self._tie(progress, server.server_id, first_id)
        try:
            await self._gateway.originate(
                server.name,
                action,
                told=lambda outcome: self._told(progress, outcome),
                outcome_within=tenant.config.ring_time * 3 + self._pbx.request_timeout,
                tenant=tenant.id,
                extension=request.caller,
            )
        except PbxUnavailable as error:
            if not error.sent:
                self._untie(progress)
            raise
        progress.take_step(CallStep.QUEUED)
        self._expect(progress)

    def _live_server_of(self, tenant: Tenant) -> PbxServer | None:
        servers = [server for server in self._servers.all if server.name in tenant.servers]
        return next((server for server in servers if server.status.is_up), None)

    # Following

    def _expect(self, progress: Progress, why: str = "") -> None:
        """Something must be heard of the call before long; else ``why`` is why its outcome is unknown."""
        why = why or f"nothing was heard of it for {self._config.tie_timeout:g} s"
        asyncio.get_running_loop().call_later(self._config.tie_timeout, self._give_up, progress, why)

    def _give_up(self, progress: Progress, why: str) -> None:
        if not progress.is_heard:
            progress.take_step(CallStep.OUTCOME_UNKNOWN, why)

    def _tie(self, progress: Progress, server_id: int, linkedid: str) -> None:
        progress.tie(server_id, linkedid)
        self._by_linkedid[server_id, linkedid] = progress

    def _untie(self, progress: Progress) -> None:
        self._by_linkedid.pop((progress.server_id, progress.linkedid), None)
        progress.tie(0, "")

    def _told(self, progress: Progress, outcome: asyncio.Future[list[Frame]]) -> None:
        error = outcome.exception()
        if error is None:
            frame = outcome.result()[0]
            progress.outcome(frame.get("Response"), frame.get("Reason"))
        elif isinstance(error, PbxTimeout) and not progress.has_answered:
            progress.take_step(CallStep.OUTCOME_UNKNOWN, str(error))

    def _take(self, seen: Glance) -> None:
        data = seen.data
        if data.event == "VarSet" and data.variable == MARK:
            found = self._followed.get(data.value)
            if found is not None and not found.linkedid and not found.is_over:
                self._tie(found, seen.server_id, data.linkedid)
        if not self._by_linkedid:
            return
        tied = self._by_linkedid.get((seen.server_id, data.linkedid or data.dest_linkedid))
        if tied is None:
            return
        tied.take(data)
        if not tied.call_id:
            call = self._registry.call_of(ORIGIN, self._gateway.server_name(seen.server_id) or "", tied.linkedid)
            if call is not None:
                tied.call_id = call.call_id
                self._changed(tied)

    def _lose_sight(self, why: str, server: PbxServer | None = None) -> None:
        """Events of that server, or of all, are lost: how it goes on with what is under way will not be known."""
        for progress in list(self._by_linkedid.values()):
            if server is None or progress.server_id == server.server_id:
                progress.take_step(CallStep.OUTCOME_UNKNOWN, why)

    def listed(self, server: PbxServer) -> None:
        """The calls of that server were held against its own list: what is not in it has ended unseen."""
        for progress in list(self._by_linkedid.values()):
            if progress.server_id == server.server_id:
                call = self._registry.call_of(ORIGIN, server.name, progress.linkedid)
                if call is not None and call.state is CallState.ENDED:
                    progress.take_step(CallStep.OUTCOME_UNKNOWN, ENDED_UNSEEN)

    def _changed(self, progress: Progress) -> None:
        if progress.is_over:
            self._by_linkedid.pop((progress.server_id, progress.linkedid), None)
        self._records.changed(progress)

    # Asking

    async def progress(self, click_to_call_id: str) -> PlacedCall | None:
        """As the contract says."""
        followed = self._followed.get(click_to_call_id)
        if followed is not None:
            return placed_call(followed.row())
        row = await self._records.get(click_to_call_id)
        return None if row is None else placed_call(row)

    async def latest(self, limit: int) -> list[PlacedCall]:
        """The newest, newest first."""
        found = []
        for row in await self._records.latest(limit):
            followed = self._followed.get(row.click_to_call_id)
            found.append(placed_call(row if followed is None else followed.row()))
        return found


def _given(value: str | None, default: str) -> str:
    return default if value is None else value
