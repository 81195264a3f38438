"""A tool as its function and the configuration define it, before it is given anything to work with."""

from __future__ import annotations

from collections.abc import Collection
from types import MappingProxyType
from typing import Final

import msgspec

from daemon.actor import Actor
from daemon.config import ToolConfig
from daemon.pbx.contract import ClickToCall, Diversions
from daemon.plugins import Plugin, PluginError, load
from daemon.tools.arguments import Arguments
from daemon.tools.contract import Reach, RequestKeys, is_acting

BUILT_IN: Final = MappingProxyType(
    {
        "call_history": "daemon.tools.call_history:call_history",
        "set_diversion": "daemon.tools.set_diversion:set_diversion",
        "click_to_call": "daemon.tools.click_to_call:click_to_call",
    }
)

OF_THE_TOOL: Final = frozenset({Actor, Reach, RequestKeys})
"""What every tool may ask for beside what the process supplies to all: each gets its own."""


class Definition(msgspec.Struct, frozen=True):
    """One tool."""

    config: ToolConfig
    plugin: Plugin
    arguments: Arguments
    acting: bool

    @property
    def touches_extensions(self) -> bool:
        """Whether it needs ``extensions`` to be of any use."""
        return self.plugin.wants(Diversions) or self.plugin.wants(ClickToCall)

    @property
    def touches_numbers(self) -> bool:
        """Whether it needs ``numbers`` to be of any use."""
        return self.plugin.wants(ClickToCall)

    def check(self, supplied: Collection[type]) -> None:
        """Raise :class:`PluginError` where it asks for something that is neither of ``supplied`` nor its own."""
        self.plugin.check(frozenset(supplied) | OF_THE_TOOL, taken=self.plugin.arguments, options=self.config.options)


def define(config: ToolConfig) -> Definition:
    """Load a tool. Raises :class:`PluginError`."""
    named = config.use or config.name
    path = BUILT_IN.get(named, config.use)
    if not path or (named not in BUILT_IN and ":" not in path):
        remedy = f"write package.module:name, or one of {', '.join(BUILT_IN)}"
        raise PluginError(f'there is no built-in tool "{named}"', remedy)
    plugin = load(path)
    definition = Definition(config, plugin, Arguments(plugin), is_acting(plugin.function))
    if plugin.wants(ClickToCall) and not definition.acting:
        problem = f"{path} places calls and is not marked as acting"
        raise PluginError(problem, "put @acts of daemon.tools.contract above it")
    return definition
