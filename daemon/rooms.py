"""The composition root: every room of one Parley, built.

Which room takes what is written here and nowhere else. Each takes what it needs by its constructor; there are no
globals.
"""

from __future__ import annotations

import secrets as randomness
from collections.abc import Callable

from daemon.accounts.accounts import Accounts
from daemon.accounts.people import People
from daemon.callapps.interventions import Interventions
from daemon.callapps.outgoing_service import OutgoingCalls
from daemon.callapps.placements import Placements
from daemon.callapps.room import CallApps
from daemon.callapps.understanding import korean
from daemon.calls.events import CallEvent
from daemon.calls.links import LinkStatus
from daemon.calls.registry import Registry
from daemon.chatbot.contract import Messenger
from daemon.chatbot.conversations import BotConversations, build_conversations
from daemon.chatbot.known_people import KnownPeople
from daemon.chatbot.memory import build_memory
from daemon.chatbot.room import HANDLERS, PATIENCE, ChatbotRoom
from daemon.chatbot.speakers import Speakers
from daemon.chatbot.store_memory import StoreMemory
from daemon.chatbot.supplies import LiveCalls
from daemon.chatbot.webex.api import WebexApi
from daemon.chatbot.webex.messenger import WebexMessenger
from daemon.config import ChatbotConfig, Config, SwitchConfig
from daemon.directory.contract import Directory
from daemon.directory.index import Index
from daemon.directory.meanings import read_meanings
from daemon.directory.room import DirectoryRoom
from daemon.health import Health
from daemon.hub import Hub
from daemon.inbox.contract import Inbox
from daemon.inbox.handlers import NamedHandler
from daemon.inbox.own_events import SETTLE, OwnEvents
from daemon.inbox.room import InboxRoom
from daemon.mail.contract import Mail
from daemon.mail.room import SOURCE as MAIL
from daemon.mail.room import MailRoom
from daemon.pbx.contract import ClickToCall, Diversions
from daemon.pbx.room import Pbx
from daemon.places import database_url, instance_id, last_heard_path, spool_dir
from daemon.plugins import add_folders
from daemon.recall import Recall, final_of
from daemon.schedules.contract import Reminders
from daemon.schedules.reminders import SOURCE as REMINDERS
from daemon.schedules.reminders import PostedReminders
from daemon.schedules.room import Schedules
from daemon.schedules.schedule import SOURCE as FIRINGS
from daemon.secrets import DATABASE_PASSWORD, WEBEX_BOT_TOKEN, Secrets, source_secrets, switch_password
from daemon.stores.database import Database
from daemon.stores.utterances import UtteranceRow
from daemon.switch.last_heard import LastHeard
from daemon.switch.legs import ORIGIN
from daemon.switch.switch import Switch
from daemon.tools.room import Tools
from daemon.transcripts.assembler import Transcripts
from daemon.transcripts.recorder import Recorder
from daemon.upgrading import Upgrading


