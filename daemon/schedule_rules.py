"""What must hold for ``[[schedule]]``."""

from __future__ import annotations

import time
from collections.abc import Iterator

from daemon.broken_rule import BrokenRule
from daemon.config import ScheduleConfig
from daemon.cron import Cron, CronError, ZoneError, zone_of
from daemon.toml_lines import KeyPath


def schedule_rules(schedules: list[ScheduleConfig]) -> Iterator[BrokenRule]:
    """Every rule that is broken. Without a ``use`` nothing of a schedule counts but its name."""
    names = [schedule.name for schedule in schedules]
    for index, schedule in enumerate(schedules):
        here: KeyPath = ("schedule", index)
        first = names.index(schedule.name)
        if first != index:
            rival: KeyPath = ("schedule", first, "name")
            yield BrokenRule((*here, "name"), f'"{schedule.name}" is taken', "give each schedule its own name", rival)
        if schedule.use:
            yield from _moments(schedule, here)


def _moments(schedule: ScheduleConfig, here: KeyPath) -> Iterator[BrokenRule]:
    try:
        zone = zone_of(schedule.time_zone)
    except ZoneError as error:
        remedy = "name one like Asia/Seoul, and install the system's tzdata where it is missing"
        yield BrokenRule((*here, "time_zone"), str(error), remedy)
        zone = zone_of("UTC")
    remedy = 'write minute, hour, day of the month, month and day of the week, like "0 9 1 * *"'
    try:
        cron = Cron(schedule.cron, zone)
    except CronError as error:
        yield BrokenRule((*here, "cron"), f'"{schedule.cron}" is no cron expression: {error}', remedy)
        return
    if cron.after(time.time()) is None:
        yield BrokenRule((*here, "cron"), f'"{schedule.cron}" never comes', remedy)
