"""What the configuration names of others' functions: whether each can be loaded and gets what it asks for.

Importing runs their code, so this is asked by who is going to run them or was told to check, and by nobody else.
"""

from __future__ import annotations

import operator
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from daemon.broken_rule import BrokenRule
from daemon.callapps.definition import define as define_app
from daemon.chatbot.contract import Messenger
from daemon.chatbot.definition import define as define_service
from daemon.chatbot.definition import offered
from daemon.chatbot.supplies import OF_SERVICES
from daemon.config import Config
from daemon.directory.contract import Directory
from daemon.inbox.contract import Inbox
from daemon.mail.contract import Mail
from daemon.pbx.contract import ClickToCall, Diversions
from daemon.plugins import MissingError, OptionsError, Plugin, PluginError, add_folders, load
from daemon.schedules.contract import Reminders
from daemon.schedules.definition import define as define_schedule
from daemon.schedules.definition import used
from daemon.stores.database import Database
from daemon.toml_lines import KeyPath
from daemon.tools.definition import Definition, define
from daemon.tools.inbound import define_lookup


class Provider(msgspec.Struct, frozen=True):
    """A table of the configuration, and what there is for plugins where its ``key`` is set."""

    table: str
    key: str
    types: frozenset[type]

    @property
    def remedy(self) -> str:
        """What to do to have it."""
        return f"set {self.key} in [{self.table}]"

    def is_set(self, config: Config) -> bool:
        """Whether it provides."""
        return bool(operator.attrgetter(f"{self.table}.{self.key}")(config))


PROVIDERS: Final = (
    Provider("pbx", "url", frozenset({Diversions, ClickToCall})),
    Provider("chatbot.webex", "webhook_url", frozenset({Messenger, Reminders})),
)
_ALWAYS: Final[frozenset[type]] = frozenset({Database, Directory, Inbox, Mail})


def supplied_types(config: Config) -> frozenset[type]:
    """What the service supplies to plugins, with this configuration."""
    return _ALWAYS.union(*(provider.types for provider in PROVIDERS if provider.is_set(config)))


def remedy_of(error: PluginError, config: Config) -> str:
    """What to do about ``error``: where something is missing, which table of the configuration provides it."""
    return (provider_of(error.contract, config) if isinstance(error, MissingError) else "") or error.remedy


def provider_of(contract: type | None, config: Config) -> str:
    """What to set in ``config`` to have what is of that type, ``""`` where nothing of it is left to be set."""
    return next((one.remedy for one in PROVIDERS if contract in one.types and not one.is_set(config)), "")


def letter_writers(config: Config) -> list[str]:
    """The plugins of a ``config`` that breaks no rule that send letters, each by its kind and name."""
    return [name for name, plugin in _used_plugins(config) if plugin.wants(Mail)]


def _used_plugins(config: Config) -> Iterator[tuple[str, Plugin]]:
    for schedule in used(config.schedule):
        yield f"schedule {schedule.name}", define_schedule(schedule).plugin
    for tool in config.tool:
        yield f"tool {tool.name}", define(tool).plugin
    for handler in config.inbox.handler:
        if ":" in handler.use:
            yield f"handler {handler.name}", load(handler.use)
    for app in config.callapps.app:
        if app.use:
            yield f"app {app.name}", define_app(app).plugin
    for one in offered(config.chatbot) if config.chatbot.webex.webhook_url else ():
        yield f"service {one.config.name}", define_service(one.config).plugin


def broken_plugins(config: Config) -> Iterator[BrokenRule]:
    """Every plugin that cannot be used. Nothing is imported while a folder of theirs is not what it should be."""
    folders = list(_broken_folders(config.plugins.path))
    yield from folders
    if folders:
        return
    add_folders(config.plugins.path)
    supplied = supplied_types(config)
    for index, tool in enumerate(config.tool):
        here: KeyPath = ("tool", index)
        try:
            definition = define(tool)
            definition.check(supplied)
        except PluginError as error:
            yield BrokenRule((*here, "use" if tool.use else "name"), str(error), remedy_of(error, config))
        else:
            yield from _out_of_reach(definition, here)
    for index, handler in enumerate(config.inbox.handler):
        if ":" in handler.use:
            try:
                load(handler.use).check(supplied, taken={"delivery"}, options=handler.options)
            except PluginError as error:
                yield BrokenRule(("inbox", "handler", index, "use"), str(error), remedy_of(error, config))
    for index, app in enumerate(config.callapps.app):
        if app.use:
            try:
                define_app(app).check(supplied)
            except PluginError as error:
                key = "options" if isinstance(error, OptionsError) else "use"
                yield BrokenRule(("callapps", "app", index, key), str(error), remedy_of(error, config))
    yield from _schedules(config, supplied)
    yield from _broken_services(config, supplied | OF_SERVICES)
    try:
        define_lookup(config.inbound, supplied)
    except PluginError as error:
        yield BrokenRule(("inbound", "use"), str(error), remedy_of(error, config))


def _broken_services(config: Config, supplied: frozenset[type]) -> Iterator[BrokenRule]:
    """Services of the chatbot that cannot be used; a built-in one that nobody asked for may lack what it needs."""
    for one in offered(config.chatbot):
        try:
            define_service(one.config).check(supplied, may_lack=one.may_be_left_out)
        except PluginError as error:
            named = "use" if one.config.use else "name"
            key = "options" if isinstance(error, OptionsError) else named
            yield BrokenRule(
                (*one.path, key) if one.path[1] == "service" else one.path, str(error), remedy_of(error, config)
            )


def _broken_folders(folders: list[str]) -> Iterator[BrokenRule]:
    for index, folder in enumerate(folders):
        path: KeyPath = ("plugins", "path", index)
        if not folder.startswith("/"):
            yield BrokenRule(path, f'"{folder}" is not a whole path', "begin it with a slash")
            continue
        try:
            mode = Path(folder).stat().st_mode
        except OSError as error:
            yield BrokenRule(path, f'"{folder}" cannot be looked into ({error.strerror})', "make it, or leave it out")
            continue
        if not stat.S_ISDIR(mode):
            yield BrokenRule(path, f'"{folder}" is no folder', "name the folder that the plugin's file is in")
        elif mode & stat.S_IWOTH:
            problem = f'anybody may write in "{folder}", and what is there is run'
            yield BrokenRule(path, problem, f"chmod o-w {folder}")


def _schedules(config: Config, supplied: frozenset[type]) -> Iterator[BrokenRule]:
    for index, schedule in enumerate(config.schedule):
        if schedule.use:
            try:
                define_schedule(schedule).check(supplied)
            except PluginError as error:
                key = "options" if isinstance(error, OptionsError) else "use"
                yield BrokenRule(("schedule", index, key), str(error), remedy_of(error, config))


def _out_of_reach(definition: Definition, here: KeyPath) -> Iterator[BrokenRule]:
    """A tool that touches the PBX must be told what of it."""
    config = definition.config
    if definition.touches_extensions and not config.extensions:
        yield BrokenRule((*here, "extensions"), "it may touch none", "name the extensions it may, as patterns")
    remedy = "name the numbers it may, as patterns"
    if definition.touches_numbers and not config.numbers:
        yield BrokenRule((*here, "numbers"), "it may call none", remedy)
    elif definition.acting and definition.plugin.wants(Diversions) and not config.numbers:
        yield BrokenRule((*here, "numbers"), "it may divert to none", remedy)
