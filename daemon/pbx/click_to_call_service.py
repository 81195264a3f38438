"""Places click-to-calls, each once, within limits, and follows what becomes of them.

A row of it stands in the store before the first byte goes out, so that a request that is sent again, or a Parley that
was killed, places no second call.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Literal

import msgspec
import structlog
from uuid_utils import uuid7

from daemon.calls.registry import Registry
from daemon.config import PbxConfig
from daemon.pbx.calls import ORIGIN
from daemon.pbx.click_to_call_progress import EVENTS, Progress, placed_call
from daemon.pbx.contract import (
    Actor,
    CallStep,
    ClickToCall,
    ClickToCallRequest,
    Diversions,
    PbxError,
    PbxRefused,
    PbxTimeout,
    PbxUnavailable,
    PlacedCall,
    TooManyCalls,
    UsageError,
)
from daemon.pbx.gateway import Gateway
from daemon.pbx.servers import PbxServer, PbxServers
from daemon.pbx.tenants import Tenant, Tenants
from daemon.pbx.vendor_rest import VendorRest
from daemon.stores.click_to_calls import (
    ClickToCallRow,
    StepRow,
    add_click_to_call,
    free_key,
    free_keys,
    get_click_to_call,
    latest_click_to_calls,
    lock_placing,
    open_click_to_calls,
    placed_since,
    placed_with_key,
    save_click_to_call,
)
from daemon.stores.database import Database, DatabaseAwayError
from protocols.dcmiws.actions import Originate, check_supplied, originate
from protocols.dcmiws.diversions import is_number
from protocols.dcmiws.frames import Frame
from protocols.dcmiws.glance import Glance
from protocols.errors import LocalError

log = structlog.get_logger(__name__)

MARK: Final = "PARLEY_C2C"
"""The channel variable by which a call is known that the vendor's REST placed."""

_DAY: Final = 86_400.0
_HOUR: Final = 3_600.0
_RETRY: Final = 1.0
_MOST_KEPT: Final = 1_000
"""How many that are over are kept in memory."""

