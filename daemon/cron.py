"""Moments by the clocks of a place: cron expressions and time zones.

An expression has the five fields of crontab(5): minute, hour, day of the month, month, day of the week. Beside numbers,
ranges, lists and steps there are ``L`` (the last day) and ``LW`` (the last weekday of the month), ``MON#2`` (the second
Monday) and ``FRIL`` (the last Friday is ``5L``). Where day of the month and day of the week are both given, either will
do, unless one of them begins with ``*``.

When summer time begins and ends it goes as in Debian's cron. An expression that names its minutes and hours is of the
clock on the wall: what falls into the hour that is left out comes right after it, and what falls into the hour that
comes twice comes the first time only. One whose minutes or hours begin with ``*`` is of time as it passes: the hour
that is left out has no moments, the one that comes twice has them twice. Leap seconds do not count, as in Unix time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_FIELDS: Final = 5
_SOME_DAY: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - of no place: what is meant is looked at, not when it is
_MOST_MOVED: Final = 10_800.0
"""Seconds that clocks are moved by at most."""


class CronError(ValueError):
    """The expression is none. The text says what is wrong with it."""


class ZoneError(ValueError):
    """The machine knows no such time zone."""


def zone_of(name: str) -> tzinfo:
    """The time zone of that name in the IANA database: ``Asia/Seoul``. Raises :class:`ZoneError`."""
    if name == "UTC":  # which there is without a database of time zones
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ZoneError(f'this machine knows no time zone "{name}"') from None


class Cron:
    """The moments of ``expression`` in ``zone``, in Unix seconds, each a whole minute of the clocks there.

    Raises :class:`CronError`.
    """

    def __init__(self, expression: str, zone: tzinfo) -> None:
        fields = expression.split()
        if len(fields) != _FIELDS:
            raise CronError(f"it has {len(fields)} of the five fields")
        self._expression = " ".join(fields)
        self._zone = zone
        self._is_of_the_wall = not any(field.startswith("*") for field in fields[:2])
        try:
            CronSim(self._expression, _SOME_DAY)
        except (CronSimError, ValueError, AssertionError) as error:
            # A step behind a last day is an assertion of the library's, a number of many digits one of Python's.
            raise CronError(str(error).lower() if isinstance(error, CronSimError) else "bad field") from None

    def after(self, moment: float) -> float | None:
        """The first that comes after ``moment``; ``None`` where there is none within fifty years."""
        return next(self.between(moment, math.inf), None)

    def between(self, after: float, until: float) -> Iterator[float]:
        """Those after ``after`` and up to ``until``, in order."""
        last = after
        for moment in self._moments(after):
            if moment > until:
                return
            if moment > last:
                last = moment
                yield moment

    def _moments(self, near: float) -> Iterator[float]:
        """In order, from ``near`` or a little earlier; one may come twice."""
        second_time: list[float] = []
        for local in self._on_the_wall(near):
            moment = local.replace(tzinfo=self._zone).timestamp()
            while second_time and second_time[0] <= moment:
                yield second_time.pop(0)
            if self._is_of_the_wall:
                yield self._shown_from(local)
            elif self._clocks_at(moment) == local:
                again = local.replace(tzinfo=self._zone, fold=1).timestamp()
                if again > moment:
                    second_time.append(again)
                yield moment
        yield from second_time

    def _on_the_wall(self, near: float) -> Iterator[datetime]:
        """What clocks show that are never moved, from what they show at ``near``.

        The library knows zones too, but misses moments where the clocks are moved at midnight.
        """
        local = self._clocks_at(math.floor(near))
        offsets = {
            datetime.fromtimestamp(near + moved, self._zone).utcoffset() for moved in (-_MOST_MOVED, _MOST_MOVED)
        }
        if len(offsets) > 1:
            local -= timedelta(seconds=_MOST_MOVED)
        return CronSim(self._expression, local)

    def _shown_from(self, local: datetime) -> float:
        """When the clocks first show ``local``, or are moved past it."""
        while self._clocks_at(moment := local.replace(tzinfo=self._zone).timestamp()) != local:
            local += timedelta(minutes=1)
        return moment

    def _clocks_at(self, moment: float) -> datetime:
        return datetime.fromtimestamp(moment, self._zone).replace(tzinfo=None, fold=0)
