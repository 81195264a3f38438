"""``parley schedule``: what is done when."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path

from daemon.commands.configured import with_database
from daemon.commands.parser import Verbs, add_verbs
from daemon.config import Config, ScheduleConfig
from daemon.config_file import load
from daemon.cron import zone_of
from daemon.errors import ExitCode
from daemon.schedules.contract import Firing
from daemon.schedules.definition import cron_of
from daemon.schedules.schedule import SOURCE
from daemon.stores.database import Database
from daemon.stores.schedule_firings import last_firings, states_of

_SHOWN = 3
"""Moments of a schedule that are shown."""


def register(verbs: Verbs) -> None:
    """Add ``schedule list``."""
    below = add_verbs(verbs, "schedule", "what is done when")
    listing = below(
        "list",
        "list the schedules, and when they fire",
        description="List the schedules that are configured, when each fires next, and when it did last, with what "
        "became of that: pending, working, done or dead, as the inbox has it.",
    )
    listing.set_defaults(command=_list)


def upcoming(schedule: ScheduleConfig, now: float) -> str:
    """Its next moments after ``now``, by its own clocks."""
    moments = islice(cron_of(schedule).between(now, float("inf")), _SHOWN)
    return f"{', '.join(_shown(moment, schedule) for moment in moments)} ({schedule.time_zone})"


def _list(arguments: argparse.Namespace) -> ExitCode:
    schedules = [schedule for schedule in load(Path(arguments.config), None).schedule if schedule.use]
    if not schedules:
        print("no [[schedule]] has a use, so nothing fires")
        return ExitCode.OK
    last = with_database(arguments, _last)
    now = time.time()
    for schedule in schedules:
        print(f"{schedule.name}: {schedule.use}, {schedule.cron}")
        print("\n".join(f"  {line}" for line in _lines(schedule, last, now)))
    return ExitCode.OK


async def _last(_: Config, database: Database) -> Mapping[str, tuple[float, str]]:
    """The last firing of each, and what became of it."""
    async with database.read() as connection:
        rows = await last_firings(connection)
        keys = {name: Firing(schedule=name, due_at=row.due_at, time_zone="UTC").key for name, row in rows.items()}
        states = await states_of(connection, SOURCE, keys.values())
    return {name: (row.due_at, states.get(keys[name], "")) for name, row in rows.items()}


def _lines(schedule: ScheduleConfig, last: Mapping[str, tuple[float, str]], now: float) -> Iterator[str]:
    yield f"next {upcoming(schedule, now)}" if schedule.enabled else "off"
    if schedule.name in last:
        due_at, state = last[schedule.name]
        yield f"last {_shown(due_at, schedule)}" + (f", {state}" if state else "")


def _shown(moment: float, schedule: ScheduleConfig) -> str:
    return f"{datetime.fromtimestamp(moment, zone_of(schedule.time_zone)):%Y-%m-%d %H:%M}"
