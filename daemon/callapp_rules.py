"""What must hold between and behind the keys of ``[callapps]`` and ``[[speech.recogniser]]``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from daemon.broken_rule import BrokenRule
from daemon.config import CallAppConfig, CallAppsConfig, RenderingConfig, SpeechConfig
from daemon.secrets import Secrets, UnreadableSecretError, callapp_secret, environment_name
from daemon.toml_lines import KeyPath

_SECRETIVE = ("relay",)
"""Built-in apps that need a secret of their own."""
_EXTENSION = re.compile(r"[0-9A-Za-z*#+_.][0-9A-Za-z*#+_.-]{0,127}")


def callapp_rules(
    callapps: CallAppsConfig, speech: SpeechConfig, secrets: Secrets | None = None
) -> Iterator[BrokenRule]:
    """Every rule that is broken; a missing secret is one, unless ``secrets`` is ``None``. An app without ``use`` counts
    for nothing. What options must hold is said by whoever loads the app."""
    yield from _recognisers(speech)
    yield from _rendering(callapps.rendering)
    yield from _names(callapps.app)
    yield from _twice(callapps.app, "codes", "code")
    yield from _twice(callapps.app, "dids", "number")
    used = [app.name for app in callapps.app if app.use]
    for index, app in enumerate(callapps.app):
        if app.use:
            yield from _app(app, ("callapps", "app", index), callapps)
            if app.use in _SECRETIVE and secrets is not None:
                yield from _secret(app, ("callapps", "app", index), secrets)
    if callapps.default and callapps.default not in used:
        remedy = f"name one of {', '.join(used) or 'the [[callapps.app]] with a use'}, or none"
        yield BrokenRule(("callapps", "default"), f'there is no app "{callapps.default}"', remedy)
    vendors = [recogniser.vendor for recogniser in speech.recogniser]
    if used and callapps.recogniser and callapps.recogniser not in vendors:
        remedy = "give its commands in a [[speech.recogniser]], or name none"
        yield BrokenRule(("callapps", "recogniser"), f'nothing starts "{callapps.recogniser}"', remedy)
    music = callapps.hold_music
    if "${" in music or not music.isprintable():
        path: KeyPath = ("callapps", "hold_music")
        yield BrokenRule(path, "the switch would not take that path as it is written", "write it without ${ and breaks")
    extension = callapps.fallback.extension
    if extension and not _EXTENSION.fullmatch(extension):
        path = ("callapps", "fallback", "extension")
        yield BrokenRule(path, f'"{extension}" is no number that a call can be sent to', "give digits or a name alone")

    for key in ("allowed", "refused"):
        for index, pattern in enumerate(getattr(callapps.takeover, key)):
            yield from _pattern(pattern, ("callapps", "takeover", key, index))


def _rendering(rendering: RenderingConfig) -> Iterator[BrokenRule]:
    """Without a command nothing of it counts."""
    if not rendering.command:
        return
    here: KeyPath = ("callapps", "rendering")
    program, *arguments = rendering.command
    if not program.startswith("/"):
        yield BrokenRule((*here, "command", 0), f'"{program}" is not a whole path', "begin it with a slash")
    elif not os.access(program, os.X_OK) or os.path.isdir(program):
        remedy = "install it, or name another program"
        yield BrokenRule((*here, "command", 0), f'there is no program "{program}" that can be run', remedy)
    if not any("{output}" in argument for argument in arguments):
        remedy = "write {output} where the file's path belongs"
        yield BrokenRule((*here, "command"), "the program is not told where to write", remedy)
    for number, argument in enumerate(rendering.command):
        if "{text}" in argument:
            remedy = "let the program read the text from its standard input"
            yield BrokenRule((*here, "command", number), "no argument holds the text", remedy)
    for key in ("folder", "switch_folder"):
        folder: str = getattr(rendering, key)
        if not folder.startswith("/") and (folder or key == "folder"):
            yield BrokenRule((*here, key), f'"{folder}" is not a whole path', "begin it with a slash")


def _app(app: CallAppConfig, here: KeyPath, callapps: CallAppsConfig) -> Iterator[BrokenRule]:
    is_placed = bool(callapps.outgoing.allowed)
    if not (app.codes or app.dids or app.did_patterns or is_placed) and app.name != callapps.default:
        remedy = "give it codes or numbers, make it the default, or allow outgoing calls"
        yield BrokenRule((*here, "use"), f'no call is for "{app.name}"', remedy)
    for key in ("codes", "dids"):
        for number, value in enumerate(getattr(app, key)):
            if not value:
                yield BrokenRule((*here, key, number), "it is empty", "leave it out")
    for number, pattern in enumerate(app.did_patterns):
        yield from _pattern(pattern, (*here, "did_patterns", number))


def _pattern(pattern: str, path: KeyPath) -> Iterator[BrokenRule]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield BrokenRule(path, f"this is no regular expression: {error}", "write it as Python's re does")


def _secret(app: CallAppConfig, here: KeyPath, secrets: Secrets) -> Iterator[BrokenRule]:
    name = callapp_secret(app)
    where = f"the credential file {name} or the environment variable {environment_name(name)}"
    try:
        if not (secrets.get(name) or "").strip():
            yield BrokenRule((*here, "name"), f"the secret {name} is missing", f"put it into {where}")
    except UnreadableSecretError as error:
        yield BrokenRule((*here, "name"), f"the secret {name} cannot be used: {error}", f"mend {where}")


def _names(apps: list[CallAppConfig]) -> Iterator[BrokenRule]:
    names = [app.name for app in apps]
    for index, name in enumerate(names):
        first = names.index(name)
        if first != index:
            rival: KeyPath = ("callapps", "app", first, "name")
            here: KeyPath = ("callapps", "app", index, "name")
            yield BrokenRule(here, f'"{name}" is taken', "give each app its own name", rival)


def _twice(apps: list[CallAppConfig], key: str, what: str) -> Iterator[BrokenRule]:
    first_of: dict[str, KeyPath] = {}
    for index, app in enumerate(apps):
        for number, value in enumerate(getattr(app, key) if app.use else ()):
            here: KeyPath = ("callapps", "app", index, key, number)
            first = first_of.setdefault(value, here)
            if first != here:
                problem = f'calls of the {what} "{value}" are for {apps[int(first[2])].name} already'
                yield BrokenRule(here, problem, f"give each {what} to one app", first)


def _recognisers(speech: SpeechConfig) -> Iterator[BrokenRule]:
    vendors = [recogniser.vendor for recogniser in speech.recogniser]
    for index, recogniser in enumerate(speech.recogniser):
        here: KeyPath = ("speech", "recogniser", index)
        first = vendors.index(recogniser.vendor)
        if first != index:
            rival: KeyPath = ("speech", "recogniser", first, "vendor")
            yield BrokenRule((*here, "vendor"), f'"{recogniser.vendor}" is taken', "give each vendor one table", rival)
        for key in ("start", "stop"):
            template: str = getattr(recogniser, key)
            if not template.isprintable() or template != template.strip():
                yield BrokenRule((*here, key), "a command is one line", "write it without breaks and outer blanks")
            elif not template or (not template.startswith("app ") and "{leg_id}" not in template):
                remedy = "write {leg_id} where the leg's id belongs, or app NAME ARGUMENT"
                yield BrokenRule((*here, key), "the command names no leg", remedy)
