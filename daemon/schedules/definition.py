"""A schedule as its function and the configuration define it, before it is given anything to work with."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from types import MappingProxyType
from typing import Final

import msgspec

from daemon.config import ScheduleConfig
from daemon.cron import Cron, zone_of
from daemon.plugins import Plugin, PluginError, load

BUILT_IN: Final = MappingProxyType(
    {
        "ask-tgday": "daemon.schedules.tgday:ask_for_tgday",
        "mail-tgday": "daemon.schedules.tgday_lists:mail_tgday_lists",
        "tell-tgday": "daemon.schedules.tgday:tell_of_tgday",
        "missed-calls": "daemon.schedules.missed_calls:report_missed_calls",
    }
)
FIRING: Final = "firing"
"""The parameter that is given at each firing."""


class Definition(msgspec.Struct, frozen=True):
    """One schedule."""

    config: ScheduleConfig
    plugin: Plugin

    @property
    def times(self) -> str:
        """When it fires, in one text: it changes when that does."""
        return f"{' '.join(self.config.cron.split())} {self.config.time_zone}"

    def check(self, supplied: Collection[type]) -> None:
        """Raise :class:`PluginError` where it asks for something that is not of ``supplied``."""
        self.plugin.check(supplied, taken={FIRING}, options=self.config.options)


def define(config: ScheduleConfig) -> Definition:
    """Load a schedule. Raises :class:`PluginError`."""
    path = BUILT_IN.get(config.use, config.use)
    if ":" not in path:
        remedy = f"write package.module:name, or one of {', '.join(BUILT_IN)}"
        raise PluginError(f'there is no built-in schedule "{config.use}"', remedy)
    return Definition(config, load(path))


def cron_of(config: ScheduleConfig) -> Cron:
    """When it fires. Raises ``CronError`` and ``ZoneError`` for a configuration that was refused."""
    return Cron(config.cron, zone_of(config.time_zone))


def used(configs: Iterable[ScheduleConfig]) -> list[ScheduleConfig]:
    """Those that fire."""
    return [config for config in configs if config.use and config.enabled]
