"""Runs the benchmarks, prints a table and writes ``bench.json``.

    python -m tests.bench [--only GROUP,…] [--rounds 3] [--output bench.json]

Every measurement runs in processes of its own. A round measures everything once, side by side; the value of a
measurement is the median over the rounds. A goal that is missed is said, and is no failure of the run.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.bench import callapps, calls, chatbot, directory, esl, inbox, live, pbx
from tests.bench.goals import judged
from tests.bench.programs import CHECKOUT, prepare_node, prepare_peers

Measurement = tuple[Mapping[str, str], Callable[[], Sequence[float]]]
"""The names that one run gives values for, in this order, with their units; the run."""

_CPU = "µs of CPU per event"
_DELIVERIES = "deliveries per second of server CPU"
_WEBHOOKS = "webhooks per second"
_WORK = "deliveries or jobs per second"
_SEARCHES = "searches per second"


def _one(name: str, unit: str, measure: Callable[[], float]) -> Measurement:
    return {name: unit}, lambda: [measure()]


GROUPS: Mapping[str, Sequence[Measurement]] = {
    "esl": [
        _one("esl.framing_us", _CPU, esl.framing_us),
        _one("esl.decode_us", _CPU, esl.decode_us),
        _one("esl.full_us", _CPU, esl.full_us),
        _one("esl.genesis_us", _CPU, esl.genesis_us),
        _one("esl.greenswitch_us", _CPU, esl.greenswitch_us),
    ],
    "live": [
        _one("live.deliveries_per_s", _DELIVERIES, live.deliveries_per_s),
        _one("live.stock_deliveries_per_s", _DELIVERIES, live.stock_deliveries_per_s),
        _one("live.node_deliveries_per_s", _DELIVERIES, live.node_deliveries_per_s),
        ({"live.p50_ms": "ms", "live.p99_ms": "ms"}, live.latency_ms),
    ],
    "calls": [_one("calls.rss_mb_10k", "MB", calls.rss_mb_10k)],
    "callapps": [
        ({"callapps.p99_ms": "ms", "callapps.cpu_ms_per_call": "ms of CPU per call"}, callapps.loaded),
    ],
    "chatbot": [_one("chatbot.p99_ms", "ms", chatbot.p99_ms)],
    "pbx": [
        _one("pbx.request_us", "µs of CPU per request and answer", pbx.request_us),
        _one("pbx.ignored_frame_us", "µs of CPU per frame", pbx.ignored_frame_us),
    ],
    "inbox": [
        ({"inbox.sqlite_accepts_per_s": _WEBHOOKS, "inbox.sqlite_p99_ms": "ms"}, inbox.sqlite),
        _one("inbox.fastapi_memory_per_s", _WEBHOOKS, inbox.fastapi_memory_per_s),
        ({"inbox.postgres_accepts_per_s": _WEBHOOKS, "inbox.postgres_p99_ms": "ms"}, inbox.postgres),
        _one("inbox.fastapi_raw_per_s", _WEBHOOKS, inbox.fastapi_raw_per_s),
        ({"inbox.worked_per_s": _WORK, "inbox.procrastinate_per_s": _WORK}, inbox.worked),
        ({"inbox.sqlite_page_ms": "ms", "inbox.postgres_page_ms": "ms"}, inbox.pages),
    ],
    "directory": [
        _one("directory.embedded_qps", _SEARCHES, directory.embedded_qps),
        _one("directory.elasticsearch_qps", _SEARCHES, directory.elasticsearch_qps),
    ],
}

_PREPARED_BY: Mapping[str, Callable[[], None]] = {"esl": prepare_peers, "live": prepare_node, "inbox": prepare_peers}


def main() -> None:
    arguments = _arguments()
    for group in arguments.only:
        if group in _PREPARED_BY:
            _PREPARED_BY[group]()
    measured: dict[str, list[float]] = {}
    units: dict[str, str] = {}
    for number in range(1, arguments.rounds + 1):
        for group in arguments.only:
            for named, measure in GROUPS[group]:
                units |= named
                for name, value in zip(named, measure(), strict=True):
                    measured.setdefault(name, []).append(value)
                    print(f"round {number}  {name:28} {value:14,.2f}  {units[name]}", flush=True)
    values = {name: statistics.median(rounds) for name, rounds in measured.items()}
    _print_table(values, measured, units)
    document = {name: {"value": round(value, 3), "unit": units[name]} for name, value in values.items()}
    arguments.output.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(f"\nwritten to {arguments.output}")


def _print_table(
    values: Mapping[str, float], measured: Mapping[str, Sequence[float]], units: Mapping[str, str]
) -> None:
    goals = judged(values)
    print(f"\n{'':28} {'median':>14} {'least':>14} {'most':>14}")
    for name, value in values.items():
        rounds = measured[name]
        print(f"{name:28} {value:14,.2f} {min(rounds):14,.2f} {max(rounds):14,.2f}  {units[name]}")
        for _, text, reached in (goal for goal in goals if goal[0] == name):
            print(f"{'':28} {'reached' if reached else 'MISSED'}: {text}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Parley's benchmarks.")
    parser.add_argument("--only", type=_groups, default=list(GROUPS), help="groups, separated by commas")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    parser.add_argument("--output", type=Path, default=CHECKOUT / "bench.json")
    return parser.parse_args()


def _groups(text: str) -> list[str]:
    groups = [group.strip() for group in text.split(",")]
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: there are {', '.join(GROUPS)}")
    return groups


if __name__ == "__main__":
    main()
