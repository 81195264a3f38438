"""What the measured values are held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

Values = Mapping[str, float]


class Goal(msgspec.Struct, frozen=True):
    """``text`` says it, ``reached`` decides it; both take the values of one run."""

    needs: tuple[str, ...]
    text: Callable[[Values], str]
    reached: Callable[[Values], bool]


def _at_most(name: str, bound: float) -> tuple[str, Goal]:
    return name, Goal((name,), lambda values: f"at most {bound:g}", lambda values: values[name] <= bound)


def _at_least(name: str, bound: float) -> tuple[str, Goal]:
    return name, Goal((name,), lambda values: f"at least {bound:g}", lambda values: values[name] >= bound)


def _times(name: str, factor: float, other: str) -> tuple[str, Goal]:
    """``name`` is at least ``factor`` times ``other``."""
    return name, Goal(
        (name, other),
        lambda values: f"at least {factor:g} times {other}, is {values[name] / values[other]:.1f}",
        lambda values: values[name] >= factor * values[other],
    )


GOALS: tuple[tuple[str, Goal], ...] = (
    _at_most("esl.full_us", 20),
    _times("esl.genesis_us", 15, "esl.full_us"),
    _times("esl.greenswitch_us", 4, "esl.full_us"),
    _times("live.deliveries_per_s", 5, "live.stock_deliveries_per_s"),
    _times("live.deliveries_per_s", 1, "live.node_deliveries_per_s"),
    _at_most("live.p99_ms", 8),
    _at_most("calls.rss_mb_10k", 120),
    _at_most("callapps.p99_ms", 10),
    _at_most("callapps.cpu_ms_per_call", 5),
    _at_most("chatbot.p99_ms", 150),
    _at_most("pbx.request_us", 80),
    _at_most("pbx.ignored_frame_us", 10),
    _times("inbox.sqlite_accepts_per_s", 1.5, "inbox.fastapi_memory_per_s"),
    _times("inbox.sqlite_accepts_per_s", 1, "inbox.fastapi_raw_per_s"),
    _at_most("inbox.sqlite_p99_ms", 30),
    _times("inbox.postgres_accepts_per_s", 1, "inbox.fastapi_memory_per_s"),
    _at_most("inbox.postgres_p99_ms", 30),
    _times("inbox.worked_per_s", 10, "inbox.procrastinate_per_s"),
    _at_most("inbox.sqlite_page_ms", 200),
    _at_most("inbox.postgres_page_ms", 200),
    _at_least("directory.embedded_qps", 200),
)


def judged(values: Values) -> list[tuple[str, str, bool]]:
    """Every goal whose values were measured: the measurement's name, the goal, whether it is reached."""
    return [
        (name, goal.text(values), goal.reached(values))
        for name, goal in GOALS
        if all(needed in values for needed in goal.needs)
    ]
