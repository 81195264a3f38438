"""Which firings are made up for."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.cron import Cron, zone_of
from daemon.schedules.catching_up import LATE, due, first_late

HOURLY, MINUTELY = Cron("0 * * * *", zone_of("UTC")), Cron("* * * * *", zone_of("UTC"))
HOUR = 3_600.0
CatchUp = Literal["skip", "latest", "all"]


def hours(catch_up: CatchUp, since: float, now: float, within: float = 24.0) -> list[float]:
    found = due(HOURLY, since * HOUR, now * HOUR, catch_up=catch_up, within=within * HOUR)
    return [moment / HOUR for moment in found]


@pytest.mark.parametrize("catch_up", ["skip", "latest", "all"])
def test_what_is_not_late_fires_whatever_is_made_up_for(catch_up: CatchUp) -> None:
    assert hours(catch_up, 8.5, 8.9) == []
    assert hours(catch_up, 8.5, 9.0) == [9]
    assert hours(catch_up, 8.5, 9.01, within=0.001) == [9]
    assert hours(catch_up, 9.0, 9.5) == []


def test_what_is_late_is_made_up_for_as_configured() -> None:
    assert hours("skip", 8.5, 12.5) == []
    assert hours("latest", 8.5, 12.5) == [12]
    assert hours("all", 8.5, 12.5) == [9, 10, 11, 12]
    assert hours("skip", 8.5, 12.0) == [12]
    assert hours("latest", 8.5, 12.0) == [12], "the one in time is the latest"
    assert hours("all", 8.5, 12.0) == [9, 10, 11, 12]


def test_nothing_is_made_up_for_that_is_too_old() -> None:
    assert hours("all", 8.5, 12.5, within=2.0) == [11, 12]
    assert hours("latest", 8.5, 12.5, within=0.4) == []
    assert hours("all", 8.5, 12.5, within=0.4) == []


@given(
    st.sampled_from([HOURLY, MINUTELY]),
    st.floats(0, 100_000),
    st.floats(0, 50_000),
    st.floats(1, 60_000),
)
def test_the_latest_is_the_last_of_all(cron: Cron, since: float, gone: float, within: float) -> None:
    now = since + gone
    everything = list(due(cron, since, now, catch_up="all", within=within))
    in_time = list(due(cron, since, now, catch_up="skip", within=within))
    latest = list(due(cron, since, now, catch_up="latest", within=within))
    assert latest == (in_time or everything[-1:])
    assert in_time == [moment for moment in everything if moment > now - LATE]
    late = first_late(cron, since, now)
    assert (late is None) == all(moment > now - LATE for moment in cron.between(since, now))
