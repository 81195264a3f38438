"""Cron expressions against a plain look at every minute, in places where clocks are moved and where they are not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from daemon.cron import Cron, CronError, ZoneError, zone_of

EXAMPLES = settings(max_examples=3_000 if os.environ.get("PARLEY_PROVE") == "1" else 150, deadline=None)
SEOUL, BERLIN, NEW_YORK, BEIRUT = map(zone_of, ("Asia/Seoul", "Europe/Berlin", "America/New_York", "Asia/Beirut"))
CAIRO, SAO_PAULO, LORD_HOWE = map(zone_of, ("Africa/Cairo", "America/Sao_Paulo", "Australia/Lord_Howe"))
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def at(zone: tzinfo, *moment: int, fold: int = 0) -> float:
    return datetime(*moment, tzinfo=zone, fold=fold).timestamp()  # type: ignore[arg-type, misc]


def shown(zone: tzinfo, moments: Iterator[float] | list[float]) -> list[str]:
    return [f"{datetime.fromtimestamp(moment, zone):%Y-%m-%d %H:%M%z}"[:-2] for moment in moments]


class Field(NamedTuple):
    """A field as it is written, and what it means."""

    text: str
    values: frozenset[int]


def fields(first: int, last: int, names: Sequence[str] = ()) -> st.SearchStrategy[Field]:
    everything = range(first, last + 1)
    some = st.integers(first, last)
    ranges = st.tuples(some, some).map(sorted)

    def written(value: int) -> str:
        return names[value - first] if names else str(value)

    return st.one_of(
        st.just(Field("*", frozenset(everything))),
        st.integers(1, last).map(lambda step: Field(f"*/{step}", frozenset(everything[::step]))),
        some.map(lambda one: Field(str(one), frozenset({one}))),
        some.map(lambda one: Field(written(one).lower(), frozenset({one}))),
        st.lists(some, min_size=2, max_size=4, unique=True).map(
            lambda many: Field(",".join(map(str, many)), frozenset(many))
        ),
        ranges.map(lambda ends: Field(f"{ends[0]}-{ends[1]}", frozenset(range(ends[0], ends[1] + 1)))),
        st.tuples(ranges, some).map(
            lambda drawn: Field(
                f"{written(drawn[0][0])}-{written(drawn[0][1])},{written(drawn[1])}",
                frozenset({*range(drawn[0][0], drawn[0][1] + 1), drawn[1]}),
            )
        ),
        st.tuples(ranges.filter(lambda ends: ends[0] < ends[1]), st.integers(1, last)).map(
            lambda drawn: Field(
                f"{drawn[0][0]}-{drawn[0][1]}/{drawn[1]}", frozenset(range(drawn[0][0], drawn[0][1] + 1, drawn[1]))
            )
        ),
    )


SUNDAYS = st.sampled_from(
    [Field("7", frozenset({0})), Field("5-7", frozenset({5, 6, 0})), Field("0,7", frozenset({0}))]
)


class Expression(NamedTuple):
    minute: Field
    hour: Field
    day: Field
    month: Field
    weekday: Field

    def __str__(self) -> str:
        return " ".join(field.text for field in self)

    def has(self, local: datetime) -> bool:
        """Whether clocks that show ``local`` show one of its moments."""
        day, weekday = local.day in self.day.values, local.isoweekday() % 7 in self.weekday.values
        both = self.day.text.startswith("*") or self.weekday.text.startswith("*")
        return (
            local.minute in self.minute.values
            and local.hour in self.hour.values
            and local.month in self.month.values
            and (day and weekday if both else day or weekday)
        )

    def moments(self, zone: tzinfo, after: float, until: float) -> list[float]:
        """What it means, by a look at every minute."""
        if self.minute.text.startswith("*") or self.hour.text.startswith("*"):
            passing = range(int(after) // 60 * 60, int(until) + 60, 60)
            found = {float(moment) for moment in passing if self.has(datetime.fromtimestamp(moment, zone))}
        else:
            found = {self._shown_at(local, zone) for local in _wall(zone, after, until) if self.has(local)}
        return sorted(moment for moment in found if after < moment <= until)

    def _shown_at(self, local: datetime, zone: tzinfo) -> float:
        """When the clocks first show ``local``, or come past it."""
        while local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) != local:
            local += timedelta(minutes=1)
        return local.replace(tzinfo=zone).timestamp()


def _wall(zone: tzinfo, after: float, until: float) -> Iterator[datetime]:
    """Every minute that is on the wall in that time, or would be if the clocks were not moved."""
    local = datetime.fromtimestamp(after - 7_200, zone).replace(tzinfo=None, second=0, microsecond=0, fold=0)
    while local.replace(tzinfo=zone).timestamp() <= until + 7_200:
        yield local
        local += timedelta(minutes=1)


EXPRESSIONS = st.builds(
    Expression, fields(0, 59), fields(0, 23), fields(1, 31), fields(1, 12, MONTHS), fields(0, 6, WEEKDAYS) | SUNDAYS
)
DAYS_OF_CHANGE = (
    (SEOUL, (2028, 2, 28)),
    (BERLIN, (2026, 3, 28)),
    (BERLIN, (2026, 10, 24)),
    (NEW_YORK, (2026, 3, 7)),
    (NEW_YORK, (2026, 10, 31)),
    (BEIRUT, (2026, 3, 28)),  # at midnight
    (BEIRUT, (2026, 10, 24)),
    (CAIRO, (2026, 4, 23)),
    (CAIRO, (2026, 10, 28)),
    (SAO_PAULO, (2018, 11, 3)),
    (SAO_PAULO, (2018, 2, 16)),
    (LORD_HOWE, (2026, 4, 4)),  # by half an hour
    (LORD_HOWE, (2026, 10, 3)),
)


@EXAMPLES
@given(EXPRESSIONS, st.sampled_from(DAYS_OF_CHANGE), st.floats(0, 86_400), st.floats(3_600, 3 * 86_400))
def test_every_moment_is_meant_and_none_is_left_out(
    expression: Expression, change: tuple[tzinfo, tuple[int, int, int]], later: float, length: float
) -> None:
    zone, day = change
    after = at(zone, *day) + later
    expected = expression.moments(zone, after, after + length)
    try:
        cron = Cron(str(expression), zone)
    except CronError:
        reject()  # a day that none of its months has
    assert shown(zone, cron.between(after, after + length)) == shown(zone, expected)
    # Asked one by one, from wherever one stands, it is the same.
    moment, found = after, []
    while (moment := cron.after(moment) or after + length + 1) <= after + length:
        found.append(moment)
    assert found == expected


@EXAMPLES
@given(st.one_of(st.text(max_size=20), st.text("0123456789*/,-#LWMON ", max_size=30)))
def test_any_text_is_an_expression_or_said_to_be_none(text: str) -> None:
    with suppress(CronError):
        Cron(text, SEOUL).after(0.0)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("0 9 1 *", "it has 4 of the five fields"),
        ("0 0 9 1 * *", "it has 6 of the five fields"),
        ("60 9 1 * *", "bad minute"),
        ("0 24 1 * *", "bad hour"),
        ("0 9 30 2 *", "bad day-of-month"),
        ("0 9 1 13 *", "bad month"),
        ("0 9 * * MON-", "bad day-of-week"),
        ("9" * 5_000 + " * * * *", "bad field"),
    ],
)
def test_what_is_wrong_is_said(expression: str, problem: str) -> None:
    with pytest.raises(CronError, match=problem):
        Cron(expression, SEOUL)


@pytest.mark.parametrize("name", ["Asia/Soul", "", "Asia", "../etc/passwd", "a\0b"])
def test_a_zone_that_is_none(name: str) -> None:
    with pytest.raises(ZoneError, match="knows no time zone"):
        zone_of(name)


def test_ends_of_months_and_the_leap_day() -> None:
    year = at(SEOUL, 2027, 12, 31), at(SEOUL, 2028, 4, 30)
    assert shown(SEOUL, Cron("0 9 L * *", SEOUL).between(*year)) == [
        "2027-12-31 09:00+09",
        "2028-01-31 09:00+09",
        "2028-02-29 09:00+09",
        "2028-03-31 09:00+09",
    ]
    assert shown(SEOUL, Cron("0 0 31 * *", SEOUL).between(*year)) == ["2028-01-31 00:00+09", "2028-03-31 00:00+09"]
    assert shown(SEOUL, Cron("0 0 29 2 *", SEOUL).between(at(SEOUL, 2026, 1, 1), at(SEOUL, 2033, 1, 1))) == [
        "2028-02-29 00:00+09",
        "2032-02-29 00:00+09",
    ]
    assert shown(SEOUL, Cron("0 9 LW * *", SEOUL).between(at(SEOUL, 2026, 2, 1), at(SEOUL, 2026, 3, 1))) == [
        "2026-02-27 09:00+09"
    ]


def test_midnight_is_the_beginning_of_its_day() -> None:
    cron = Cron("0 0 * * *", SEOUL)
    midnight = at(SEOUL, 2026, 5, 1)
    assert cron.after(midnight - 0.001) == midnight
    assert cron.after(midnight) == midnight + 86_400
    assert list(cron.between(midnight - 1, midnight)) == [midnight]


def test_when_summer_time_begins_what_is_left_out_comes_right_after() -> None:
    assert shown(BERLIN, Cron("30 2 * * *", BERLIN).between(at(BERLIN, 2026, 3, 28), at(BERLIN, 2026, 3, 31))) == [
        "2026-03-28 02:30+01",
        "2026-03-29 03:00+02",
        "2026-03-30 02:30+02",
    ]
    assert shown(
        NEW_YORK, Cron("0,30 2-3 8 3 *", NEW_YORK).between(at(NEW_YORK, 2026, 3, 8), at(NEW_YORK, 2026, 4, 1))
    ) == [
        "2026-03-08 03:00-04",
        "2026-03-08 03:30-04",
    ]
    assert shown(
        BERLIN, Cron("*/30 * 29 3 *", BERLIN).between(at(BERLIN, 2026, 3, 29, 1), at(BERLIN, 2026, 3, 29, 4))
    ) == [
        "2026-03-29 01:30+01",
        "2026-03-29 03:00+02",
        "2026-03-29 03:30+02",
        "2026-03-29 04:00+02",
    ]


def test_when_summer_time_ends_a_time_of_the_wall_comes_once() -> None:
    assert shown(
        NEW_YORK, Cron("30 1 * * *", NEW_YORK).between(at(NEW_YORK, 2026, 10, 31), at(NEW_YORK, 2026, 11, 3))
    ) == [
        "2026-10-31 01:30-04",
        "2026-11-01 01:30-04",
        "2026-11-02 01:30-05",
    ]
    second_time = at(NEW_YORK, 2026, 11, 1, 1, 15, fold=1)
    assert Cron("30 1 * * *", NEW_YORK).after(second_time) == at(NEW_YORK, 2026, 11, 2, 1, 30)
    assert shown(
        BERLIN, Cron("*/30 2 * * *", BERLIN).between(at(BERLIN, 2026, 10, 25), at(BERLIN, 2026, 10, 25, 4))
    ) == [
        "2026-10-25 02:00+02",
        "2026-10-25 02:30+02",
        "2026-10-25 02:00+01",
        "2026-10-25 02:30+01",
    ]


def test_where_clocks_are_moved_at_midnight() -> None:
    daily = Cron("0 0 * * *", BEIRUT).between(at(BEIRUT, 2026, 3, 28), at(BEIRUT, 2026, 3, 30))
    assert shown(BEIRUT, daily) == ["2026-03-29 01:00+03", "2026-03-30 00:00+03"]
    passing = Cron("*/30 0 * * *", BEIRUT).between(at(BEIRUT, 2026, 3, 28, 12), at(BEIRUT, 2026, 3, 30, 0, 30))
    assert shown(BEIRUT, passing) == ["2026-03-30 00:00+03", "2026-03-30 00:30+03"]
