"""One Parley's life: its rooms are built, started in order, and stopped in order.

What runs when Parley runs is written here and nowhere else.
"""

from __future__ import annotations

import asyncio
import fcntl
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path

import structlog

from daemon import logs
from daemon.config import Config
from daemon.errors import ConfigError, OperatorError
from daemon.health import Condition, Health, Part
from daemon.listeners import Listeners
from daemon.notify import Notifier
from daemon.places import socket_path, spool_dir, writing_problem
from daemon.rooms import Rooms
from daemon.secrets import Secrets
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
        health = Health()
        health.add("service", self._own_condition)
        rooms = self.rooms = Rooms(config, secrets, health, clock=clock)
        self._vitals = Vitals(
            self._notifier, hub=rooms.hub, registry=rooms.registry, health=rooms.health, links=rooms.links
        )
        self._sources = self._web_sources()
        self.listeners = Listeners(shutdown_timeout=config.service.stop_timeout / 5)

    def stop(self) -> None:
        """Begin an orderly stop."""
        self._stopping.set()

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

    def _web_sources(self) -> Sources:
        rooms = self.rooms
        return Sources(
            config=self._config,
            registry=rooms.registry,
            transcripts=rooms.transcripts,
            hub=rooms.hub,
            database=rooms.database,
            accounts=rooms.accounts,
            health=rooms.health,
            links=rooms.links,
            version=version(),
            inbox=rooms.inbox,
            pbx=rooms.pbx,
            tools=rooms.tools,
            callapps=rooms.callapps,
            outgoing=rooms.outgoing,
            interventions=rooms.interventions,
            people=rooms.people,
            mail=rooms.mail,
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
        rooms = self.rooms
        chores = (
            self._vitals.feed_watchdog(),
            rooms.upgrading.run(),
            rooms.recall.run(),
            rooms.last_heard.keep(lambda: {switch.status.server: switch.last_heard for switch in rooms.switches}),
            self._sweep(),
        )
        self._chores = [group.create_task(chore) for chore in chores]
        await rooms.upgrading.first_try(_UPGRADE_PATIENCE)
        self._chores.append(group.create_task(rooms.memory.run()))  # which may be a table of the database
        self._recording = [group.create_task(rooms.recorder.run())]
        working = (rooms.inbox.run(), rooms.own_events.run(), rooms.directory.run(), rooms.outgoing.run())
        self._working = [group.create_task(work) for work in working]
        if rooms.chatbot is not None:
            self._working.append(group.create_task(rooms.chatbot.run()))
        await self.listeners.start()
        rooms.callapps.begin()
        await rooms.outgoing.begin(_RESUME_PATIENCE)
        self._following = [group.create_task(switch.run()) for switch in rooms.switches]
        if rooms.pbx is not None:
            self._following.append(group.create_task(rooms.pbx.run()))
        self._scheduling = [group.create_task(rooms.schedules.run())]
        self._phase = Phase.RUNNING
        self._notifier.ready(self._vitals.status())
        self._telling = group.create_task(self._vitals.tell_status())
        log.info("started", version=version(), addresses=[f"{host}:{port}" for host, port in self.listeners.addresses])
        self.started.set()

    # Running

    def _last_heard(self) -> dict[str, float | None]:
        return {switch.status.server: switch.last_heard for switch in self.rooms.switches}

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_INTERVAL)
            self.rooms.registry.sweep()

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
        rooms = self.rooms
        self._phase = Phase.STOPPING
        rooms.callapps.refuse()
        self._telling.cancel()
        self._notifier.stopping()
        log.info("stopping")
        loop = asyncio.get_running_loop()
        whole = self._config.service.stop_timeout
        end = loop.time() + whole
        await self.listeners.stop_accepting()
        await self._step("listeners", self.listeners.close(), end - whole * 0.8)
        await self._step("schedules", _end_tasks(self._scheduling), end - whole * 0.75)
        await self._step("tools", rooms.tools.close(), end - whole * 0.75)
        await self._step("outgoing", rooms.outgoing.close(), end - whole * 0.7)
        grace = max(0.0, end - whole * 0.65 - loop.time())
        await self._step("callapps", rooms.callapps.close(grace), end - whole * 0.45)
        await self._step("interventions", rooms.interventions.close(), end - whole * 0.45)
        await self._step("links", _end_tasks(self._following), end - whole * 0.4)
        # What the links told last is put while the inbox still takes it. Whoever delivers has been answered by now.
        await self._step("own_events", rooms.own_events.close(), end - whole * 0.35)
        await self._step("work", rooms.inbox.close(whole * 0.05), end - whole * 0.3)
        await self._step("inbox", _end_tasks(self._working), end - whole * 0.25)
        # A database that is away will not be back for a stop; what waits for it is in the spool.
        parts = (rooms.upgrading.condition(), rooms.recorder.condition())
        away = any(part.condition is not Condition.OK for part in parts)
        patience = min(_AWAY_PATIENCE, whole) if away else end - whole * 0.25 - loop.time()
        if not await rooms.recorder.drain(max(0.0, patience)):
            log.warning("rows_left_in_spool", health=rooms.recorder.condition().detail)
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
        await self._step("memory", self.rooms.memory.close(), soon)
        await self._step("database", self.rooms.database.close(), soon)
        log.info("stopped")
        self._notifier.close()


async def _end_tasks(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they are done. What they raise is for the group that they belong to.

    One that lets its cancellation get lost is cancelled again: the group, and with it the stop, would wait for ever.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_CANCEL_AGAIN)
