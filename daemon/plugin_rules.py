"""What the configuration names of others' functions: whether each can be loaded and gets what it asks for.

Importing runs their code, so this is asked by who is going to run them or was told to check, and by nobody else.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from daemon.broken_rule import BrokenRule
from daemon.callapps.definition import define as define_app
from daemon.chatbot.contract import Messenger
from daemon.chatbot.definition import define as define_service
from daemon.chatbot.definition import offered
from daemon.chatbot.supplies import OF_SERVICES
from daemon.config import ChatbotConfig, Config, ScheduleConfig
from daemon.directory.contract import Directory
from daemon.inbox.contract import Inbox
from daemon.mail.contract import Mail
from daemon.pbx.contract import ClickToCall, Diversions
from daemon.plugins import OptionsError, PluginError, add_folders, load
from daemon.schedules.contract import Reminders
from daemon.schedules.definition import define as define_schedule
from daemon.stores.database import Database
from daemon.toml_lines import KeyPath
from daemon.tools.definition import Definition, define
from daemon.tools.inbound import define_lookup


def supplied_types(config: Config) -> frozenset[type]:
    """What the service supplies to plugins, with this configuration."""
    of_the_pbx: frozenset[type] = frozenset({Diversions, ClickToCall} if config.pbx.url else ())
    of_the_bot: frozenset[type] = frozenset({Messenger, Reminders} if config.chatbot.webex.webhook_url else ())
    return of_the_pbx | of_the_bot | {Database, Directory, Inbox, Mail}


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
            yield BrokenRule((*here, "use" if tool.use else "name"), str(error), error.remedy)
        else:
            yield from _out_of_reach(definition, here)
    for index, handler in enumerate(config.inbox.handler):
        if ":" in handler.use:
            try:
                load(handler.use).check(supplied, taken={"delivery"}, options=handler.options)
            except PluginError as error:
                yield BrokenRule(("inbox", "handler", index, "use"), str(error), error.remedy)
    for index, app in enumerate(config.callapps.app):
        if app.use:
            try:
                define_app(app).check(supplied)
            except PluginError as error:
                key = "options" if isinstance(error, OptionsError) else "use"
                yield BrokenRule(("callapps", "app", index, key), str(error), error.remedy)
    yield from _schedules(config.schedule, supplied)
    yield from _broken_services(config.chatbot, supplied | OF_SERVICES)
    try:
        define_lookup(config.inbound, supplied)
    except PluginError as error:
        yield BrokenRule(("inbound", "use"), str(error), error.remedy)


def _broken_services(chatbot: ChatbotConfig, supplied: frozenset[type]) -> Iterator[BrokenRule]:
    """Services of the chatbot that cannot be used; a built-in one that nobody asked for may lack what it needs."""
    for one in offered(chatbot):
        try:
            define_service(one.config).check(supplied, may_lack=one.may_be_left_out)
        except PluginError as error:
            named = "use" if one.config.use else "name"
            key = "options" if isinstance(error, OptionsError) else named
            yield BrokenRule((*one.path, key) if one.path[1] == "service" else one.path, str(error), error.remedy)


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


def _schedules(schedules: list[ScheduleConfig], supplied: frozenset[type]) -> Iterator[BrokenRule]:
    for index, schedule in enumerate(schedules):
        if schedule.use:
            try:
                define_schedule(schedule).check(supplied)
            except PluginError as error:
                key = "options" if isinstance(error, OptionsError) else "use"
                yield BrokenRule(("schedule", index, key), str(error), error.remedy)


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
