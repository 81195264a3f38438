"""``parley app try``: one call of an app, in text: typed by hand, or played from a dialogue that is written down."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
import traceback
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType

import msgspec

from daemon import logs
from daemon.callapps.definition import Definition, define
from daemon.callapps.trial import dialogue
from daemon.callapps.trial.deed import UNHEARD, Deed, Kind
from daemon.callapps.trial.dialogue import DialogueError, Presses, Says
from daemon.callapps.trial.play import play
from daemon.callapps.trial.trial import Caller, NotNowError, StuckError, Trial
from daemon.callapps.trying import Phone
from daemon.commands.configured import opened_database
from daemon.commands.parser import Verbs
from daemon.config import CallAppConfig, Config, LogConfig
from daemon.config_file import DEFAULT_PATH, load
from daemon.directory.contract import Directory
from daemon.directory.embedded import EmbeddedDirectory
from daemon.errors import ExitCode, OperatorError
from daemon.plugins import PluginError, add_folders
from daemon.stores.database import Database
from daemon.transcripts.utterance import Speaker

_HOW = """\
# What you type the caller says. Digits, * and # alone are keys; "1" in quotes is said. An empty line is silence.
# Ctrl-D hangs up."""
_RUNG = "# Say what comes of it: ({0} answers), ({0} is busy), ({0} does not answer) …"
_UNANSWERED = (
    "# The app did not answer the call: unless the dialplan does, it hears nothing of what is said on a switch."
)
_ALL_DAY = 86_400.0
"""Who types takes their time."""


def register(verbs: Verbs) -> None:
    """Add ``app try``."""
    verb = verbs(
        "try",
        "try an app without a telephone",
        description="Call an app and speak with it in text, or play a dialogue that is written down with it. No\n"
        "switch is asked for anything. Of Parley the app gets the database and the directory of the\n"
        "configuration.",
    )
    verb.epilog, verb.formatter_class = dialogue.__doc__, argparse.RawDescriptionHelpFormatter
    verb.add_argument("app", metavar="APP", help="package.module:name, a built-in, or a configured app by its name")
    verb.add_argument("--script", metavar="FILE", type=Path, help="play this dialogue; exit 1 where it differs")
    verb.add_argument("--caller", metavar="NUMBER", help=f"who calls (default: {Caller().number})")
    verb.add_argument("--did", metavar="NUMBER", help=f"the number dialled (default: the app's, else {Caller().did})")
    verb.add_argument("--code", help="the dialplan's code (default: the app's)")
    verb.add_argument(
        "--variable", metavar="NAME=VALUE", action="append", default=[], help="what whoever placed the call gave"
    )
    verb.set_defaults(command=_try)


def _try(arguments: argparse.Namespace) -> ExitCode:
    logs.configure(LogConfig(level="warning"))
    logging.getLogger("daemon").setLevel(logging.CRITICAL)  # what it would tell is told below
    is_there = arguments.config != str(DEFAULT_PATH) or DEFAULT_PATH.exists()
    config = load(Path(arguments.config), None) if is_there else Config()
    add_folders([*config.plugins.path, str(Path.cwd())])
    table = _table(config, arguments.app)
    try:
        definition = define(table)
        return asyncio.run(_call(definition, config, arguments))
    except PluginError as error:
        raise OperatorError(f"{error}; {error.remedy}") from error


def _table(config: Config, name: str) -> CallAppConfig:
    """The app's table of the configuration, or one of its own."""
    used = [app for app in config.callapps.app if app.use]
    for app in used:
        if name == app.name:
            return app
    return next((app for app in used if name == app.use), CallAppConfig(name="trial", use=name))


async def _call(definition: Definition, config: Config, arguments: argparse.Namespace) -> ExitCode:
    app = definition.config
    usual = Caller(did=app.dids[0] if app.dids else Caller().did, code=app.codes[0] if app.codes else "")
    written = _read(arguments.script, usual) if arguments.script is not None else None
    caller = _caller(arguments, written.caller if written is not None else usual)
    definition = msgspec.structs.replace(definition, config=msgspec.structs.replace(app, deadline=_ALL_DAY))
    async with AsyncExitStack() as stack:
        supplies = await _supplies(definition, config, stack)
        trial = await stack.enter_async_context(Trial(definition, caller, config=config.callapps, supplies=supplies))
        if written is not None:
            code = await _play(arguments.script, written, trial)
        else:
            await _talk(trial)
            print(f"outcome: {await trial.outcome()}")
            code = ExitCode.OK if trial.error is None else ExitCode.FAILURE
        if trial.call.answered_at is None and any(one.speaker is Speaker.CALLER for one in trial.transcript):
            print(_UNANSWERED)
        return code


