"""What must hold for calls that Parley places: ``[switch.dial]`` and ``[callapps.outgoing]``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from daemon.broken_rule import BrokenRule
from daemon.config import CallAppsConfig, SwitchConfig
from daemon.toml_lines import KeyPath
from protocols.errors import LocalError
from protocols.esl.dial_strings import DialString

_HERE: KeyPath = ("callapps", "outgoing")
_CALLER = re.compile(r"\+?[0-9]{0,20}")


def outgoing_rules(callapps: CallAppsConfig, switches: list[SwitchConfig]) -> Iterator[BrokenRule]:
    """Every rule that is broken. Where nothing may be called, the hours and the zone count for nothing."""
    for index, switch in enumerate(switches):
        for pattern, template in switch.dial.items():
            here: KeyPath = ("switch", index, "dial", pattern)
            yield from _pattern(pattern, here)
            try:
                DialString(template)
            except LocalError as error:
                yield BrokenRule(here, str(error), "write it like sofia/gateway/NAME/{number} or user/{number}")
    for key in ("allowed", "refused"):
        for number, pattern in enumerate(getattr(callapps.outgoing, key)):
            yield from _pattern(pattern, (*_HERE, key, number))
    if callapps.outgoing.allowed:
        yield from _allowed(callapps, switches)


def _allowed(callapps: CallAppsConfig, switches: list[SwitchConfig]) -> Iterator[BrokenRule]:
    outgoing = callapps.outgoing
    if not any(switch.dial for switch in switches):
        remedy = "say how numbers are dialled, in the [switch.dial] of a switch"
        yield BrokenRule((*_HERE, "allowed"), "no switch dials any number", remedy)
    if not any(app.use for app in callapps.app):
        yield BrokenRule((*_HERE, "allowed"), "there is no app to call from", "add a [[callapps.app]] with a use")
    if not _CALLER.fullmatch(outgoing.caller):
        problem = f'"{outgoing.caller}" is no number that people can be shown'
        yield BrokenRule((*_HERE, "caller"), problem, "give digits, with a + in front at most")
    if not outgoing.days:
        yield BrokenRule((*_HERE, "days"), "on no day may anybody be called", "name days, or leave allowed empty")
    if outgoing.opens >= outgoing.closes:
        problem = f"{outgoing.opens} is not before closes, {outgoing.closes}"
        yield BrokenRule((*_HERE, "opens"), problem, "give the hours of one day", (*_HERE, "closes"))
    try:
        if outgoing.time_zone != "UTC":  # which there is without a database of time zones
            ZoneInfo(outgoing.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problem = f'this machine knows no time zone "{outgoing.time_zone}"'
        remedy = "name one like Asia/Seoul, and install the system's tzdata where it is missing"
        yield BrokenRule((*_HERE, "time_zone"), problem, remedy)


def _pattern(pattern: str, path: KeyPath) -> Iterator[BrokenRule]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield BrokenRule(path, f"this is no regular expression: {error}", "write it as Python's re does")
