"""The composition root: builds every room, starts them in order, and stops them in order.

What runs when Parley runs is written here and nowhere else. A room takes what it needs by its constructor; there are
no globals.
"""

from __future__ import annotations

import asyncio
import fcntl
import secrets as randomness
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path

import structlog

from daemon import logs
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
from daemon.chatbot.conversations import build_conversations
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
from daemon.errors import ConfigError, OperatorError
from daemon.health import Condition, Health, Part
from daemon.hub import Hub
from daemon.inbox.contract import Inbox
from daemon.inbox.handlers import NamedHandler
from daemon.inbox.own_events import SETTLE, OwnEvents
from daemon.inbox.room import InboxRoom
from daemon.listeners import Listeners
from daemon.mail.contract import Mail
from daemon.mail.room import SOURCE as MAIL
from daemon.mail.room import MailRoom
from daemon.notify import Notifier
from daemon.pbx.contract import ClickToCall, Diversions
from daemon.pbx.room import Pbx
from daemon.places import database_url, instance_id, last_heard_path, socket_path, spool_dir, writing_problem
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
from daemon.version import version
from daemon.vitals import Vitals
from web.app import Sources, build_app, deliveries_of

log = structlog.get_logger(__name__)

_UPGRADE_PATIENCE = 10.0
"""How long READY waits for the database's first answer: with it, calls met by the first snapshot keep their ids."""

_RESUME_PATIENCE = 2.0
"""How long the first snapshot waits to be told of the calls that an earlier process placed."""

_CANCEL_AGAIN = 2.0
"""Seconds that a task may take to end after it was cancelled, before it is cancelled again."""
_AWAY_PATIENCE = 1.0
_SWEEP_INTERVAL = 5.0


