"""A call app as its function or class and the configuration define it, before it is given anything to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from daemon.callapps.contract import AppCall
from daemon.config import CallAppConfig
from daemon.plugins import Plugin, PluginError, load, plugin_of

BUILT_IN: Final = MappingProxyType({"echo": "daemon.callapps.apps.echo:echo"})

App = Callable[[AppCall], Awaitable[None]]


class Definition(msgspec.Struct, frozen=True):
    """One app. ``argument`` is the name of what it takes the call by."""

    config: CallAppConfig
    plugin: Plugin
    argument: str

    def check(self, supplied: Collection[type]) -> None:
        """Raise :class:`PluginError` where it asks for something that is not among ``supplied``."""
        self.plugin.check(supplied, taken={self.argument}, options=self.config.options)

    def bind(self, supplies: Mapping[type, object]) -> App:
        """The app with all it needs. Raises :class:`PluginError` where something is missing."""
        run = self.plugin.bind(supplies, taken={self.argument}, options=self.config.options)

        async def app(call: AppCall) -> None:
            await run(**{self.argument: call})

        return app


def define(config: CallAppConfig) -> Definition:
    """Load an app. Raises :class:`PluginError`."""
    path = BUILT_IN.get(config.use, config.use)
    if ":" not in path:
        remedy = f"write package.module:name, or one of {', '.join(BUILT_IN)}"
        raise PluginError(f'there is no built-in app "{path}"', remedy)
    return _of(config, load(path, method="run"))


def define_as(config: CallAppConfig, made: Any) -> Definition:
    """As :func:`define`, of a function or class that is at hand, whatever ``config`` names."""
    return _of(config, plugin_of(made, method="run"))


def _of(config: CallAppConfig, plugin: Plugin) -> Definition:
    if len(plugin.arguments) != 1:
        problem = f"{plugin.path} takes {len(plugin.arguments)} arguments by position, and is given one: the call"
        raise PluginError(problem, "take the call as the only one, and everything else by keyword only")
    return Definition(config, plugin, next(iter(plugin.arguments)))
