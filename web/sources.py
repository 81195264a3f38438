"""What the web needs of the process, handed over once, and what all its listeners share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from daemon.accounts.accounts import Accounts
from daemon.accounts.people import People
from daemon.callapps.interventions import Interventions
from daemon.callapps.outgoing_service import OutgoingCalls
from daemon.callapps.room import CallApps
from daemon.calls.links import LinkStatus
from daemon.calls.registry import Registry
from daemon.config import Config
from daemon.health import Health
from daemon.hub import Hub
from daemon.inbox.room import InboxRoom
from daemon.mail.room import MailRoom
from daemon.pbx.room import Pbx
from daemon.stores.database import Database
from daemon.tools.room import Tools
from daemon.transcripts.assembler import Transcripts
from web.auth import Auth
from web.live import Live
from web.live_client import Past
from web.metrics import Metrics
from web.providers import Providers


@dataclass(kw_only=True)
class Sources:
    """Built by the composition root. ``links`` tells the state of every link there is."""

    config: Config
    registry: Registry
    transcripts: Transcripts
    hub: Hub
    database: Database
    accounts: Accounts
    health: Health
    links: Callable[[], list[LinkStatus]]
    version: str
    inbox: InboxRoom
    tools: Tools
    interventions: Interventions
    people: People
    mail: MailRoom
    pbx: Pbx | None = None
    callapps: CallApps | None = None
    outgoing: OutgoingCalls | None = None
    clock: Callable[[], float] = time.time

    @cached_property
    def auth(self) -> Auth:
        """Who may do what."""
        return Auth(self.accounts, self.config.web)

    @cached_property
    def providers(self) -> Providers:
        """Who may deliver."""
        return Providers(self.inbox, self.auth, self.config.inbox.max_body)

    @cached_property
    def live(self) -> Live:
        """The live view: one for all listeners. Their applications start and stop it, and so may anybody."""
        return Live(
            self.config.live,
            past=Past(self.registry, self.transcripts, self.database),
            hub=self.hub,
            accounts=self.accounts,
            links=self.links,
            view_of=self.auth.view,
            keep_ended=self.config.calls.keep_ended,
            clock=self.clock,
        )

    @cached_property
    def metrics(self) -> Metrics:
        """What is counted, for all listeners together."""
        return Metrics(
            hub=self.hub,
            registry=self.registry,
            health=self.health,
            links=self.links,
            live=self.live,
            callapps=self.callapps,
            outgoing=self.outgoing,
            tools=self.tools,
            inbox=self.inbox,
            version=self.version,
            clock=self.clock,
        )