class Phase(StrEnum):
    """Where the process is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


class Service:
    """One Parley. ``run`` it; ``stop`` ends that.

    ``reread`` reads the configuration again for SIGHUP, which is ignored without one. ``clock`` gives Unix seconds.
    Raises :class:`~daemon.plugins.PluginError` for a configuration that ``parley check`` would have refused.
    """

    def __init__(
        self,
        config: Config,
        secrets: Secrets,
        *,
        reread: Callable[[], Config] | None = None,
        notifier: Notifier | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._reread = reread
        self._notifier = notifier or Notifier()
        self._clock = clock
        self._phase = Phase.STARTING
        self._stopping = asyncio.Event()
        self._chores: list[asyncio.Task[None]] = []
        self._recording: list[asyncio.Task[None]] = []
        self._following: list[asyncio.Task[None]] = []
        self._working: list[asyncio.Task[None]] = []
        self._scheduling: list[asyncio.Task[None]] = []
        self._held = ExitStack()
        self.started = asyncio.Event()
        """Set when the listeners accept and the rooms run."""
        self.hub = Hub()
        self.registry = Registry(self.hub, clock=clock, keep_ended=config.calls.keep_ended)
        self.transcripts = Transcripts(self.hub, self.registry, epoch=randomness.token_hex(8))
        self.database = Database.of(
            database_url(config), password=secrets.get(DATABASE_PASSWORD), pool_size=config.database.pool_size
        )
        self._upgrading = Upgrading(self.database)
        self.accounts = Accounts(self.database, config.web, clock=clock)
        self.people = People(self.database, self.accounts.recogniser, tenants=_tenants(config), clock=clock)
        self.recorder = Recorder(
            self.hub, self.database, config.recorder, spool_dir=spool_dir(config), rekey=self._rekey, clock=clock
        )
        self._recall = Recall(
            self.database, self.registry, self.transcripts, replayed=self.recorder.replayed, clock=clock
        )
        self._last_heard = LastHeard(last_heard_path(config))
        self.switches = [self._switch(switch, secrets) for switch in config.switch]
        self.pbx = self._pbx(secrets) if config.pbx.url else None
        self.inbox = InboxRoom(config.inbox, secrets, self.database, holder=lambda: instance_id(config), clock=clock)
        self.mail = self._mail(secrets)
        self.directory = DirectoryRoom(
            self.database, config.directory, secrets, holder=lambda: instance_id(config), clock=clock
        )
        self._webex = self._webex_api(secrets) if config.chatbot.webex.webhook_url else None
        self._messenger = WebexMessenger(self._webex) if self._webex is not None else None
        self.reminders = self._reminders(self._messenger)
        add_folders(config.plugins.path)
        self.tools = Tools(config.tool, config.inbound, self.supplies, clock=clock)
        controls = {(ORIGIN, switch.status.server): switch.control for switch in self.switches}
        placements = Placements()
        self.callapps = CallApps(
            config.callapps,
            self.supplies,
            controls=controls,
            hub=self.hub,
            registry=self.registry,
            transcripts=self.transcripts,
            instance=lambda: instance_id(config),
            understand=korean,
            placements=placements,
            secrets=secrets,
        )
        self.outgoing = OutgoingCalls(
            config.callapps.outgoing,
            self.callapps,
            placements,
            controls=controls,
            database=self.database,
            registry=self.registry,
            hub=self.hub,
            instance=lambda: instance_id(config),
            clock=clock,
        )
        self.interventions = Interventions(
            self.callapps, self.registry, self.database, config.callapps.takeover, clock=clock
        )
        self.memory = build_memory(config, secrets, self.database, clock=clock)
        self.conversations = build_conversations(
            config,
            supplies=self.chatbot_supplies,
            directory=self.directory,
            index=Index(read_meanings(config.directory.synonyms)),
            speakers=Speakers(self.database),
            memory=self.memory,
            clock=clock,
        )
        self.chatbot = self._chatbot(secrets)
        self.inbox.add_configured(self.supplies)
        self.schedules = self._schedules()
        self._own_events = OwnEvents(
            self.hub,
            self.transcripts,
            self.inbox,
            self.inbox.handlers,
            clock,
            counts=self.inbox.counts,
            settle=min(SETTLE, config.calls.keep_ended / 2),
        )
        self.health = self._health()
        self._vitals = Vitals(
            self._notifier, hub=self.hub, registry=self.registry, health=self.health, links=self.links
        )
        self._sources = self._web_sources()
        self.listeners = Listeners(shutdown_timeout=config.service.stop_timeout / 5)

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
        return self.supplies | {LiveCalls: self.registry, ChatbotConfig: self._config.chatbot}

    def stop(self) -> None:
        """Begin an orderly stop."""
        self._stopping.set()

    def links(self) -> list[LinkStatus]:
        """The state of every link, in the order of the configuration."""
        return [*(switch.status for switch in self.switches), *(self.pbx.statuses if self.pbx else ())]

    async def run(self) -> None:
        """Start, run until :meth:`stop` or a signal, and stop in order within ``service.stop_timeout``.

        Raises :class:`OperatorError` where the process cannot start. A room that fails ends all of them, in order as
        far as that goes, and its exception is raised: whoever started the process starts it again.
        """
        with self._held:
            self._take_state_dir()
            self._listen_to_signals(asyncio.current_task())
            try:
                await self._bind()
                async with asyncio.TaskGroup() as group:
                    await self._start(group)
                    await self._stopping.wait()
                    await self._stop()
            finally:
                await self._release()

    # Building

    def _switch(self, config: SwitchConfig, secrets: Secrets) -> Switch:
        password = secrets.get(switch_password(config))
        assert password is not None, "a configuration without the secret is not accepted"  # noqa: S101
        return Switch(
            config,
            password,
            apply=self._apply,
            registry=self.registry,
            hub=self.hub,
            speech=self._config.speech,
            recall=self._recall,
            heard_before=self._last_heard.of(config.name),
            clock=self._clock,
        )

    def _pbx(self, secrets: Secrets) -> Pbx:
        return Pbx(
            self._config.pbx,
            secrets,
            apply=self._apply,
            registry=self.registry,
            hub=self.hub,
            database=self.database,
            recall=self._recall,
            clock=self._clock,
        )

    def _reminders(self, messenger: Messenger | None) -> PostedReminders | None:
        """Where nobody can be told anything, nothing reminds."""
        if messenger is None:
            return None
        reminders = PostedReminders(self.inbox, messenger, clock=self._clock)
        # A configured name has no dot: these are never taken.
        self.inbox.handlers.add(NamedHandler(name="schedules.remind", handle=reminders.handle, source=REMINDERS))
        return reminders

    def _schedules(self) -> Schedules:
        schedules = Schedules(self._config.schedule, self.inbox, self.database, self.supplies, clock=self._clock)
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

    def _mail(self, secrets: Secrets) -> MailRoom:
        mail = MailRoom(
            self.database,
            self.inbox,
            self._config.mail,
            secrets,
            waiting=lambda: self.inbox.counts.pending(MAIL),
            clock=self._clock,
        )
        self.inbox.add_own(NamedHandler(name="mail", handle=mail.handle, source=MAIL, deadline=mail.patience))
        return mail

    def _webex_api(self, secrets: Secrets) -> WebexApi:
        token = secrets.get(WEBEX_BOT_TOKEN)
        assert token is not None, "a configuration without the secret is not accepted"  # noqa: S101
        return WebexApi(self._config.chatbot.webex, token, clock=self._clock)

    def _chatbot(self, secrets: Secrets) -> ChatbotRoom | None:
        if self._webex is None or self._messenger is None:
            return None
        config = self._config.chatbot.webex
        source = next(source for source in self._config.inbox.source if source.name == config.source)
        room = ChatbotRoom(
            config,
            api=self._webex,
            messenger=self._messenger,
            secret=source_secrets(source, secrets)[0],
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

    def _apply(self, event: CallEvent) -> None:
        """Calls first: an utterance is of a call that is there."""
        self.registry.apply(event)
        self.transcripts.apply(event)

    def _rekey(self, old_call_id: str, call_id: str, stored: list[UtteranceRow]) -> None:
        self.registry.rekey(old_call_id, call_id)
        self.transcripts.rekey(old_call_id, call_id, [final_of(row) for row in stored])

    def _health(self) -> Health:
        health = Health()
        health.add("service", self._own_condition)
        health.add("database", self._upgrading.condition)
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
        return health

    def _web_sources(self) -> Sources:
        return Sources(
            config=self._config,
            registry=self.registry,
            transcripts=self.transcripts,
            hub=self.hub,
            database=self.database,
            accounts=self.accounts,
            health=self.health,
            links=self.links,
            version=version(),
            inbox=self.inbox,
            pbx=self.pbx,
            tools=self.tools,
            callapps=self.callapps,
            outgoing=self.outgoing,
            interventions=self.interventions,
            people=self.people,
            mail=self.mail,
            clock=self._clock,
        )

    def _own_condition(self) -> Part:
        running = self._phase is Phase.RUNNING
        return Part(Condition.OK if running else Condition.DOWN, self._phase)

    # Starting

    def _take_state_dir(self) -> None:
        """Two processes with one spool or one SQLite file would lose each other's rows."""
        state_dir = Path(self._config.service.state_dir)
        for folder in (state_dir, spool_dir(self._config)):
            problem = writing_problem(folder)
            if problem is not None:
                raise OperatorError(f"nothing can be written in {folder}: {problem}")
        lock = self._held.enter_context((state_dir / "parley.lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OperatorError(f"another Parley uses {state_dir}") from error

    def _listen_to_signals(self, running: asyncio.Task[None] | None) -> None:
        loop = asyncio.get_running_loop()

        def end() -> None:
            if self._stopping.is_set() and running is not None:
                log.warning("stop_cut_short")
                running.cancel()
            self._stopping.set()

        handlers = {signal.SIGTERM: end, signal.SIGINT: end, signal.SIGHUP: self._reload}
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
            self._held.callback(loop.remove_signal_handler, number)

    async def _bind(self) -> None:
        for listener in self._config.web.listener:
            app = build_app(self._sources, frozenset(listener.routes))
            deliveries = deliveries_of(self._sources) if "public" in listener.routes else None
            await self.listeners.add_tcp(app, listener.host, listener.port, deliveries)
        command_line = build_app(self._sources, frozenset({"public", "private"}))
        await self.listeners.add_unix(command_line, socket_path(self._config))

    async def _start(self, group: asyncio.TaskGroup) -> None:
        chores = (
            self._vitals.feed_watchdog(),
            self._upgrading.run(),
            self._recall.run(),
            self._last_heard.keep(lambda: {switch.status.server: switch.last_heard for switch in self.switches}),
            self._sweep(),
            self.memory.run(),
        )
        self._chores = [group.create_task(chore) for chore in chores]
        await self._upgrading.first_try(_UPGRADE_PATIENCE)
        self._recording = [group.create_task(self.recorder.run())]
        working = (self.inbox.run(), self._own_events.run(), self.directory.run(), self.outgoing.run())
        self._working = [group.create_task(work) for work in working]
        if self.chatbot is not None:
            self._working.append(group.create_task(self.chatbot.run()))
        await self.listeners.start()
        self.callapps.begin()
        await self.outgoing.begin(_RESUME_PATIENCE)
        self._following = [group.create_task(switch.run()) for switch in self.switches]
        if self.pbx is not None:
            self._following.append(group.create_task(self.pbx.run()))
        self._scheduling = [group.create_task(self.schedules.run())]
        self._phase = Phase.RUNNING
        self._notifier.ready(self._vitals.status())
        self._telling = group.create_task(self._vitals.tell_status())
        log.info("started", version=version(), addresses=[f"{host}:{port}" for host, port in self.listeners.addresses])
        self.started.set()

    # Running

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_INTERVAL)
            self.registry.sweep()

    def _reload(self) -> None:
        """Apply ``[log]`` and ``[live]`` of the file as it is now; a file with mistakes changes nothing."""
        if self._reread is None or self._phase is not Phase.RUNNING:
            return
        self._notifier.reloading()
        try:
            config = self._reread()
        except ConfigError as error:
            log.error("config_refused", file=error.path, mistakes=[str(mistake) for mistake in error.mistakes])
            self._notifier.ready(f"reload refused, the old configuration holds; {self._vitals.status()}")
            return
        kept = [name for name in Config.__struct_fields__ if name not in ("log", "live")]
        waiting = [name for name in kept if getattr(config, name) != getattr(self._config, name)]
        self._config.log = config.log
        self._config.live = config.live
        logs.configure(config.log)
        self._sources.live.set_limits(config.live)
        log.info("config_reloaded")
        if waiting:
            log.warning("config_needs_restart", tables=waiting)
        self._notifier.ready(self._vitals.status())

    # Stopping

    async def _stop(self) -> None:
        """Listeners, tools, call apps, links, recorder, one after the other, so that nothing is taken in that cannot be
        stored, and no caller is left without a link to send them on by."""
        self._phase = Phase.STOPPING
        self.callapps.refuse()
        self._telling.cancel()
        self._notifier.stopping()
        log.info("stopping")
        loop = asyncio.get_running_loop()
        whole = self._config.service.stop_timeout
        end = loop.time() + whole
        await self.listeners.stop_accepting()
        await self._step("listeners", self.listeners.close(), end - whole * 0.8)
        await self._step("schedules", _end_tasks(self._scheduling), end - whole * 0.75)
        await self._step("tools", self.tools.close(), end - whole * 0.75)
        await self._step("outgoing", self.outgoing.close(), end - whole * 0.7)
        grace = max(0.0, end - whole * 0.65 - loop.time())
        await self._step("callapps", self.callapps.close(grace), end - whole * 0.45)
        await self._step("interventions", self.interventions.close(), end - whole * 0.45)
        await self._step("links", _end_tasks(self._following), end - whole * 0.4)
        # What the links told last is put while the inbox still takes it. Whoever delivers has been answered by now.
        await self._step("own_events", self._own_events.close(), end - whole * 0.35)
        await self._step("work", self.inbox.close(whole * 0.05), end - whole * 0.3)
        await self._step("inbox", _end_tasks(self._working), end - whole * 0.25)
        # A database that is away will not be back for a stop; what waits for it is in the spool.
        parts = (self._upgrading.condition(), self.recorder.condition())
        away = any(part.condition is not Condition.OK for part in parts)
        patience = min(_AWAY_PATIENCE, whole) if away else end - whole * 0.25 - loop.time()
        if not await self.recorder.drain(max(0.0, patience)):
            log.warning("rows_left_in_spool", health=self.recorder.condition().detail)
        await self._step("recorder", _end_tasks(self._recording), end - whole * 0.1)
        await self._step("chores", _end_tasks(self._chores), end)

    async def _step(self, name: str, work: Awaitable[None], deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await work
        except TimeoutError:
            log.warning("stop_step_cut_off", step=name)
        else:
            log.info(f"{name}_stopped")

    async def _release(self) -> None:
        """What no task holds. After an orderly stop the listeners are closed already."""
        self._stopping.set()
        soon = asyncio.get_running_loop().time() + 1.0
        if self._phase is not Phase.STOPPING:
            await self._step("listeners", self.listeners.close(), soon)
        await self._step("memory", self.memory.close(), soon)
        await self._step("database", self.database.close(), soon)
        log.info("stopped")
        self._notifier.close()


def _tenants(config: Config) -> list[str]:
    """The aliases of the tenants there are."""
    return [tenant.name for tenant in config.pbx.tenant if config.pbx.url]


async def _end_tasks(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they are done. What they raise is for the group that they belong to.

    One that lets its cancellation get lost is cancelled again: the group, and with it the stop, would wait for ever.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_CANCEL_AGAIN)
