"""A call app as its function or class and the configuration define it, before it is given anything to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from daemon.callapps.contract import AppCall, AppSecret
from daemon.config import CallAppConfig
from daemon.plugins import Plugin, PluginError, load, plugin_of
from daemon.secrets import Secrets, callapp_secret

BUILT_IN: Final = MappingProxyType(
    {
        "directory": "daemon.callapps.apps.directory:connect",
        "echo": "daemon.callapps.apps.echo:echo",
        "relay": "daemon.callapps.apps.relay.app:relay",
        "survey": "daemon.callapps.apps.survey.app:survey",
    }
)

_OWN: Final = (CallAppConfig, AppSecret)
"""What every app may ask for, and gets as its own."""

App = Callable[[AppCall], Awaitable[None]]


class _NamedSecret(AppSecret):
    def __init__(self, name: str, secrets: Secrets) -> None:
        self._name = name
        self._secrets = secrets

    def read(self) -> str | None:
        return self._secrets.get(self._name)


class Definition(msgspec.Struct, frozen=True):
    """One app. ``argument`` is the name of what it takes the call by."""

    config: CallAppConfig
    plugin: Plugin
    argument: str

    def check(self, supplied: Collection[type]) -> None:
        """Raise :class:`PluginError` where it asks for something that is neither among ``supplied`` nor its own."""
        self.plugin.check({*supplied, *_OWN}, taken={self.argument}, options=self.config.options)

    def bind(self, supplies: Mapping[type, object], secrets: Secrets | None = None) -> App:
        """The app with all it needs; its own secret is one of ``secrets``, by default the process's.

        Raises :class:`PluginError` where something is missing.
        """
        secret = _NamedSecret(callapp_secret(self.config), Secrets() if secrets is None else secrets)
        own = {CallAppConfig: self.config, AppSecret: secret}
        run = self.plugin.bind({**supplies, **own}, taken={self.argument}, options=self.config.options)

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
