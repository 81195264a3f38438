"""The worst part is the whole's condition."""

from __future__ import annotations

import pytest

from daemon.health import Condition, Health, Part


@pytest.mark.parametrize(
    ("conditions", "whole"),
    [
        ([], Condition.OK),
        ([Condition.OK, Condition.OK], Condition.OK),
        ([Condition.OK, Condition.DEGRADED], Condition.DEGRADED),
        ([Condition.DOWN, Condition.DEGRADED, Condition.OK], Condition.DOWN),
    ],
)
def test_the_report_is_as_bad_as_its_worst_part(conditions: list[Condition], whole: Condition) -> None:
    health = Health()
    for number, condition in enumerate(conditions):
        health.add(str(number), lambda condition=condition: Part(condition))  # type: ignore[misc]
    report = health.report()
    assert report.condition is whole
    assert [part.condition for part in report.parts.values()] == conditions
