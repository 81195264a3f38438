"""What callers mean."""

from __future__ import annotations

import pytest

from daemon.callapps.contract import Meaning
from daemon.callapps.understanding import korean

PAYMENT = ["선불", "착불"]
FLOORS = [f"{floor}층" for floor in range(1, 9)]


@pytest.mark.parametrize(
    ("text", "choices", "meaning"),
    [
        ("음, 착불로 할게요", PAYMENT, Meaning(1)),
        ("선물이요", PAYMENT, Meaning(0, confirm=True)),
        ("선불이나 착불이요", PAYMENT, Meaning(ambiguous=True)),
        ("몰라요", PAYMENT, Meaning()),
        ("네 맞아요", ["네", "아니요"], Meaning(0)),
        ("3 층", FLOORS, Meaning(2)),
        ("3층이요", FLOORS, Meaning()),
    ],
)
def test_meanings(text: str, choices: list[str], meaning: Meaning) -> None:
    assert korean(text, choices) == meaning