Way = Literal["rest", "websocket"]


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
        self._tenants = tenants
        self._diversions = diversions
        self._pbx = config
        self._config = config.click_to_call
        self._rest = VendorRest(self._config)
        self._database = database
        self._registry = registry
        self._clock = clock
        self._allowed = [re.compile(pattern) for pattern in self._config.allowed]
        self._refused = [re.compile(pattern) for pattern in self._config.refused]
        self._followed: dict[str, Progress] = {}
        self._by_linkedid: dict[tuple[int, str], Progress] = {}
        self._unsaved: dict[str, Progress] = {}
        self._to_save = asyncio.Event()
        gateway.on_event(EVENTS, self._take)
        gateway.on_lost(lambda _reason: self._lose_sight())

    # Placing

    async def place(self, request: ClickToCallRequest, *, actor: Actor, key: str) -> PlacedCall:
        """As the contract says."""
        tenant = self._checked(request)
        row, is_new = await self._reserve(request, tenant, actor, key)
        if not is_new:
            return await self.progress(row.click_to_call_id) or placed_call(row)
        progress = self._follow(row)
        progress.notice = await self._notice(request.caller, tenant)
        try:
            await self._send(progress, request, tenant)
        except PbxUnavailable as error:
            if error.sent:
                progress.take_step(CallStep.OUTCOME_UNKNOWN, str(error))
            else:
                # Nothing was placed: the same key may try again.
                progress.take_step(CallStep.FAILED, str(error))
                await self._save(progress)
                async with self._database.transaction() as connection:
                    await free_key(connection, row.click_to_call_id)
                raise
        except PbxTimeout as error:
            progress.take_step(CallStep.OUTCOME_UNKNOWN, str(error))
        except (PbxRefused, UsageError) as error:
            progress.take_step(CallStep.FAILED, str(error))
            await self._save(progress)
            raise
        with suppress(DatabaseAwayError):
            await self._save(progress)
        return placed_call(progress.row())

    def _checked(self, request: ClickToCallRequest) -> Tenant:
        """The tenant, of a request that may be sent."""
        try:
            check_supplied("the caller", request.caller)
            check_supplied("the callee", request.callee)
        except LocalError as error:
            raise UsageError(str(error)) from error
        if not request.caller or not is_number(request.callee):
            raise UsageError("give the caller's extension, and for the callee a number: digits, *, # and a leading +")
        tenant = self._tenants.of(request.caller, request.tenant)
        if any(pattern.fullmatch(request.callee) for pattern in self._refused) or (
            self._allowed and not any(pattern.fullmatch(request.callee) for pattern in self._allowed)
        ):
            raise UsageError("that number may not be called from here")
        if MARK in request.variables:
            raise UsageError(f"the variable {MARK} is Parley's own")
        return tenant

    async def _reserve(
        self, request: ClickToCallRequest, tenant: Tenant, actor: Actor, key: str
    ) -> tuple[ClickToCallRow, bool]:
        """A row of a call to be placed now, or the one that was placed with that key within a day."""
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
            await lock_placing(connection)
            await free_keys(connection, now - _DAY)
            placed = await placed_with_key(connection, actor.name, key)
            if placed is not None:
                if placed.request != asked:
                    raise UsageError("this key was used for another request within a day; use a new one")
                return placed, False
            own = await placed_since(connection, now - _HOUR, actor.name)
            everybodys = await placed_since(connection, now - _HOUR)
            for times, most in ((own, self._config.per_user_per_hour), (everybodys, self._config.per_hour)):
                if len(times) >= most:
                    wait = times[len(times) - most] + _HOUR - now
                    raise TooManyCalls(f"{most} calls within an hour are the most", retry_after=max(1.0, wait))
            await add_click_to_call(connection, row)
        return row, True

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

    async def _notice(self, caller: str, tenant: Tenant) -> str:
        """The caller's diversion that will take the first leg elsewhere: its kind and destination."""
        try:
            read = await self._diversions.read(caller, tenant=tenant.name)
        except PbxError:
            return ""
        for diversion in read.diversions:
            if diversion.in_effect:
                return f"{diversion.kind} {diversion.destination}"
        return ""

    async def _send(self, progress: Progress, request: ClickToCallRequest, tenant: Tenant) -> None:
        """By the first way on which anything can be sent."""
        ways = [way for way in self._config.ways if way != "rest" or (self._config.rest_url and tenant.app_key)]
        if not ways:
            raise UsageError("no way to place a call is configured for this tenant: see [pbx.click_to_call]")
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

    def _variables(self, progress: Progress, request: ClickToCallRequest, tenant: Tenant) -> dict[str, str]:
        variables = {"EXEC_AA": "yes"}
        if tenant.config.language:
            variables["CHANNEL(language)"] = tenant.config.language
        if tenant.config.account_code:
            variables["CHANNEL(accountcode)"] = tenant.config.account_code
        return variables | dict(request.variables) | {MARK: progress.click_to_call_id}

    async def _by_rest(self, progress: Progress, request: ClickToCallRequest, tenant: Tenant) -> None:
        body = {
            "caller": request.caller,
            "callee": request.callee,
            "cos_id": _given(request.cos_id, tenant.config.cos_id),
            "cid_name": _given(request.cid_name, tenant.config.caller_name),
            "cid_number": _given(request.cid_number, tenant.config.caller_number),
            "variables": self._variables(progress, request, tenant),
        }
        await self._rest.place(body, tenant_id=tenant.id, app_key=tenant.app_key or "")
        progress.take_step(CallStep.QUEUED)
        self._expect(progress)

    async def _by_websocket(self, progress: Progress, request: ClickToCallRequest, tenant: Tenant) -> None:
        server = self._server_of(tenant)
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
                    variables=tuple(self._variables(progress, request, tenant).items()),
                    channel_id=first_id,
                    other_channel_id=f"{first_id}-2",
                )
            )
        except LocalError as error:
            raise UsageError(str(error)) from error
        # Its events may come before the response does.
        self._tie(progress, server.server_id, first_id)
        outcome = await self._gateway.originate(
            server.name,
            action,
            outcome_within=tenant.config.ring_time * 3 + self._pbx.request_timeout,
            tenant=tenant.id,
            extension=request.caller,
        )
        outcome.add_done_callback(lambda told: self._told(progress, told))
        progress.take_step(CallStep.QUEUED)
        self._expect(progress)

    def _server_of(self, tenant: Tenant) -> PbxServer:
        servers = [server for server in self._servers.all if server.name in tenant.servers]
        return next((server for server in servers if server.status.is_up), servers[0])

    # Following

    def _expect(self, progress: Progress) -> None:
        """Something must be heard of the call before long."""
        asyncio.get_running_loop().call_later(self._config.tie_timeout, self._give_up, progress)

    def _give_up(self, progress: Progress) -> None:
        if progress.steps[-1].step is CallStep.QUEUED:
            progress.take_step(CallStep.OUTCOME_UNKNOWN, f"nothing was heard of it for {self._config.tie_timeout:g} s")

    def _tie(self, progress: Progress, server_id: int, linkedid: str) -> None:
        progress.tie(server_id, linkedid)
        self._by_linkedid[server_id, linkedid] = progress

    def _told(self, progress: Progress, outcome: asyncio.Future[list[Frame]]) -> None:
        if outcome.cancelled() or outcome.exception() is not None:
            return
        frame = outcome.result()[0]
        progress.outcome(frame.get("Response"), frame.get("Reason"))

    def _take(self, seen: Glance) -> None:
        data = seen.data
        if data.event == "VarSet":
            if data.variable == MARK and (progress := self._followed.get(data.value)) and not progress.linkedid:
                self._tie(progress, seen.server_id, data.linkedid)
            return
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

    def _lose_sight(self) -> None:
        """Events are lost: how it goes on with what is under way will not be known."""
        for progress in list(self._by_linkedid.values()):
            progress.take_step(CallStep.OUTCOME_UNKNOWN, "the link to the PBX was lost meanwhile")

    def _changed(self, progress: Progress) -> None:
        if progress.is_over:
            self._by_linkedid.pop((progress.server_id, progress.linkedid), None)
        self._unsaved[progress.click_to_call_id] = progress
        self._to_save.set()

    # Keeping

    async def run(self) -> None:
        """Save what changes until cancelled; what an earlier process left open ends as unknown."""
        await self._patiently(self._close_open)
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

    async def _close_open(self) -> None:
        async with self._database.transaction() as connection:
            for row in await open_click_to_calls(connection):
                if row.click_to_call_id not in self._followed:
                    step = StepRow(CallStep.OUTCOME_UNKNOWN, self._clock(), "Parley was restarted meanwhile")
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
            self._unsaved[progress.click_to_call_id] = progress
            self._to_save.set()
            raise

    # Asking

    async def progress(self, click_to_call_id: str) -> PlacedCall | None:
        """As the contract says."""
        followed = self._followed.get(click_to_call_id)
        if followed is not None:
            return placed_call(followed.row())
        async with self._database.read() as connection:
            row = await get_click_to_call(connection, click_to_call_id)
        return None if row is None else placed_call(row)

    async def latest(self, limit: int) -> list[PlacedCall]:
        """The newest, newest first."""
        async with self._database.read() as connection:
            rows = await latest_click_to_calls(connection, limit)
        found = []
        for row in rows:
            followed = self._followed.get(row.click_to_call_id)
            found.append(placed_call(row if followed is None else followed.row()))
        return found


def _given(value: str | None, default: str) -> str:
    return default if value is None else value
