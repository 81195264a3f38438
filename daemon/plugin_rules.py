"""What the configuration names of others' functions: whether each can be loaded and gets what it asks for.

Importing runs their code, so this is asked by who is going to run them or was told to check, and by nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator

from daemon.config import Config
from daemon.config_rules import BrokenRule
from daemon.pbx.contract import ClickToCall, Diversions
from daemon.plugins import PluginError, add_folders
from daemon.stores.database import Database
from daemon.toml_lines import KeyPath
from daemon.tools.definition import Definition, define
from daemon.tools.inbound import define_lookup


def supplied_types(config: Config) -> frozenset[type]:
    """What the service supplies to plugins, with this configuration."""
    of_the_pbx: frozenset[type] = frozenset({Diversions, ClickToCall} if config.pbx.url else ())
    return of_the_pbx | {Database}


def broken_plugins(config: Config) -> Iterator[BrokenRule]:
    """Every plugin that cannot be used."""
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
    try:
        define_lookup(config.inbound, supplied)
    except PluginError as error:
        yield BrokenRule(("inbound", "use"), str(error), error.remedy)


def _out_of_reach(definition: Definition, here: KeyPath) -> Iterator[BrokenRule]:
    """A tool that touches the PBX must be told what of it."""
    config = definition.config
    if definition.touches_extensions and not config.extensions:
        yield BrokenRule((*here, "extensions"), "it may touch none", "name the extensions it may, as patterns")
    if definition.touches_numbers and not config.numbers:
        yield BrokenRule((*here, "numbers"), "it may call none", "name the numbers it may, as patterns")
