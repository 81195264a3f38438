"""Everything the web stands on, real: a hub, calls, a SQLite store, accounts; and short ways to make things happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer
from argon2 import PasswordHasher

from daemon.accounts.accounts import Accounts
from daemon.accounts.passwords import Passwords
from daemon.accounts.people import People
from daemon.callapps.interventions import Interventions
from daemon.callapps.room import CallApps
from daemon.calls.call import Call
from daemon.calls.control import CallControl
from daemon.calls.events import (
    CallEvent,
    Direction,
    LegAnswered,
    LegAppeared,
    LegEnded,
    LegEvent,
    LegsBridged,
    SpeechRecognised,
)
from daemon.calls.links import LinkState, LinkStatus
from daemon.calls.registry import Registry
from daemon.config import CallAppsConfig, Config, Role, TakeoverConfig
from daemon.health import Health
from daemon.hub import Hub
from daemon.inbox.room import InboxRoom
from daemon.mail.room import MailRoom
from daemon.secrets import Secrets
from daemon.stores.calls import CallRow, LegRow, save_calls
from daemon.stores.database import Database
from daemon.stores.deliveries import DeliveryFilter
from daemon.stores.store_clock import StoreClock
from daemon.stores.utterances import UtteranceRow, add_utterances
from daemon.tools.room import Tools
from daemon.transcripts.assembler import Transcripts
from protocols.stt.result import RecognitionResult
from tests.daemon.stores.counting import count_deliveries
from web.app import Sources, build_app
from web.endpoint import Group

PASSWORD = "correct horse battery"
CALLER = "01012345678"
CALLEE = "07000001004"

ALL: frozenset[Group] = frozenset({"public", "private"})


class House:
    """One Parley without its switch links. The clock stands still unless a test moves it."""

    def __init__(
        self, database: Database, config: Config, static: Path, secrets: Mapping[str, str] | None = None
    ) -> None:
        self.now = 1_700_000_000.0
        self.secrets = secrets or {}
        self.static = static
        self.config = config
        self.database = database
        self.hub = Hub()
        self.registry = Registry(self.hub, clock=self.clock, keep_ended=60.0)
        self.health = Health()
        self.links: list[LinkStatus] = []
        self.servers: list[TestServer] = []
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        self.accounts = Accounts(database, config.web, clock=self.clock, passwords=Passwords(hasher))
        self.tools = Tools(config.tool, config.inbound, {Database: database}, clock=self.clock)
        self.restart("epoch-1")

    def clock(self) -> float:
        return self.now

    def restart(self, epoch: str) -> None:
        """Another process: the calls in memory are gone and the numbering is new; the store and accounts stay."""
        self.hub = Hub()
        self.registry = Registry(self.hub, clock=self.clock, keep_ended=60.0)
        self.transcripts = Transcripts(self.hub, self.registry, epoch=epoch)
        self.store_clock = StoreClock(self.clock, of_database=self.database.is_postgresql)
        self.inbox = InboxRoom(
            self.config.inbox,
            Secrets(self.secrets),
            self.database,
            holder=lambda: "house",
            clock=self.clock,
            store_clock=self.store_clock,
        )
        self.mail = MailRoom(self.database, self.inbox, self.config.mail, Secrets(self.secrets), clock=self.clock)
        self.sources = Sources(
            config=self.config,
            registry=self.registry,
            transcripts=self.transcripts,
            hub=self.hub,
            database=self.database,
            accounts=self.accounts,
            health=self.health,
            links=lambda: self.links,
            tools=self.tools,
            version="1.2.3",
            inbox=self.inbox,
            interventions=self.interventions({}),
            people=People(self.database, self.accounts.recogniser, clock=self.clock),
            mail=self.mail,
            clock=self.clock,
        )

    def interventions(self, controls: Mapping[tuple[str, str], CallControl]) -> Interventions:
        """What people do to live calls, by these controls, without any app."""
        callapps = CallApps(
            CallAppsConfig(),
            {},
            controls=controls,
            hub=self.hub,
            registry=self.registry,
            transcripts=self.transcripts,
            instance=lambda: "house",
        )
        return Interventions(callapps, self.registry, self.database, TakeoverConfig(allowed=[".*"]), clock=self.clock)

    @asynccontextmanager
    async def inbox_at_work(self) -> AsyncIterator[None]:
        """Let the inbox store and work meanwhile."""
        working = asyncio.create_task(self.inbox.run())
        try:
            yield
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def until_none(self, wanted: Sequence[DeliveryFilter]) -> None:
        """Wait until there are no deliveries like any of these."""
        async with asyncio.timeout(30):
            while True:
                async with self.database.read() as connection:
                    if not any([await count_deliveries(connection, one) for one in wanted]):
                        return
                await asyncio.sleep(0.005)

    # The web

    async def serve(self, routes: frozenset[Group] = ALL, port: int | None = None, **options: Any) -> TestServer:
        server = TestServer(build_app(self.sources, routes, static=self.static), port=port, **options)
        # Long enough never to be what a test waits for.
        await server.start_server(shutdown_timeout=20.0)
        self.servers.append(server)
        return server

    async def close(self) -> None:
        for server in self.servers:
            await server.close()
        await self.tools.close()

    async def token(self, role: Role = "operator", name: str = "") -> str:
        return await self.accounts.new_token(name or f"token-{role}", role)

    async def user(self, name: str = "jin", role: Role = "operator") -> None:
        await self.accounts.add_user(name, PASSWORD, role)

    # Calls

    def tell(self, event: CallEvent) -> None:
        self.now += 0.25
        self.registry.apply(event)
        self.transcripts.apply(event)

    def _leg(self, kind: type[LegEvent], leg_id: str, **fields: Any) -> None:
        event = kind(origin="freeswitch", server="main", leg_id=leg_id, at=self.now, **fields)
        self.tell(event)  # type: ignore[arg-type]

    def ring(self, leg_id: str = "leg-a", **fields: Any) -> Call:
        """A call comes in."""
        defaults: dict[str, Any] = {
            "call_key": leg_id,
            "direction": Direction.INBOUND,
            "created_at": self.now,
            "caller": CALLER,
            "caller_name": f"홍길동 {CALLER}",
            "callee": CALLEE,
            "did": CALLEE,
        }
        self._leg(LegAppeared, leg_id, **{**defaults, **fields})
        return self.call(leg_id)

    def answer(self, leg_id: str = "leg-a") -> None:
        self._leg(LegAnswered, leg_id)

    def bridge(self, leg_id: str, other_leg_id: str) -> None:
        self._leg(LegsBridged, leg_id, other_leg_id=other_leg_id)

    def hang_up(self, leg_id: str = "leg-a") -> None:
        self._leg(LegEnded, leg_id, cause="NORMAL_CLEARING")

    def say(self, text: str, leg_id: str = "leg-a", *, final: bool = True) -> None:
        """The recogniser of that leg hears something."""
        result = RecognitionResult(text=text, final=final)
        self._leg(SpeechRecognised, leg_id, result=result, vendor="brain_stt")

    def call(self, leg_id: str = "leg-a") -> Call:
        call = self.registry.call_of("freeswitch", "main", leg_id)
        assert call is not None
        return call

    def link(self, state: LinkState, **fields: Any) -> None:
        """The switch's link changes."""
        status = LinkStatus(link="switch:main", server="main", state=state, since=self.now, **fields)
        self.links = [status]
        self.hub.publish(status)

    # The store

    async def store(self, call: Call, texts: Sequence[str], **changes: Any) -> CallRow:
        """Keep ``call`` and these finals, as the recorder would."""
        fields = {name: getattr(call, name) for name in CallRow.__struct_fields__ if hasattr(call, name)}
        legs = [LegRow(**{name: getattr(leg, name) for name in LegRow.__struct_fields__}) for leg in call.legs]
        row = CallRow(**{**fields, "legs": legs, **changes})
        rows = [
            UtteranceRow(
                call_id=row.call_id,
                utterance_id=f"{row.call_id}-{seq}",
                seq=seq,
                leg_id="leg-a",
                speaker="caller",
                text=text,
                start=None,
                end=None,
                said_at=row.created_at + seq,
                confidence=None,
                vendor="brain_stt",
            )
            for seq, text in enumerate(texts, 1)
        ]
        async with self.database.transaction() as connection:
            await save_calls(connection, [row])
            await add_utterances(connection, rows)
        return row
