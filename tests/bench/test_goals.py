"""Every goal is of something that is measured."""

from __future__ import annotations

from tests.bench.__main__ import GROUPS
from tests.bench.goals import GOALS, judged

MEASURED = [name for group in GROUPS.values() for named, _ in group for name in named]


def test_each_measurement_has_a_name_of_its_own() -> None:
    assert len(set(MEASURED)) == len(MEASURED)


def test_goals_need_what_is_measured() -> None:
    for name, goal in GOALS:
        assert name in goal.needs
        assert set(goal.needs) <= set(MEASURED)


def test_a_goal_is_judged_by_the_values_of_a_run() -> None:
    values = {"inbox.sqlite_accepts_per_s": 150.0, "inbox.fastapi_memory_per_s": 100.0, "inbox.sqlite_p99_ms": 31.0}

    assert judged(values) == [
        ("inbox.sqlite_accepts_per_s", "at least 1.5 times inbox.fastapi_memory_per_s, is 1.5", True),
        ("inbox.sqlite_p99_ms", "at most 30", False),
    ]