def _caller(arguments: argparse.Namespace, usual: Caller) -> Caller:
    variables = dict(usual.variables)
    for variable in arguments.variable:
        name, equals, value = variable.partition("=")
        if not equals:
            raise OperatorError(f"--variable {variable} is not written as NAME=VALUE")
        variables[name] = value
    given = {"number": arguments.caller, "did": arguments.did, "code": arguments.code}
    given = {name: value for name, value in given.items() if value is not None}
    return msgspec.structs.replace(usual, variables=variables, **given)


async def _supplies(definition: Definition, config: Config, stack: AsyncExitStack) -> dict[type, object]:
    """What the app asks for, as far as a trial has it. The database is opened only for an app that needs it."""
    supplies: dict[type, object] = {}
    if any(definition.plugin.wants(contract) for contract in (Database, Directory)):
        database = await stack.enter_async_context(opened_database(config))
        directory = EmbeddedDirectory(database, config.directory)
        await directory.refresh()
        supplies = {Database: database, Directory: directory}
    definition.check(supplies)
    return supplies


# By hand


async def _talk(trial: Trial) -> None:
    print(_HOW, flush=True)
    while not trial.is_over:
        try:
            deed = await trial.next()
        except StuckError as error:
            print(f"# {error}; it goes on")
            continue
        if deed is not None:
            _show(deed, trial)
            if deed.kind is Kind.RINGS:
                print(_RUNG.format(deed.what), flush=True)
        elif not trial.is_over:
            _act(trial)


def _act(trial: Trial) -> None:
    """Let the caller do what is typed. Nothing else goes on meanwhile: the app waits for it."""
    text = _typed()
    if text is None:
        print("(hangs up)", flush=True)
        trial.hang_up()
        return
    try:
        _do(trial, dialogue.callers_deed(text))
    except (ValueError, NotNowError) as error:
        print(f"# {error}", flush=True)


def _do(trial: Trial, deed: dialogue.CallersDeed) -> None:
    match deed:
        case Says(words):
            trial.say(words)
        case Presses(digits):
            trial.press(digits)
        case dialogue.Silence(seconds):
            trial.keep_silent(seconds)
        case dialogue.HangsUp():
            trial.hang_up()
        case dialogue.Reaches(destination, reached):
            trial.reach(reached, destination)


def _typed() -> str | None:
    """A line; ``None`` at the end of the input, and where the person ends it by Ctrl-C."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401, PLC0415 - lets the line be edited
    # The loop's own handler would take Ctrl-C for later, and nothing else happens before the line ends.
    of_loop = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        text = input("caller: ")
    except (EOFError, KeyboardInterrupt):
        return None
    finally:
        signal.signal(signal.SIGINT, of_loop)
    if not sys.stdin.isatty():
        print(text, flush=True)
    return text


def _show(deed: Deed, trial: Trial) -> None:
    """As it stands in a dialogue. What the caller does not notice is a comment there."""
    print(f"# {deed}" if deed.kind in UNHEARD else f"app: {deed}", flush=True)
    if deed.kind is Kind.FAILS and trial.error is not None:
        traceback.print_exception(trial.error.with_traceback(_of_the_app(trial.error.__traceback__)))


def _of_the_app(trace: TracebackType | None) -> TracebackType | None:
    """Without the frames of Parley's that lead to the app."""
    while trace is not None and trace.tb_next is not None:
        if not str(trace.tb_frame.f_globals.get("__name__")).startswith("daemon."):
            break
        trace = trace.tb_next
    return trace


# From a file


def _read(path: Path, usual: Caller) -> dialogue.Dialogue:
    try:
        return dialogue.read_dialogue(path.read_text(encoding="utf-8"), usual)
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"{path} cannot be read: {error}") from error
    except DialogueError as error:
        raise OperatorError(f"{path}: {error}") from error


async def _play(path: Path, written: dialogue.Dialogue, trial: Trial) -> ExitCode:
    phone = Phone(trial, heard=lambda deed: _show(deed, trial))
    difference = await play(written.lines, phone, told=lambda line: print(line.text, flush=True))
    if difference is None:
        print(f"{path}: it went as it is written")
        return ExitCode.OK
    print(f"{path}:{difference.line}: expected: {difference.expected}", file=sys.stderr)
    print(f"{path}:{difference.line}: got:      {difference.got}", file=sys.stderr)
    return ExitCode.FAILURE