class Rooms:
    """They are built in the order in which one takes another, and do nothing yet.

    ``health`` is told of those that have a condition. ``clock`` gives Unix seconds. Raises
    :class:`~daemon.plugins.PluginError` for a configuration that ``parley check`` would have refused.
    """

    def __init__(self, config: Config, secrets: Secrets, health: Health, *, clock: Callable[[], float]) -> None:
        self.config = config
        self.health = health
        self._secrets = secrets
        self._clock = clock
        self.hub = Hub()
        self.registry = Registry(self.hub, clock=clock, keep_ended=config.calls.keep_ended)
        self.transcripts = Transcripts(self.hub, self.registry, epoch=randomness.token_hex(8))
        self.database = self._database()
        self.upgrading = Upgrading(self.database)
        self.accounts = Accounts(self.database, config.web, clock=clock)
        self.people = People(self.database, self.accounts.recogniser, tenants=_tenants(config), clock=clock)
        self.recorder = self._recorder()
        self.recall = self._recall()
        self.last_heard = LastHeard(last_heard_path(config))
        self.switches = [self._switch(switch) for switch in config.switch]
        self._controls = {(ORIGIN, switch.status.server): switch.control for switch in self.switches}
        self.pbx = self._pbx() if config.pbx.url else None
        self.inbox = InboxRoom(config.inbox, secrets, self.database, holder=self._instance, clock=clock)
        self.mail = self._mail()
        self.directory = DirectoryRoom(self.database, config.directory, secrets, holder=self._instance, clock=clock)
        self._webex = self._webex_api() if config.chatbot.webex.webhook_url else None
        self._messenger = WebexMessenger(self._webex) if self._webex is not None else None
        self.reminders = self._reminders()
        add_folders(config.plugins.path)
        self.tools = Tools(config.tool, config.inbound, self.supplies, clock=clock)
        self._placements = Placements()
        self.callapps = self._callapps()
        self.outgoing = self._outgoing()
        self.interventions = self._interventions()
        self.memory = build_memory(config, secrets, self.database, clock=clock)
        self.known_people = self._known_people()
        self.conversations = self._conversations()
        self.chatbot = self._chatbot()
        self.inbox.add_configured(self.supplies)
        self.schedules = self._schedules()
        self.own_events = self._own_events()
        self._add_conditions()

    @property
    def supplies(self) -> dict[type, object]:
        """What plugins may ask for: the types are those of :func:`daemon.plugin_rules.supplied_types`."""
        supplies: dict[type, object] = {
            Database: self.database,
            Directory: self.directory,
            Inbox: self.inbox,
            Mail: self.mail,
        }
        if self.pbx is not None:
            supplies |= {Diversions: self.pbx.diversions, ClickToCall: self.pbx.click_to_call}
        if self._messenger is not None:
            supplies[Messenger] = self._messenger
        if self.reminders is not None:
            supplies[Reminders] = self.reminders
        return supplies

    @property
    def chatbot_supplies(self) -> dict[type, object]:
        """What services of the chatbot may ask for: :data:`daemon.chatbot.supplies.OF_SERVICES` too."""
        of_services = {LiveCalls: self.registry, ChatbotConfig: self.config.chatbot, KnownPeople: self.known_people}
        return self.supplies | of_services

    def links(self) -> list[LinkStatus]:
        """The state of every link, in the order of the configuration."""
        return [*(switch.status for switch in self.switches), *(self.pbx.statuses if self.pbx else ())]

    # Building

    def _instance(self) -> str:
        return instance_id(self.config)

    def _database(self) -> Database:
        config = self.config
        return Database.of(
            database_url(config), password=self._secrets.get(DATABASE_PASSWORD), pool_size=config.database.pool_size
        )

    def _recorder(self) -> Recorder:
        return Recorder(
            self.hub,
            self.database,
            self.config.recorder,
            spool_dir=spool_dir(self.config),
            rekey=self._rekey,
            clock=self._clock,
        )

    def _recall(self) -> Recall:
        return Recall(
            self.database, self.registry, self.transcripts, replayed=self.recorder.replayed, clock=self._clock
        )

    def _switch(self, config: SwitchConfig) -> Switch:
        password = self._secrets.get(switch_password(config))
        assert password is not None, "a configuration without the secret is not accepted"  # noqa: S101
        return Switch(
            config,
            password,
            apply=self._apply,
            registry=self.registry,
            hub=self.hub,
            speech=self.config.speech,
            recall=self.recall,
            heard_before=self.last_heard.of(config.name),
            clock=self._clock,
        )

    def _pbx(self) -> Pbx:
        return Pbx(
            self.config.pbx,
            self._secrets,
            apply=self._apply,
            registry=self.registry,
            hub=self.hub,
            database=self.database,
            recall=self.recall,
            clock=self._clock,
        )

    def _reminders(self) -> PostedReminders | None:
        """Where nobody can be told anything, nothing reminds."""
        if self._messenger is None:
            return None
        reminders = PostedReminders(self.inbox, self._messenger, clock=self._clock)
        # A configured name has no dot: these are never taken.
        self.inbox.handlers.add(NamedHandler(name="schedules.remind", handle=reminders.handle, source=REMINDERS))
        return reminders

    def _schedules(self) -> Schedules:
        schedules = Schedules(self.config.schedule, self.inbox, self.database, self.supplies, clock=self._clock)
        for schedule in schedules.all:
            self.inbox.handlers.add(
                NamedHandler(
                    name=f"schedules.{schedule.name}.fire",
                    handle=schedule.handle,
                    source=FIRINGS,
                    event=schedule.name,
                    deadline=schedule.deadline,
                )
            )
        return schedules

    def _mail(self) -> MailRoom:
        mail = MailRoom(
            self.database,
            self.inbox,
            self.config.mail,
            self._secrets,
            waiting=lambda: self.inbox.counts.waiting(MAIL),
            clock=self._clock,
        )
        self.inbox.add_own(NamedHandler(name="mail", handle=mail.handle, source=MAIL, deadline=mail.patience))
        return mail

    def _webex_api(self) -> WebexApi:
        token = self._secrets.get(WEBEX_BOT_TOKEN)
        assert token is not None, "a configuration without the secret is not accepted"  # noqa: S101
        return WebexApi(self.config.chatbot.webex, token, clock=self._clock)

    def _chatbot(self) -> ChatbotRoom | None:
        if self._webex is None or self._messenger is None:
            return None
        config = self.config.chatbot.webex
        source = next(source for source in self.config.inbox.source if source.name == config.source)
        room = ChatbotRoom(
            config,
            api=self._webex,
            messenger=self._messenger,
            secret=source_secrets(source, self._secrets)[0],
            inbox=self.inbox,
            conversations=self.conversations,
            memory=self.memory,
            kept=StoreMemory(self.database, clock=self._clock),
            clock=self._clock,
        )
        patience = PATIENCE + self.conversations.patience
        for name, event in HANDLERS.items():
            handler = NamedHandler(name=name, handle=room.handle, source=source.name, event=event, deadline=patience)
            self.inbox.handlers.add(handler)
        return room

    def _callapps(self) -> CallApps:
        return CallApps(
            self.config.callapps,
            self.supplies,
            controls=self._controls,
            hub=self.hub,
            registry=self.registry,
            transcripts=self.transcripts,
            instance=self._instance,
            understand=korean,
            placements=self._placements,
            secrets=self._secrets,
        )

    def _outgoing(self) -> OutgoingCalls:
        return OutgoingCalls(
            self.config.callapps.outgoing,
            self.callapps,
            self._placements,
            controls=self._controls,
            database=self.database,
            registry=self.registry,
            hub=self.hub,
            instance=self._instance,
            clock=self._clock,
        )

    def _interventions(self) -> Interventions:
        return Interventions(
            self.callapps, self.registry, self.database, self.config.callapps.takeover, clock=self._clock
        )

    def _conversations(self) -> BotConversations:
        return build_conversations(
            self.config,
            supplies=self.chatbot_supplies,
            directory=self.known_people,
            index=Index(read_meanings(self.config.directory.synonyms)),
            speakers=Speakers(self.database),
            memory=self.memory,
            clock=self._clock,
        )

    def _known_people(self) -> KnownPeople:
        config = self.config.directory
        return KnownPeople(
            self.database, self.directory, Index(read_meanings(config.synonyms)), threshold=config.threshold
        )

    def _own_events(self) -> OwnEvents:
        return OwnEvents(
            self.hub,
            self.transcripts,
            self.inbox,
            self.inbox.handlers,
            self._clock,
            counts=self.inbox.counts,
            settle=min(SETTLE, self.config.calls.keep_ended / 2),
        )

    def _add_conditions(self) -> None:
        health = self.health
        health.add("database", self.upgrading.condition)
        health.add("recorder", self.recorder.condition)
        health.add("inbox", self.inbox.condition)
        if self.schedules.all:
            health.add("schedules", self.schedules.condition)
        health.add("mail", self.mail.condition)
        health.add("memory", self.memory.condition)
        if self.chatbot is not None:
            health.add("webex", self.chatbot.condition)
        for name, check in self.directory.conditions().items():
            health.add(name, check)
        for destination in self.inbox.destinations.values():
            health.add(f"destination:{destination.name}", destination.condition)
        for switch in self.switches:
            health.add(switch.status.link, switch.condition)
        if self.pbx is not None:
            health.add("pbx:gateway", self.pbx.gateway.condition)
            for server in self.pbx.servers.all:
                health.add(server.status.now.link, server.status.part)

    # What is told to more than one of them

    def _apply(self, event: CallEvent) -> None:
        """Calls first: an utterance is of a call that is there."""
        self.registry.apply(event)
        self.transcripts.apply(event)

    def _rekey(self, old_call_id: str, call_id: str, stored: list[UtteranceRow]) -> None:
        self.registry.rekey(old_call_id, call_id)
        self.transcripts.rekey(old_call_id, call_id, [final_of(row) for row in stored])


def _tenants(config: Config) -> list[str]:
    """The aliases of the tenants there are."""
    return [tenant.name for tenant in config.pbx.tenant if config.pbx.url]
