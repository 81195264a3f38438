"""Which calls may be placed, where from, and when."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC
from zoneinfo import ZoneInfo

from daemon.callapps.calling_hours import CallingHours
from daemon.callapps.outgoing import NotNowError, NotPossibleError, OutgoingOffError, OutgoingRequest
from daemon.calls.control import CallControl
from daemon.calls.numbers import NumberError, normal_number
from daemon.config import OutgoingConfig


class OutgoingRules:
    """``controls`` are those of the switches, by origin and name; ``apps`` the names of the apps there are.

    Where nothing is allowed, the hours and the zone of ``config`` need not be right.
    """

    def __init__(
        self, config: OutgoingConfig, controls: Mapping[tuple[str, str], CallControl], apps: Collection[str]
    ) -> None:
        self._config = config
        self._controls = controls
        self._apps = apps
        self._allowed = [re.compile(pattern) for pattern in config.allowed]
        self._refused = [re.compile(pattern) for pattern in config.refused]
        self._hours: CallingHours | None = None

    def check(self, request: OutgoingRequest) -> tuple[str, list[tuple[str, str]]]:
        """The number that may be called, as it is dialled, and the switches that dial it, in their order.

        Raises :class:`OutgoingOffError` and :class:`NotPossibleError`.
        """
        if not self._allowed:
            raise OutgoingOffError(
                "no number may be called: name those that may as `allowed` in [callapps.outgoing], and how they are "
                "dialled in [switch.dial]"
            )
        if not self._apps:
            raise OutgoingOffError("there is no call app: add a [[callapps.app]] with a `use`")
        if request.app not in self._apps:
            raise NotPossibleError(f"there is no such call app: name one of {', '.join(sorted(self._apps))}")
        try:
            number = normal_number(request.to)
        except NumberError as error:
            raise NotPossibleError(str(error)) from error
        if any(pattern.fullmatch(number) for pattern in self._refused):
            raise NotPossibleError("that number may not be called from here")
        if not any(pattern.fullmatch(number) for pattern in self._allowed):
            raise NotPossibleError(
                "that number may not be called from here: nothing `allowed` in [callapps.outgoing] fits"
            )
        places = [place for place, control in self._controls.items() if control.dials(number)]
        if not places:
            raise NotPossibleError("no switch dials that number: say how in [switch.dial]")
        return number, places

    def check_hours(self, now: float) -> None:
        """Raise :class:`NotNowError` where people may not be called ``now``."""
        config = self._config
        if self._hours is None:
            # A machine without a database of time zones has this one.
            zone = UTC if config.time_zone == "UTC" else ZoneInfo(config.time_zone)
            self._hours = CallingHours(config.days, config.opens, config.closes, zone)
        wait = self._hours.open_in(now)
        if wait > 0:
            days = ", ".join(config.days)
            raise NotNowError(
                f"people are called {days} from {config.opens} to {config.closes} ({config.time_zone}) alone",
                retry_after=wait,
            )
