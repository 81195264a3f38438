"""``parley demo``: Parley with a simulated switch, or with a recording of one, in a folder that goes away."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import faulthandler
import socket
import tempfile
import time
from pathlib import Path
from typing import get_args

from daemon import logs
from daemon.callapps.app_folder import AppFolder
from daemon.commands.parser import Verbs
from daemon.commands.run import run_to_the_end
from daemon.config import (
    CallAppConfig,
    CallAppsConfig,
    Config,
    Day,
    ListenerConfig,
    LogConfig,
    OutgoingConfig,
    ServiceConfig,
    SwitchConfig,
    TakeoverConfig,
    WebConfig,
)
from daemon.demo.demo import Demo
from daemon.demo.dialogues import SCRIPTS
from daemon.demo.directory import ENTRIES
from daemon.demo.led_dialogues import DIRECTORY_CODE, ECHO_CODE, LED, SURVEY_CODE, visit
from daemon.demo.pbx import DemoPbx
from daemon.demo.survey import OPTIONS
from daemon.demo.webex import PEOPLE, TEAMS, DemoWebex
from daemon.demo.webhooks import DemoWebhooks
from daemon.errors import ExitCode, OperatorError
from daemon.places import socket_path
from daemon.plugins import PluginError
from daemon.secrets import Secrets, environment_name, switch_password
from daemon.service import Service
from daemon.stores.directory_entries import save_directory_entries
from daemon.stores.people import save_people, save_teams

_HOST = "127.0.0.1"
_PORT = 8000
_PORTS_TRIED = 20
_ACCOUNT = "demo"


def register(verbs: Verbs) -> None:
    """Add ``demo``."""
    verb = verbs(
        "demo",
        "run Parley with a simulated switch, PBX, webhooks and Webex",
        configured=False,
        description="Run Parley with a simulated FreeSWITCH whose callers speak Korean, a simulated PBX, providers "
        "that deliver webhooks and a Webex where one may talk to its bot, or with a recorded session of a real switch, "
        "and print an address that signs in once. Nothing is configured, nothing is left behind.",
    )
    verb.add_argument("--port", type=_port, help=f"where to listen (default: {_PORT}, or the next one that is free)")
    verb.add_argument("--recording", metavar="FILE", type=Path, help="play this recorded session instead of simulating")
    verb.add_argument("--fast", action="store_true", help="play the recording without its pauses")
    verb.add_argument(
        "--apps", metavar="DIR", type=Path, help="let people call the call apps in its files, followed as they change"
    )
    verb.add_argument("--speed", metavar="X", type=_speed, default=1.0, help="so many times as fast (default: 1)")
    verb.add_argument("--state-dir", metavar="DIR", type=Path, help="keep what is stored here, instead of nowhere")
    verb.add_argument("--verbose", action="store_true", help="show the log from level info up")
    verb.set_defaults(command=_demo)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def _speed(text: str) -> float:
    speed = float(text)
    if not 0.01 <= speed <= 1000:
        raise argparse.ArgumentTypeError("give a number from 0.01 to 1000")
    return speed


def _demo(arguments: argparse.Namespace) -> ExitCode:
    faulthandler.enable()
    apps = _Apps(arguments.apps) if arguments.apps is not None else None
    logs.configure(LogConfig(level="info" if arguments.verbose or apps is not None else "warning"))
    if apps is not None and arguments.recording is not None:
        raise OperatorError("nobody calls apps in a recording: leave out --recording or --apps")
    # Those who deliver are told of it before Parley listens.
    port = arguments.port or _free_port(0 if arguments.port == 0 else None)
    try:
        demo = Demo(
            recording=arguments.recording,
            fast=arguments.fast,
            speed=arguments.speed,
            scripts=(*SCRIPTS, *LED) if apps is None else [visit(app.name) for app in apps.tables],
        )
    except (OSError, ValueError) as error:
        raise OperatorError(f"{arguments.recording} cannot be played: {error}") from error
    with contextlib.ExitStack() as stack:
        state_dir = arguments.state_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parley-demo-")))
        world = _World(arguments.speed) if arguments.recording is None else None
        return run_to_the_end(_serve(demo, world, apps, state_dir.absolute(), port))


class _Apps:
    """The call apps in a folder. Raises :class:`OperatorError` where there is none, or a file is broken."""

    def __init__(self, path: Path) -> None:
        self.folder = AppFolder(path)
        try:
            self.tables = self.folder.find()
        except PluginError as error:
            raise OperatorError(f"{error}; {error.remedy}") from error
        if not self.tables:
            raise OperatorError(f"no file in {path} has a call app: write async def order(call: AppCall) -> None")


class _World:
    """What is simulated around Parley beside its switch."""

    def __init__(self, speed: float) -> None:
        self.pbx = DemoPbx(speed=speed)
        self.webhooks = DemoWebhooks(speed=speed)
        self.webex = DemoWebex()

    async def start(self, config: Config) -> dict[str, str]:
        """Start it, and say in ``config`` where it is; returns the environment that goes with that."""
        await self.pbx.start()
        await self.webhooks.start()
        await self.webex.start()
        config.pbx = self.pbx.config
        config.inbox = self.webhooks.config
        config.inbox.source.append(self.webex.source)
        [listener] = config.web.listener
        config.chatbot = self.webex.config(f"http://{listener.host}:{listener.port}")
        return self.pbx.secrets | self.webhooks.secrets | self.webex.secrets

    async def fill(self, service: Service) -> None:
        """Let Parley know who and what there is."""
        async with service.rooms.database.transaction() as connection:
            await save_directory_entries(connection, ENTRIES)
            await save_teams(connection, TEAMS)
            await save_people(connection, PEOPLE, now=time.time())
        await service.rooms.directory.refresh()

    async def stop(self) -> None:
        await self.webex.stop()
        await self.webhooks.stop()
        await self.pbx.stop()


async def _serve(demo: Demo, world: _World | None, apps: _Apps | None, state_dir: Path, port: int) -> None:
    switch = await demo.start()
    try:
        environment = {environment_name(switch_password(switch)): demo.password}
        config = _config(switch, state_dir, port, demo.speed)
        config.callapps.app += apps.tables if apps is not None else []
        if world is not None:
            environment |= await world.start(config)
        try:
            service = Service(config, Secrets(environment))
        except PluginError as error:
            raise OperatorError(f"{error}; {error.remedy}") from error
        beside = [asyncio.create_task(_announce(service, config, world))]
        if apps is not None:
            beside.append(asyncio.create_task(apps.folder.follow(service.rooms.callapps)))
        try:
            await service.run()
        finally:
            for task in beside:
                task.cancel()
    finally:
        if world is not None:
            await world.stop()
        await demo.stop()


async def _announce(service: Service, config: Config, world: _World | None) -> None:
    await service.started.wait()
    host, port = service.listeners.addresses[0]
    if world is not None:
        await world.fill(service)
        world.webhooks.deliver_to(f"http://{host}:{port}")
    code = service.rooms.accounts.one_time_code("admin", _ACCOUNT)
    print(f"Parley is at http://{host}:{port}/sign-in?code={code}", flush=True)
    if world is not None:
        print(f"The chatbot is at {world.webex.address}/", flush=True)
    print("The address signs in once; Ctrl-C ends the demo.", flush=True)
    if service.rooms.pbx is not None:
        print(f"Another shell can ask it too: parley diversion get 1010 --socket {socket_path(config)}", flush=True)


def _config(switch: SwitchConfig, state_dir: Path, port: int, speed: float) -> Config:
    # People and voices are faster there, and so is how long they are waited for.
    usual = CallAppsConfig()
    return Config(
        callapps=CallAppsConfig(
            end_silence=usual.end_silence / speed,
            no_input=usual.no_input / speed,
            between_digits=usual.between_digits / speed,
            app=[
                CallAppConfig(name="echo", use="echo", codes=[ECHO_CODE]),
                CallAppConfig(name="directory", use="directory", codes=[DIRECTORY_CODE]),
                CallAppConfig(name="survey", use="survey", codes=[SURVEY_CODE], options=dict(OPTIONS)),
            ],
            outgoing=OutgoingConfig(
                allowed=[".*"], days=list(get_args(Day)), opens="00:00", closes="24:00", time_zone="UTC"
            ),
            takeover=TakeoverConfig(allowed=[".*"]),
        ),
        service=ServiceConfig(state_dir=str(state_dir)),
        switch=[switch],
        web=WebConfig(listener=[ListenerConfig(host=_HOST, port=port)]),
    )


def _free_port(wanted: int | None) -> int:
    """One of the usual ports that is free, or, for 0, of all."""
    for port in range(_PORT, _PORT + _PORTS_TRIED) if wanted is None else (wanted,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((_HOST, port))
                return int(probe.getsockname()[1])
    raise OperatorError(f"every port from {_PORT} to {_PORT + _PORTS_TRIED - 1} is taken; name one with --port")
